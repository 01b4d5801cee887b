-- The newest diagnosis of a job, as its worker told it: all findings that hold, and the checklist. Beside the jobs, not in them: a
-- list of jobs must not read it.
CREATE TABLE diagnoses (
    job  TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;
