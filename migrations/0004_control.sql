-- What is asked of a running job, and holds through a crash; of a queued one only 'stop': it will load its checkpoint and end.
ALTER TABLE jobs ADD COLUMN wish TEXT NOT NULL DEFAULT '' CHECK (wish IN ('', 'pause', 'stop', 'cancel'));
UPDATE jobs SET wish = 'cancel' WHERE cancel_requested AND status = 'running';
ALTER TABLE jobs DROP COLUMN cancel_requested;
ALTER TABLE jobs ADD COLUMN ran INTEGER NOT NULL DEFAULT 0; -- milliseconds of all attempts, as last told
ALTER TABLE jobs ADD COLUMN interruption TEXT;              -- the newest death of its worker
ALTER TABLE jobs ADD COLUMN alias TEXT NOT NULL DEFAULT ''; -- moves to its model when it succeeds
CREATE INDEX jobs_by_end ON jobs (finished_at) WHERE finished_at > 0;

CREATE TABLE aliases (
    name       TEXT PRIMARY KEY,
    model      TEXT NOT NULL REFERENCES models (id),
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX aliases_by_model ON aliases (model);
