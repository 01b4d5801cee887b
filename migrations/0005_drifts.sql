-- What was counted of the inputs that a model was asked about: rows in all since then, and the bins in memory's form (numbers of
-- 64 bits, little-endian: rows of the window, then each feature's bins, then each feature's rows outside).
CREATE TABLE drifts (
    model TEXT PRIMARY KEY REFERENCES models (id) ON DELETE CASCADE,
    since INTEGER NOT NULL,
    rows  INTEGER NOT NULL,
    body  BLOB NOT NULL
) STRICT;
