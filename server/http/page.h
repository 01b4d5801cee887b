// The page's files as an answer.
#pragma once
#include <stdbool.h>

struct PageFile;
const struct PageFile *page_find(const char *path); // NULL: there is none (page_files.h)
bool page_has(const char *path);
bool etag_matches(const char *list,
                  const char *etag); // an If-None-Match header (or NULL) against a strong tag
