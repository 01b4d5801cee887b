// The page's files as an answer.
#pragma once
#include <stdbool.h>

bool page_has(const char *path);
bool etag_matches(const char *list,
                  const char *etag); // an If-None-Match header (or NULL) against a strong tag
