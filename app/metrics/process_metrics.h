// The process as its system sees it, under the names that every Prometheus client uses.
//
// Thread: any; reads /proc at each call.
#pragma once

#include "app/metrics/exposition.h"

namespace triggerd::app::metrics {

void append_process(Exposition& page);

}  // namespace triggerd::app::metrics
