#include "engine/model/event_types.h"
