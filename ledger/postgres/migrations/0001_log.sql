-- The log, and the tables that its events add up to, as in a SQLite file: the
-- same tables, columns and promises under the same names. What SQLite says in a
-- trigger's WHEN stands here in a function of the trigger's name.
--
-- Texts are compared byte by byte: an index in the order of a language would
-- break when the system's idea of that order changes, and with it the promises
-- that hang on indexes. The names of a key are put into an array, so that the
-- index of keys is taken before anybody has counted the rows.

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE integrity_constraint_violation USING MESSAGE = TG_ARGV[0];
END $$;

-- What marks the schema as a ledger of fragplan, and which migrations it has had.
CREATE TABLE about (
  one     BIGINT PRIMARY KEY CHECK (one = 1),
  program TEXT   NOT NULL CHECK (program = 'fragplan'),
  version BIGINT NOT NULL
);
INSERT INTO about VALUES (1, 'fragplan', 0);

CREATE FUNCTION about_rises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.version <> OLD.version + 1 THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a schema is brought up to date step by step';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER about_rises BEFORE UPDATE ON about
FOR EACH ROW EXECUTE FUNCTION about_rises();
CREATE TRIGGER about_stays BEFORE INSERT OR DELETE ON about
FOR EACH ROW EXECUTE FUNCTION refuse('what a schema is never changes');

-- Who writes, by what it says of itself and by the server's clock. It is
-- politeness: what keeps two from writing is the epoch in the table ledger.
CREATE TABLE holder (
  one     BIGINT PRIMARY KEY CHECK (one = 1),
  epoch   BIGINT NOT NULL,
  holder  TEXT   NOT NULL,
  host    TEXT   NOT NULL,
  pid     BIGINT NOT NULL,
  since   TIMESTAMPTZ NOT NULL,
  beat    TIMESTAMPTZ NOT NULL,
  backend BIGINT NOT NULL, -- the server's process for it
  begun   TIMESTAMPTZ NOT NULL, -- when that process began
  ended   BOOLEAN NOT NULL -- it has given the ledger back
);

CREATE TABLE ledger (
  one   BIGINT PRIMARY KEY CHECK (one = 1),
  id    TEXT COLLATE "C" NOT NULL CHECK (id <> ''),
  epoch BIGINT NOT NULL DEFAULT 0
);

CREATE TRIGGER ledger_id_is_fixed BEFORE UPDATE OF one, id ON ledger
FOR EACH ROW EXECUTE FUNCTION refuse('the id of a ledger never changes');
CREATE FUNCTION ledger_epoch_rises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.epoch <> OLD.epoch + 1) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an epoch follows the one before it';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ledger_epoch_rises BEFORE UPDATE OF epoch ON ledger
FOR EACH ROW EXECUTE FUNCTION ledger_epoch_rises();
CREATE TRIGGER ledger_stays BEFORE DELETE ON ledger
FOR EACH ROW EXECUTE FUNCTION refuse('a ledger is never deleted');

CREATE TABLE event (
  seq   BIGINT PRIMARY KEY,
  epoch BIGINT NOT NULL,
  time  BIGINT NOT NULL,
  kind  TEXT COLLATE "C" NOT NULL,
  body  TEXT COLLATE "C" NOT NULL,
  prev  BYTEA NOT NULL CHECK (length(prev) = 32),
  hash  BYTEA NOT NULL CHECK (length(hash) = 32)
);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
FOR EACH ROW EXECUTE FUNCTION refuse('an event is never changed');
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
FOR EACH ROW EXECUTE FUNCTION refuse('an event is never deleted');
CREATE FUNCTION event_follows_the_newest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM event)
  OR NEW.prev <> coalesce((SELECT hash FROM event ORDER BY seq DESC LIMIT 1), decode(repeat('00', 32), 'hex'))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an event follows the newest event';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER event_follows_the_newest BEFORE INSERT ON event
FOR EACH ROW EXECUTE FUNCTION event_follows_the_newest();
CREATE FUNCTION event_of_the_newest_epoch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.epoch IS DISTINCT FROM (SELECT epoch FROM ledger)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an event is of the newest epoch';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER event_of_the_newest_epoch BEFORE INSERT ON event
FOR EACH ROW EXECUTE FUNCTION event_of_the_newest_epoch();
