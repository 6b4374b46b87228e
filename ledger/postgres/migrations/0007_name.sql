-- Keys that were moved to another name, and what was given to keys otherwise.

-- Every move, in its order.
CREATE TABLE moved (
  id       BIGINT PRIMARY KEY,
  from_key TEXT COLLATE "C" NOT NULL CHECK (from_key <> ''),
  to_key   TEXT COLLATE "C" NOT NULL CHECK (to_key <> ''),
  CONSTRAINT moved_somewhere_else CHECK (from_key <> to_key)
);

-- What every name that a key ever had stands for now. A name that is not here
-- was never moved and stands for itself, as one does that was moved back.
CREATE TABLE name (
  key TEXT COLLATE "C" PRIMARY KEY,
  now TEXT COLLATE "C" NOT NULL
);

CREATE INDEX name_of ON name (now);

-- What a person says was given to a key without a payment of this ledger.
CREATE TABLE settled (
  id         BIGINT PRIMARY KEY,
  key        TEXT COLLATE "C" NOT NULL CHECK (key <> ''),
  generation BIGINT NOT NULL CHECK (generation >= 1),
  prior      BIGINT NOT NULL,
  person     TEXT COLLATE "C" NOT NULL,
  handle     TEXT COLLATE "C" NOT NULL,
  kind       TEXT COLLATE "C" NOT NULL,
  quantity   BIGINT NOT NULL CHECK (quantity >= 0),
  reason     TEXT COLLATE "C" NOT NULL CONSTRAINT settled_for_a_reason CHECK (reason <> '')
);

CREATE INDEX settled_of_key ON settled (key, generation);

-- Below, the names of a key are: those that stand for it now, and itself if it
-- was never moved.

CREATE FUNCTION moved_follows_the_newest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM moved)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a move follows the newest move';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER moved_follows_the_newest BEFORE INSERT ON moved
FOR EACH ROW EXECUTE FUNCTION moved_follows_the_newest();
CREATE FUNCTION moved_has_a_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM orders WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.from_key UNION ALL SELECT NEW.from_key WHERE NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.from_key))))
 AND NOT EXISTS (SELECT 1 FROM settled WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.from_key UNION ALL SELECT NEW.from_key WHERE NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.from_key))))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a key that is moved has a history';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER moved_has_a_history BEFORE INSERT ON moved
FOR EACH ROW EXECUTE FUNCTION moved_has_a_history();
CREATE FUNCTION moved_to_a_key_without_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (EXISTS (SELECT 1 FROM name WHERE key = NEW.to_key AND now NOT IN (NEW.from_key, NEW.to_key))
  OR EXISTS (SELECT 1 FROM orders WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.to_key UNION ALL SELECT NEW.to_key WHERE NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.to_key))))
  OR EXISTS (SELECT 1 FROM settled WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.to_key UNION ALL SELECT NEW.to_key WHERE NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.to_key))))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a key is moved to a name without a history';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER moved_to_a_key_without_history BEFORE INSERT ON moved
FOR EACH ROW EXECUTE FUNCTION moved_to_a_key_without_history();
CREATE TRIGGER moved_is_never_changed BEFORE UPDATE ON moved
FOR EACH ROW EXECUTE FUNCTION refuse('a move is never changed');
CREATE TRIGGER moved_is_never_deleted BEFORE DELETE ON moved
FOR EACH ROW EXECUTE FUNCTION refuse('a move is never deleted');

CREATE FUNCTION name_comes_with_a_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM moved WHERE id = (SELECT max(id) FROM moved) AND from_key = NEW.key AND to_key = NEW.now)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a name changes with a move';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER name_comes_with_a_move BEFORE INSERT ON name
FOR EACH ROW EXECUTE FUNCTION name_comes_with_a_move();
CREATE FUNCTION name_changes_with_a_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.key <> OLD.key
  OR NOT EXISTS (SELECT 1 FROM moved WHERE id = (SELECT max(id) FROM moved) AND from_key = OLD.now AND to_key = NEW.now)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a name changes with a move';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER name_changes_with_a_move BEFORE UPDATE ON name
FOR EACH ROW EXECUTE FUNCTION name_changes_with_a_move();
CREATE TRIGGER name_is_never_deleted BEFORE DELETE ON name
FOR EACH ROW EXECUTE FUNCTION refuse('a name is never deleted');

CREATE FUNCTION settled_follows_the_newest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM settled)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a statement follows the newest statement';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER settled_follows_the_newest BEFORE INSERT ON settled
FOR EACH ROW EXECUTE FUNCTION settled_follows_the_newest();
CREATE FUNCTION settled_knows_what_was_given() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.key = '' OR NEW.reason = '' OR NEW.quantity < 0) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a statement says what was given, and why';
  END IF;
  IF (EXISTS (SELECT 1 FROM name WHERE key = NEW.key AND now <> NEW.key)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'this name of a key is used up';
  END IF;
  IF (EXISTS (SELECT 1 FROM orders o LEFT JOIN transit t ON t.order_id = o.id
      WHERE o.key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key))
        AND (o.phase IN ('reserved', 'quoted', 'offered', 'armed', 'held') OR o.phase = 'paid' AND t.order_id IS NOT NULL AND t.received_lt IS NULL))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an order of this key may still be paid, or waits for a person';
  END IF;
  IF (NEW.generation <> coalesce((SELECT max(generation) FROM reissue WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key))), 1)
      OR NEW.prior <> (SELECT coalesce(sum(quantity), 0) FROM orders
          WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)) AND generation = NEW.generation AND phase <> 'released')
        + (SELECT coalesce(sum(quantity), 0) FROM settled
          WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)) AND generation = NEW.generation)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'prior sum';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER settled_knows_what_was_given BEFORE INSERT ON settled
FOR EACH ROW EXECUTE FUNCTION settled_knows_what_was_given();
CREATE TRIGGER settled_is_never_changed BEFORE UPDATE ON settled
FOR EACH ROW EXECUTE FUNCTION refuse('a statement is never changed');
CREATE TRIGGER settled_is_never_deleted BEFORE DELETE ON settled
FOR EACH ROW EXECUTE FUNCTION refuse('a statement is never deleted');

CREATE FUNCTION order_under_the_newest_name() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (EXISTS (SELECT 1 FROM name WHERE key = NEW.key AND now <> NEW.key)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'this name of a key is used up';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_under_the_newest_name BEFORE INSERT ON orders
FOR EACH ROW EXECUTE FUNCTION order_under_the_newest_name();

-- References to tables that stand further down.
ALTER TABLE invoice ADD CONSTRAINT invoice_of_an_order FOREIGN KEY (order_id) REFERENCES orders (id);
ALTER TABLE orders ADD CONSTRAINT order_of_a_request FOREIGN KEY (request) REFERENCES request (id);
ALTER TABLE orders ADD CONSTRAINT order_of_a_found_transfer FOREIGN KEY (found) REFERENCES found (id);

-- TRUNCATE asks no trigger of a row.
DO $$ DECLARE name text; BEGIN
  FOREACH name IN ARRAY ARRAY[
    'about', 'ledger', 'event', 'wallet', 'run', 'invoice', 'payment', 'burn', 'orders',
    'payment_order', 'noted', 'bounce', 'found', 'listed', 'reissue', 'rule', 'transit', 'pin',
    'request', 'request_order', 'outside', 'outside_order', 'moved', 'name', 'settled'
  ] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse(%L)',
      name || '_is_never_emptied', name, 'a ledger is never emptied');
  END LOOP;
END $$;
