// Whether the service is ready for work.
#pragma once
#include "server/routes/routes.h"

const char *service_not_ready(const Request *request); // why it is not, a sentence; NULL: it is
