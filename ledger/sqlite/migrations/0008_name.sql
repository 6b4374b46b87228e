-- Keys that were moved to another name, and what was given to keys otherwise.

-- Every move, in its order.
CREATE TABLE moved (
  id       INTEGER PRIMARY KEY,
  from_key TEXT    NOT NULL CHECK (from_key <> ''),
  to_key   TEXT    NOT NULL CHECK (to_key <> ''),
  CONSTRAINT moved_somewhere_else CHECK (from_key <> to_key)
) STRICT;

-- What every name that a key ever had stands for now. A name that is not here
-- was never moved and stands for itself, as one does that was moved back.
CREATE TABLE name (
  key TEXT PRIMARY KEY,
  now TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX name_of ON name (now);

-- What a person says was given to a key without a payment of this ledger.
CREATE TABLE settled (
  id         INTEGER PRIMARY KEY,
  key        TEXT    NOT NULL CHECK (key <> ''),
  generation INTEGER NOT NULL CHECK (generation >= 1),
  prior      INTEGER NOT NULL,
  person     TEXT    NOT NULL,
  handle     TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  quantity   INTEGER NOT NULL CHECK (quantity >= 0),
  reason     TEXT    NOT NULL CONSTRAINT settled_for_a_reason CHECK (reason <> '')
) STRICT;

CREATE INDEX settled_of_key ON settled (key, generation);

-- Below, the names of a key are: those that stand for it now, and itself if it
-- was never moved.

CREATE TRIGGER moved_follows_the_newest BEFORE INSERT ON moved
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM moved)
BEGIN SELECT RAISE(ABORT, 'a move follows the newest move'); END;
CREATE TRIGGER moved_has_a_history BEFORE INSERT ON moved
WHEN NOT EXISTS (SELECT 1 FROM orders WHERE key IN (SELECT key FROM name WHERE now = NEW.from_key UNION ALL SELECT NEW.from_key WHERE NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.from_key)))
 AND NOT EXISTS (SELECT 1 FROM settled WHERE key IN (SELECT key FROM name WHERE now = NEW.from_key UNION ALL SELECT NEW.from_key WHERE NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.from_key)))
BEGIN SELECT RAISE(ABORT, 'a key that is moved has a history'); END;
CREATE TRIGGER moved_to_a_key_without_history BEFORE INSERT ON moved
WHEN EXISTS (SELECT 1 FROM name WHERE key = NEW.to_key AND now NOT IN (NEW.from_key, NEW.to_key))
  OR EXISTS (SELECT 1 FROM orders WHERE key IN (SELECT key FROM name WHERE now = NEW.to_key UNION ALL SELECT NEW.to_key WHERE NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.to_key)))
  OR EXISTS (SELECT 1 FROM settled WHERE key IN (SELECT key FROM name WHERE now = NEW.to_key UNION ALL SELECT NEW.to_key WHERE NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.to_key)))
BEGIN SELECT RAISE(ABORT, 'a key is moved to a name without a history'); END;
CREATE TRIGGER moved_is_never_changed BEFORE UPDATE ON moved
BEGIN SELECT RAISE(ABORT, 'a move is never changed'); END;
CREATE TRIGGER moved_is_never_deleted BEFORE DELETE ON moved
BEGIN SELECT RAISE(ABORT, 'a move is never deleted'); END;

CREATE TRIGGER name_comes_with_a_move BEFORE INSERT ON name
WHEN NOT EXISTS (SELECT 1 FROM moved WHERE id = (SELECT max(id) FROM moved) AND from_key = NEW.key AND to_key = NEW.now)
BEGIN SELECT RAISE(ABORT, 'a name changes with a move'); END;
CREATE TRIGGER name_changes_with_a_move BEFORE UPDATE ON name
WHEN NEW.key <> OLD.key
  OR NOT EXISTS (SELECT 1 FROM moved WHERE id = (SELECT max(id) FROM moved) AND from_key = OLD.now AND to_key = NEW.now)
BEGIN SELECT RAISE(ABORT, 'a name changes with a move'); END;
CREATE TRIGGER name_is_never_deleted BEFORE DELETE ON name
BEGIN SELECT RAISE(ABORT, 'a name is never deleted'); END;

CREATE TRIGGER settled_follows_the_newest BEFORE INSERT ON settled
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM settled)
BEGIN SELECT RAISE(ABORT, 'a statement follows the newest statement'); END;
CREATE TRIGGER settled_knows_what_was_given BEFORE INSERT ON settled
BEGIN
  SELECT RAISE(ABORT, 'a statement says what was given, and why') WHERE NEW.key = '' OR NEW.reason = '' OR NEW.quantity < 0;
  SELECT RAISE(ABORT, 'this name of a key is used up') WHERE EXISTS (SELECT 1 FROM name WHERE key = NEW.key AND now <> NEW.key);
  SELECT RAISE(ABORT, 'an order of this key may still be paid, or waits for a person')
    WHERE EXISTS (SELECT 1 FROM orders o LEFT JOIN transit t ON t.order_id = o.id
      WHERE o.key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)
        AND (o.phase IN ('reserved', 'quoted', 'offered', 'armed', 'held') OR o.phase = 'paid' AND t.order_id IS NOT NULL AND t.received_lt IS NULL));
  SELECT RAISE(ABORT, 'prior sum')
    WHERE NEW.generation <> coalesce((SELECT max(generation) FROM reissue WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)), 1)
      OR NEW.prior <> (SELECT coalesce(sum(quantity), 0) FROM orders
          WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key) AND generation = NEW.generation AND phase <> 'released')
        + (SELECT coalesce(sum(quantity), 0) FROM settled
          WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key) AND generation = NEW.generation);
END;
CREATE TRIGGER settled_is_never_changed BEFORE UPDATE ON settled
BEGIN SELECT RAISE(ABORT, 'a statement is never changed'); END;
CREATE TRIGGER settled_is_never_deleted BEFORE DELETE ON settled
BEGIN SELECT RAISE(ABORT, 'a statement is never deleted'); END;

CREATE TRIGGER order_under_the_newest_name BEFORE INSERT ON orders
WHEN EXISTS (SELECT 1 FROM name WHERE key = NEW.key AND now <> NEW.key)
BEGIN SELECT RAISE(ABORT, 'this name of a key is used up'); END;

-- As before, over all names of the key and with what was given otherwise.
DROP TRIGGER order_knows_the_prior;
CREATE TRIGGER order_knows_the_prior BEFORE INSERT ON orders
WHEN NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.key AND now <> NEW.key)
 AND (NEW.generation <> coalesce((SELECT max(generation) FROM reissue WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)), 1)
  OR NEW.prior <> (SELECT coalesce(sum(quantity), 0) FROM orders
      WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key) AND generation = NEW.generation AND phase <> 'released')
    + (SELECT coalesce(sum(quantity), 0) FROM settled
      WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key) AND generation = NEW.generation)
  OR NEW.part <> (SELECT coalesce(max(part), 0) + 1 FROM orders
      WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key) AND generation = NEW.generation AND phase <> 'released'))
BEGIN SELECT RAISE(ABORT, 'prior sum'); END;

DROP TRIGGER reissue_follows_the_newest;
CREATE TRIGGER reissue_follows_the_newest BEFORE INSERT ON reissue
WHEN NEW.generation <> (SELECT coalesce(max(generation), 1) + 1 FROM reissue WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key))
  OR EXISTS (SELECT 1 FROM name WHERE key = NEW.key AND now <> NEW.key)
  OR NOT EXISTS (SELECT 1 FROM orders WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key))
    AND NOT EXISTS (SELECT 1 FROM settled WHERE key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key))
BEGIN SELECT RAISE(ABORT, 'a generation follows the newest of a key that was given'); END;
DROP TRIGGER reissue_waits_for_live_orders;
CREATE TRIGGER reissue_waits_for_live_orders BEFORE INSERT ON reissue
WHEN EXISTS (SELECT 1 FROM orders o LEFT JOIN transit t ON t.order_id = o.id
  WHERE o.key IN (SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)
    AND (o.phase IN ('reserved', 'quoted', 'offered', 'armed') OR o.phase = 'paid' AND t.order_id IS NOT NULL AND t.received_lt IS NULL))
BEGIN SELECT RAISE(ABORT, 'an order of this key may still be paid'); END;
