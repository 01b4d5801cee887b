-- The first schema. Times are milliseconds since 1970 in UTC; JSON is text; ids sort by creation.

CREATE TABLE datasets (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    task         TEXT NOT NULL,
    rows         INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    input_shape  TEXT NOT NULL,
    target_shape TEXT NOT NULL,
    classes      TEXT,
    sha256       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    profile      TEXT,
    findings     TEXT
) STRICT;

-- The queue is this table: a queued row waits, a running one has a worker. `dataset`, `model` and `parent` are plain
-- texts, not foreign keys: an ended job outlives what it names.
CREATE TABLE jobs (
    id               TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    status           TEXT NOT NULL
                     CHECK (status IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')),
    created_at       INTEGER NOT NULL,
    started_at       INTEGER NOT NULL DEFAULT 0,
    finished_at      INTEGER NOT NULL DEFAULT 0,
    attempt          INTEGER NOT NULL DEFAULT 0, -- claims so far; fences what workers say
    priority         INTEGER NOT NULL,
    threads          INTEGER NOT NULL,
    dataset          TEXT NOT NULL,
    model            TEXT NOT NULL DEFAULT '',
    parent           TEXT NOT NULL DEFAULT '',
    tags             TEXT NOT NULL,
    spec             TEXT NOT NULL,
    plan             TEXT,
    progress         TEXT,
    metrics          TEXT,
    best             TEXT,
    result           TEXT,
    diagnosis        TEXT,
    error            TEXT,
    last_seq         INTEGER NOT NULL DEFAULT 0,  -- of its newest record; never given twice
    progress_seq     INTEGER NOT NULL DEFAULT 0,  -- of the record that the next progress replaces
    not_before       INTEGER NOT NULL DEFAULT 0,  -- backoff after a worker's death
    deaths           INTEGER NOT NULL DEFAULT 0,  -- of workers, in a row, at one step …
    death_step       INTEGER NOT NULL DEFAULT 0,  -- … this one (−1: before the first) …
    death_exact      INTEGER NOT NULL DEFAULT 0,  -- … or, where this is 0, a later one
    cancel_requested INTEGER NOT NULL DEFAULT 0   -- acknowledged while it ran: holds through a crash
) STRICT;
CREATE INDEX jobs_queued ON jobs (priority DESC, id) WHERE status = 'queued';
CREATE INDEX jobs_waiting ON jobs (not_before) WHERE status = 'queued' AND not_before > 0;
CREATE INDEX jobs_by_status ON jobs (status, id);
CREATE INDEX jobs_by_dataset ON jobs (dataset, id);
CREATE INDEX jobs_by_parent ON jobs (parent, id) WHERE parent <> '';

-- A job's append-only log. metrics and gradients: a table as server/base/table.h has it; else JSON.
CREATE TABLE records (
    job        TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('status', 'metrics', 'gradients', 'finding', 'end')),
    first_step INTEGER NOT NULL,
    last_step  INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    body       BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_by_seq ON records (job, seq);
CREATE INDEX records_by_kind ON records (job, kind, seq);

CREATE TABLE models (
    id          TEXT PRIMARY KEY,
    job         TEXT NOT NULL,
    name        TEXT NOT NULL,
    spec        TEXT NOT NULL,
    input_shape TEXT NOT NULL,
    classes     TEXT,
    metrics     TEXT,
    parameters  INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    sha256      TEXT NOT NULL
) STRICT;

-- Answers that were given under an Idempotency-Key. `body` is NULL where the server died between creating the thing and
-- storing the answer: then `location` says what was created.
CREATE TABLE keys (
    key         TEXT PRIMARY KEY,
    body_sha256 TEXT NOT NULL,
    status      INTEGER NOT NULL,
    location    TEXT,
    body        TEXT,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX keys_by_age ON keys (created_at);
