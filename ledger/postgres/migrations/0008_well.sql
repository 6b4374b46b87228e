-- When a run last ended well, and whether people were told that it is long ago.
-- Nothing is bought by it.
CREATE TABLE well (
  one  BIGINT PRIMARY KEY CHECK (one = 1),
  time BIGINT NOT NULL CHECK (time > 0),
  told BIGINT NOT NULL DEFAULT 0 CHECK (told IN (0, 1))
);

CREATE FUNCTION well_begins_untold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.told <> 0) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a silence is told after it has begun';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER well_begins_untold BEFORE INSERT ON well
FOR EACH ROW EXECUTE FUNCTION well_begins_untold();
CREATE FUNCTION well_is_told_as_it_is() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.told <> 0 AND NEW.time <> OLD.time) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a silence is told after it has begun';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER well_is_told_as_it_is BEFORE UPDATE ON well
FOR EACH ROW EXECUTE FUNCTION well_is_told_as_it_is();
CREATE TRIGGER well_is_never_deleted BEFORE DELETE ON well
FOR EACH ROW EXECUTE FUNCTION refuse('when a run ended well is never deleted');

-- TRUNCATE asks no trigger of a row.
DO $$ BEGIN
  EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse(%L)',
    'well_is_never_emptied', 'well', 'a ledger is never emptied');
END $$;
