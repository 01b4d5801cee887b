// The page's files (page_files.h), with their ETags: a browser asks again each time and gets 304
// while nothing changed.
#include "server/http/page.h"

#include <string.h>
#include "core/base/memory.h"
#include "server/http/http.h"
#include "server/http/page_files.h"

const PageFile *page_find(const char *path) {
    for (size_t i = 0; i < page_file_count; i++)
        if (strcmp(page_files[i].path, path) == 0)
            return &page_files[i];
    return NULL;
}

bool page_has(const char *path) {
    return page_find(path) != NULL;
}

// Weak comparison (RFC 9110, section 8.8.3.2): the gzipped form has the same tag.
bool etag_matches(const char *list, const char *etag) {
    size_t length = strlen(etag);
    while (list != NULL && *list != '\0') {
        list += strspn(list, " ,\t");
        if (*list == '*')
            return true;
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        if (strncmp(list, etag, length) == 0)
            return true;
        list += strcspn(list, ",");
    }
    return false;
}

void page_answer(Request *request) {
    const char *target = request_target(request);
    char path[256] = {0};
    size_t length = strcspn(target, "?");
    if (length < sizeof path)
        memcpy(path, target, length);
    const PageFile *file = page_find(path);
    if (file == NULL) {
        answer_problem(request, 404, "There is no such page.");
        return;
    }
    answer_header(request, "ETag", "W/%s", file->etag);
    answer_header(request, "Cache-Control", "no-cache");
    if (etag_matches(request_header(request, "If-None-Match"), file->etag))
        answer_empty(request, 304);
    else
        answer_static(request, 200, file->content_type, file->data, file->length);
}
