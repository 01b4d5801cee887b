-- How every layer's gradients, weights and activations were spread at a few steps of a job, a row a step, at most some thirty a job.
CREATE TABLE histograms (
    job  TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (job, step)
) STRICT;
