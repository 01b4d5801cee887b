#!/usr/bin/env python3
"""Writes a C source that holds the page's files, for server/http/page_files.h.

    embed.py OUTPUT ROOT FILE…

FILE is a path under ROOT; it is served at the same path, and index.html at `/` too. What a browser would wait for before it
shows anything, index.html's style sheets and its classic script, is written into it, and the content security policy names
it by its hash (docs/decisions/0034); those files are not served apart. The ETag is strong: it is the content's hash, so that it
changes when and only when a byte does. Equal input gives equal output.
"""

import base64
import hashlib
import pathlib
import re
import sys

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    "": "text/plain; charset=utf-8",
}

POLICY = ("default-src 'none'; script-src 'self' {scripts}; style-src 'self' {styles}; img-src 'self' data:; "
          "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'")


def with_files_inside(html, folder):
    """The frame with the files in it that it would wait for, the policy under which they run, and their names."""
    sources, names = {"script": [], "style": []}, []

    def element(name, file):
        text = (folder / file).read_bytes().decode()
        if f"</{name}" in text:
            sys.exit(f"{file}: </{name} would end the element that it is written into")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        sources[name].append(f"'sha256-{digest}'")
        names.append(file)
        return f"<{name}>{text}</{name}>"

    html = re.sub(r'<script src="([^"]+)"></script>', lambda match: element("script", match[1]), html)
    html = re.sub(r'<link rel="stylesheet" href="([^"]+)">', lambda match: element("style", match[1]), html)
    policy = POLICY.format(scripts=" ".join(sources["script"]), styles=" ".join(sources["style"]))
    return html.encode(), policy, names


def c_array(data):
    return ",\n".join(",".join(map(str, data[at:at + 32])) for at in range(0, len(data), 32))


def main(output, root, files):
    root = pathlib.Path(root).resolve()
    frame, policy, inside = with_files_inside((root / "index.html").read_bytes().decode(), root)
    arrays, rows = [], []
    for index, name in enumerate(files):
        path = pathlib.Path(name).resolve()
        if path.relative_to(root).as_posix() in inside:
            continue
        url = "/" + path.relative_to(root).as_posix()
        data = frame if url == "/index.html" else path.read_bytes()
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
        + "const size_t page_file_count = sizeof page_files / sizeof *page_files;\n"
        + f'const char page_policy[] = "{policy}";\n')


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
