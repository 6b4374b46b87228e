-- When a run last ended well, and whether people were told that it is long ago.
-- Nothing is bought by it.
CREATE TABLE well (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  time INTEGER NOT NULL CHECK (time > 0),
  told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1))
) STRICT;

CREATE TRIGGER well_begins_untold BEFORE INSERT ON well WHEN NEW.told <> 0
BEGIN SELECT RAISE(ABORT, 'a silence is told after it has begun'); END;
CREATE TRIGGER well_is_told_as_it_is BEFORE UPDATE ON well WHEN NEW.told <> 0 AND NEW.time <> OLD.time
BEGIN SELECT RAISE(ABORT, 'a silence is told after it has begun'); END;
CREATE TRIGGER well_is_never_deleted BEFORE DELETE ON well
BEGIN SELECT RAISE(ABORT, 'when a run ended well is never deleted'); END;
