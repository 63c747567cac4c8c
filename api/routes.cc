#include "api/routes.h"

#include "api/admin_handlers.h"
#include "api/dead_letter_handlers.h"
#include "api/delivery_log_handlers.h"
#include "api/event_handlers.h"
#include "api/event_type_handlers.h"
#include "api/hook_handlers.h"
#include "api/live_handlers.h"
#include "api/mending_handlers.h"
#include "api/openapi_handlers.h"
#include "api/operations_handlers.h"
#include "api/sdk_handlers.h"
#include "api/system_handlers.h"
#include "api/test_event_handlers.h"
#include "api/webhook_handlers.h"

namespace triggerd::api {
namespace {

constexpr std::string_view kWebhooks = "/organizations/webhooks";
constexpr std::string_view kJwks = "/organizations/webhooks/verification-jwks";
constexpr std::string_view kWebhook = "/organizations/webhooks/{webhook_id}";
constexpr std::string_view kTriggers = "/organizations/webhooks/{webhook_id}/triggers";
constexpr std::string_view kTrial = "/organizations/webhooks/{webhook_id}/triggers/test";
constexpr std::string_view kSecret = "/organizations/webhooks/{webhook_id}/secret";
constexpr std::string_view kNewSecret = "/organizations/webhooks/{webhook_id}/secret/rotate";
constexpr std::string_view kEvents = "/organizations/events";
constexpr std::string_view kEvent = "/organizations/events/{event_id}";
constexpr std::string_view kDeliveries = "/organizations/webhooks/{webhook_id}/deliveries";
constexpr std::string_view kDelivery = "/organizations/webhooks/{webhook_id}/deliveries/{event_id}";
constexpr std::string_view kRetry =
    "/organizations/webhooks/{webhook_id}/deliveries/{event_id}/retry";
constexpr std::string_view kSkip =
    "/organizations/webhooks/{webhook_id}/deliveries/{event_id}/skip";
constexpr std::string_view kRecover = "/organizations/webhooks/{webhook_id}/recover";
constexpr std::string_view kTest = "/organizations/webhooks/{webhook_id}/test";
constexpr std::string_view kHeldKeys = "/organizations/webhooks/{webhook_id}/ordering-keys";
constexpr std::string_view kJobs = "/organizations/jobs";
constexpr std::string_view kJob = "/organizations/jobs/{job_id}";
constexpr std::string_view kDead = "/organizations/dead-letters";
constexpr std::string_view kPending = "/organizations/deliveries/pending";
constexpr std::string_view kHook = "/organizations/sync-hooks/{trigger_name}";
constexpr std::string_view kStream = "/organizations/stream";
constexpr std::string_view kTests = "/test-events";
constexpr std::string_view kTypes = "/organizations/event-types";
constexpr std::string_view kType = "/organizations/event-types/{name}";
constexpr std::string_view kOrgs = "/admin/organizations";
constexpr std::string_view kOrg = "/admin/organizations/{organization_id}";
constexpr std::string_view kKeys = "/admin/organizations/{organization_id}/api-keys";
constexpr std::string_view kKey = "/admin/organizations/{organization_id}/api-keys/{key_id}";
constexpr std::string_view kSigning = "/admin/signing-keys";
constexpr std::string_view kRotate = "/admin/signing-keys/rotate";
constexpr std::string_view kBackups = "/admin/backups";
constexpr std::string_view kReload = "/admin/config/reload";

constexpr auto kGet = Method::kGet;
constexpr auto kPost = Method::kPost;
constexpr auto kPut = Method::kPut;
constexpr auto kPatch = Method::kPatch;
constexpr auto kDelete = Method::kDelete;
constexpr auto kOptions = Method::kOptions;
constexpr auto kOpen = Access::kOpen;
constexpr auto kOrgOnly = Access::kOrganization;
constexpr auto kPublish = Access::kPublish;
constexpr auto kRead = Access::kRead;
constexpr auto kManage = Access::kManage;
constexpr auto kAdmin = Access::kAdmin;
constexpr auto kScrape = Access::kScrape;
constexpr auto kNone = Body::kNone;
constexpr auto kJson = Body::kJson;
constexpr auto kAny = Body::kEvents;
constexpr auto kSdk = Body::kSdk;
constexpr auto kFixed = Waits::kDefault;
constexpr auto kAsked = Waits::kAsAsked;

// A literal path stands above one with a parameter that would match it too.
// clang-format off
constexpr Route kRoutes[] = {
  {kPost,   kWebhooks,  kManage,  kJson, kAsked, create_webhook,      show_created_webhook},
  {kGet,    kWebhooks,  kRead,    kNone, kFixed, list_webhooks,       show_webhooks},
  {kGet,    kJwks,      kOrgOnly, kNone, kFixed, get_jwks,            show_jwks},
  {kGet,    kWebhook,   kRead,    kNone, kFixed, get_webhook,         show_webhook},
  {kPatch,  kWebhook,   kManage,  kJson, kAsked, patch_webhook,       show_webhook},
  {kDelete, kWebhook,   kManage,  kNone, kAsked, delete_webhook,      show_done},
  {kGet,    kSecret,    kRead,    kNone, kFixed, get_secret,          show_secret},
  {kPost,   kNewSecret, kManage,  kNone, kFixed, rotate_secret,       show_rotated_secret},
  {kGet,    kTriggers,  kRead,    kNone, kFixed, list_triggers,       show_triggers},
  {kPost,   kTriggers,  kManage,  kJson, kAsked, add_trigger,         show_added_trigger},
  {kDelete, kTriggers,  kManage,  kNone, kAsked, remove_trigger,      show_done},
  {kPost,   kTrial,     kRead,    kJson, kFixed, test_trigger,        show_trial},

  {kGet,    kTypes,     kRead,    kNone, kFixed, list_event_types,    show_event_types},
  {kGet,    kType,      kRead,    kNone, kFixed, get_event_type,      show_event_type},
  {kPut,    kType,      kManage,  kJson, kFixed, put_event_type,      show_event_type},
  {kDelete, kType,      kManage,  kNone, kFixed, delete_event_type,   show_done},

  {kPost,   kEvents,    kPublish, kAny,  kFixed, publish_events,      show_published},
  {kGet,    kEvents,    kRead,    kNone, kFixed, list_events,         show_events},
  {kGet,    kEvent,     kRead,    kNone, kFixed, get_event,           show_event},
  {kGet,    kDeliveries, kRead,   kNone, kFixed, list_deliveries,     show_deliveries},
  {kGet,    kDelivery,  kRead,    kNone, kFixed, get_delivery,        show_delivery},
  {kGet,    kStream,    kRead,    kNone, kFixed, open_live_stream,    nullptr},
  {kPost,   kRetry,     kManage,  kNone, kFixed, retry_delivery,      show_retried},
  {kPost,   kSkip,      kManage,  kNone, kFixed, skip_delivery,       show_skipped},
  {kPost,   kRecover,   kManage,  kJson, kFixed, start_recovery,      show_started_job},
  {kPost,   kTest,      kManage,  kJson, kFixed, test_webhook,        show_webhook_test},
  {kGet,    kHeldKeys,  kRead,    kNone, kFixed, list_ordering_keys,  show_ordering_keys},
  {kGet,    kJobs,      kRead,    kNone, kFixed, list_jobs,           show_jobs},
  {kGet,    kJob,       kRead,    kNone, kFixed, get_job,             show_job},
  {kDelete, kJob,       kManage,  kNone, kFixed, cancel_job,          show_done},
  {kGet,    kDead,      kRead,    kNone, kFixed, list_dead_letters,   show_dead_letters},
  {kGet,    kPending,   kRead,    kNone, kFixed, get_pending,         show_pending},
  {kPost,   kTests,     kManage,  kJson, kFixed, send_test_events,    show_test_events},
  // Not there unless they are enabled: ApiHandler sees to it.
  {kPost,   kSdkPath,   kOpen,    kSdk,  kFixed, take_sdk_event,      show_sdk_event},
  {kOptions, kSdkPath,  kOpen,    kNone, kFixed, preflight_sdk,       nullptr},
  {kPost,   kSdkAliasPath, kOpen, kSdk,  kFixed, take_sdk_event,      show_sdk_event},
  {kOptions, kSdkAliasPath, kOpen, kNone, kFixed, preflight_sdk,      nullptr},

  {kPost,   kHook,      kPublish, kJson, kFixed, call_hook,           show_hook},

  {kPost,   kOrgs,      kAdmin,   kJson, kFixed, create_organization, show_created_organization},
  {kGet,    kOrgs,      kAdmin,   kNone, kFixed, list_organizations,  show_organizations},
  {kGet,    kOrg,       kAdmin,   kNone, kFixed, get_organization,    show_organization},
  {kDelete, kOrg,       kAdmin,   kNone, kFixed, delete_organization, show_done},
  {kPost,   kKeys,      kAdmin,   kJson, kFixed, create_api_key,      show_created_api_key},
  {kGet,    kKeys,      kAdmin,   kNone, kFixed, list_api_keys,       show_api_keys},
  {kDelete, kKey,       kAdmin,   kNone, kFixed, delete_api_key,      show_done},
  {kPost,   kRotate,    kAdmin,   kNone, kFixed, rotate_signing_key,  show_new_signing_key},
  {kGet,    kSigning,   kAdmin,   kNone, kFixed, list_signing_keys,   show_signing_keys},
  {kPost,   kBackups,   kAdmin,   kNone, kFixed, start_backup,        show_started_backup},
  {kGet,    kBackups,   kAdmin,   kNone, kFixed, list_backups,        show_backups},
  {kPost,   kReload,    kAdmin,   kNone, kFixed, reload_config,       show_reloaded_config},

  {kGet,    "/livez",   kOpen,    kNone, kFixed, show_alive,          nullptr},
  {kGet,    "/readyz",  kOpen,    kNone, kFixed, show_readiness,      nullptr},
  {kGet,    "/healthz", kOpen,    kNone, kFixed, show_readiness,      nullptr},
  {kGet,    "/metrics", kScrape,  kNone, kFixed, show_metrics,        nullptr},
  {kGet,    "/version", kOpen,    kNone, kFixed, show_version,        nullptr},
  {kGet,    "/openapi.json", kOpen, kNone, kFixed, show_openapi_json, nullptr},
  {kGet,    "/openapi.yaml", kOpen, kNone, kFixed, show_openapi_yaml, nullptr},
};
// clang-format on

}  // namespace

std::span<const Route> all_routes() {
  return kRoutes;
}

}  // namespace triggerd::api
