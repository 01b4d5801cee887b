#!/usr/bin/env python3
"""Writes a C source that holds the migrations, for server/store/migrations.h.

    embed.py OUTPUT FILE…

A file is NNNN_name.sql; the numbers must run 1, 2, 3, … in the order given. Equal input gives equal output.
"""

import pathlib
import sys


def main(output, files):
    arrays, rows = [], []
    for index, path in enumerate(map(pathlib.Path, files)):
        version = int(path.stem.split("_", 1)[0])
        if version != index + 1:
            sys.exit(f"{path}: expected migration {index + 1:04d}")
        data = path.read_bytes() + b"\0"
        numbers = ",\n".join(",".join(map(str, data[at:at + 32])) for at in range(0, len(data), 32))
        arrays.append(f"static const char sql_{index}[] = {{\n{numbers}}};\n")
        rows.append(f'    {{{version}, "{path.stem}", sql_{index}}},\n')
    pathlib.Path(output).write_text(
        "// Made by server/store/embed.py from the files in migrations/.\n"
        '#include "server/store/migrations.h"\n\n'
        + "\n".join(arrays)
        + "\nconst Migration migrations[] = {\n" + "".join(rows) + "};\n"
        + "const size_t migration_count = sizeof migrations / sizeof *migrations;\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
