-- The model whose weights a job starts from; '' where they are drawn. While the job has not ended the model stays.
ALTER TABLE jobs ADD COLUMN initial TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_by_initial ON jobs (initial) WHERE initial <> '';
