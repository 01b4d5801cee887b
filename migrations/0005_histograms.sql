-- Histograms of every layer's gradients, weights and activations at some twenty steps of a run, a row a step. What a resumed run does
-- again takes the place of what was there.
CREATE TABLE histograms (
    job  TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (job, step)
) STRICT;
