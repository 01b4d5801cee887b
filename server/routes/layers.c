// Everything that a job can name, with its parameters: the catalog.
#include "core/base/memory.h"
#include "core/catalog/catalog.h"
#include "server/routes/routes.h"

static void layers_get(Request *request) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    catalog_write(&writer);
    answer_json(request, 200, &out);
    json_finish(&out);
}

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/layers",
     .tag = "service",
     .summary = "Every layer, activation, initialiser, loss, optimizer, schedule and augmentation "
                "with its "
                "parameters",
     .status = 200,
     .response_schema = "Catalog",
     .handler = layers_get},
};

const RouteGroup layers_routes = {"service", "The service itself", routes, ARRAY_LENGTH(routes)};
