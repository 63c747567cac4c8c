#include "engine/core/engine.h"
