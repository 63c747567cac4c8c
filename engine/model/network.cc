#include "engine/model/network.h"
