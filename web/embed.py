#!/usr/bin/env python3
"""Writes a C source that holds the page's files, for server/http/page_files.h.

    embed.py OUTPUT ROOT FILE…

FILE is a path under ROOT; it is served at the same path, and index.html at `/` too. The ETag is strong: it is the
content's hash, so that it changes when and only when a byte does. Equal input gives equal output.
"""

import hashlib
import pathlib
import sys

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    "": "text/plain; charset=utf-8",
}


def c_array(data):
    return ",\n".join(",".join(map(str, data[at:at + 32])) for at in range(0, len(data), 32))


def main(output, root, files):
    root = pathlib.Path(root).resolve()
    arrays, rows = [], []
    for index, name in enumerate(files):
        path = pathlib.Path(name).resolve()
        data = path.read_bytes()
        url = "/" + path.relative_to(root).as_posix()
        content_type = CONTENT_TYPES[path.suffix]
        etag = hashlib.sha256(data).hexdigest()[:32]
        arrays.append(f"static const unsigned char file_{index}[] = {{\n{c_array(data)}}};\n")
        for address in ("/", url) if url == "/index.html" else (url,):
            rows.append(f'    {{"{address}", "{content_type}", "\\"{etag}\\"", file_{index}, sizeof file_{index}}},\n')
    pathlib.Path(output).write_text(
        "// Made by web/embed.py from the files in web/.\n"
        '#include "server/http/page_files.h"\n\n'
        + "\n".join(arrays)
        + "\nconst PageFile page_files[] = {\n" + "".join(rows) + "};\n"
        + "const size_t page_file_count = sizeof page_files / sizeof *page_files;\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
