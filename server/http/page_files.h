// The page's files, as web/embed.py writes them into a C source at build time: the server needs no folder beside it.
#pragma once

#include <stddef.h>

typedef struct PageFile {
    const char *path;         // as requested: "/", "/app.js", "/lib/uplot/uPlot.esm.js"
    const char *content_type; // with its charset
    const char *etag; // strong, quotes included; changes when and only when the content does
    const unsigned char *data; // [length]
    size_t length;
} PageFile;

extern const PageFile page_files[];
extern const size_t page_file_count;
// The Content-Security-Policy: this server's own files, and what embed.py wrote into index.html, by its hash.
extern const char page_policy[];
