"""The rules of the house as tests: floors and includes, a README a folder, no word of unfinished work."""
import os
import re
import unittest

import floors


class House(unittest.TestCase):
    def test_every_include_keeps_to_its_floor(self):
        self.assertEqual([f"{path}:{line}: {what}" for path, line, what in floors.breaches()], [])

    def test_the_check_sees_a_breach(self):
        # Each rule once, on a line that breaks it.
        self.assertIsNone(floors.include_breach("core/ops/add.c", '"', "core/tensor/tensor.h"))
        self.assertIn("above", floors.include_breach("core/ops/add.c", '"', "core/graph/graph.h"))
        self.assertIn("same floor", floors.include_breach("server/json/a.c", '"', "server/store/store.h"))
        self.assertIn("above", floors.include_breach("core/train/a.c", '"', "server/base/log.h"))
        self.assertIn("one folder", floors.include_breach("server/routes/a.c", "<", "sqlite3.h"))
        self.assertIn("from the root", floors.include_breach("core/ops/add.c", '"', "op.h"))

    def test_every_folder_says_what_it_is_for(self):
        missing = [folder for folder in floors.FLOOR
                   if os.path.isdir(os.path.join(floors.ROOT, folder))
                   and not os.path.exists(os.path.join(floors.ROOT, folder, "README.md"))]
        self.assertEqual(missing, [])

    def test_nothing_is_unfinished_by_its_own_words(self):
        marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|not (yet )?implemented")
        found = []
        for path in floors.sources():
            with open(os.path.join(floors.ROOT, path), encoding="utf-8") as file:
                found += [f"{path}:{n}: {line.strip()}" for n, line in enumerate(file, 1) if marks.search(line)]
        self.assertEqual(found, [])


if __name__ == "__main__":
    unittest.main()
