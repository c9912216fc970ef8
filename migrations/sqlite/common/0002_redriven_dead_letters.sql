-- Since when a message could not be handled. Of those that are here already nobody knows: they are
-- shown with the time at which they were given up.
ALTER TABLE dead_letters ADD COLUMN first_failed_at INTEGER NOT NULL DEFAULT 0;
UPDATE dead_letters SET first_failed_at = died_at;

-- They are listed, and taken up again, by queue.
CREATE INDEX dead_letters_of_queue ON dead_letters (queue, id);
