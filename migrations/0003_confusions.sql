-- What a classifier took for what on its validation rows, as the route answers it. Beside the jobs, not in them: a list of
-- jobs must not read matrices.
CREATE TABLE confusions (
    job  TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;
