#include "api/router.h"

#include <gtest/gtest.h>

#include "api/routes.h"

namespace triggerd::api {
namespace {

const Route* route_of(Method method, std::string_view path, PathParameters* parameters = nullptr) {
  const auto found = find_route(all_routes(), method, path);
  const auto* const matched = std::get_if<Matched>(&found);
  if (matched == nullptr) return nullptr;
  if (parameters != nullptr) *parameters = matched->parameters;
  return matched->route;
}

TEST(Router, a_literal_segment_wins_over_a_parameter) {
  const Route* const jwks = route_of(Method::kGet, "/organizations/webhooks/verification-jwks");
  ASSERT_NE(jwks, nullptr);
  EXPECT_EQ(jwks->path, "/organizations/webhooks/verification-jwks");
  EXPECT_EQ(route_of(Method::kGet, "/organizations/webhooks/verification-jwk")->path,
            "/organizations/webhooks/{webhook_id}");
  EXPECT_EQ(route_of(Method::kPatch, "/organizations/webhooks/verification-jwks"), nullptr);
}

TEST(Router, parameters_are_decoded_in_order) {
  PathParameters parameters;
  ASSERT_NE(route_of(Method::kDelete, "/admin/organizations/a%2Db+/api-keys/c%zz", &parameters),
            nullptr);
  EXPECT_EQ(parameters[0], "a-b+");
  EXPECT_EQ(parameters[1], "");
}

TEST(Router, no_row_is_hidden_by_one_above_it) {
  for (const Route& route : all_routes()) {
    EXPECT_EQ(route_of(route.method, route.path), &route) << route.path;
  }
}

}  // namespace
}  // namespace triggerd::api
