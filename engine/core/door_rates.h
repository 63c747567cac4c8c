// How often may be asked at the door: the rates of model::RateKind, and that of the JWKS.
#pragma once

#include "engine/model/limits.h"

namespace triggerd::core {

struct DoorRates {
  model::DoorRate test_events = model::kTestEventsRate;
  model::DoorRate jwks = model::kJwksRate;
  model::DoorRate sdk_client = model::kSdkClientRate;
  model::DoorRate sdk_organization = model::kSdkOrganizationRate;
  bool operator==(const DoorRates&) const = default;
};

}  // namespace triggerd::core
