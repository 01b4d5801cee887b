// What the conductors share: bodies, ids, lists.
#pragma once
#include "server/json/document.h"
#include "server/routes/predictors.h"
#include "server/routes/routes.h"

// Parses the request's body as JSON; an object, if `object`. NULL after having answered 400, 413 or
// 422.
Document *body_parse(Request *request, const char *const *lifted, bool object);

// Is it an id with this prefix ("ds_")? Only such texts go into the names of files.
bool id_valid(const char *prefix, const char *id);

// The model's id that the path's {id}, an id or an alias, means. ERR_NOT_FOUND: it names none.
int request_model(Request *request, char ret_id[ID_TEXT]);
// That model, borrowed until predictors_return. NULL after having answered.
LoadedModel *request_borrow(Request *request, char ret_id[ID_TEXT]);

// Notes every member of `object` that is none of `known` (NULL-terminated), with the nearest known
// one.
void keys_check(Value object, const char *const *known, Issues *issues);

// A page of a list under way: begin, then list_room before each item until it says no, then
// answer_list.
typedef struct List {
    JsonOut out;
    int limit, count;
    char last[ID_TEXT]; // of the items written
    bool more;          // there was one beyond the limit
} List;
void list_begin(List *list, int limit);
bool list_room(List *list, const char *id);
void answer_list(Request *request, List *list, int error); // error: of reading the list

// A path under the data directory: "datasets/ds_….bpa".
enum { PATH_TEXT = 64 };
void dataset_file(const char *id, char path[PATH_TEXT]);
void model_file(const char *id, char path[PATH_TEXT]);
