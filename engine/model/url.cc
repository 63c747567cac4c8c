#include "engine/model/url.h"
