// The JSON schemas of the OpenAPI document: those written here, and those made from the registries
// of what a job can name.
#pragma once
#include "server/base/json_out.h"

void schemas_write(JsonOut *out); // members of the open object, one a schema
