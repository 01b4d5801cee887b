// The body of POST /v1/models/{id}/generate.
#pragma once
#include "core/base/descriptor.h"

extern const Desc generate_desc;
