-- Transactions that no payment caused: a wallet's own, explained by a person,
-- or one that brought money back. The reason is the newest.
CREATE TABLE noted (
  lt     BIGINT NOT NULL CHECK (lt > 0),
  hash   BYTEA NOT NULL CHECK (length(hash) = 32),
  wallet TEXT COLLATE "C" REFERENCES wallet (address), -- NULL of a bounce
  reason TEXT COLLATE "C" NOT NULL CONSTRAINT noted_for_a_reason CHECK (reason <> ''),
  PRIMARY KEY (lt, hash)
);

-- Orders that were held because their money came back, maybe several for one
-- transaction.
CREATE TABLE bounce (
  id       BIGINT PRIMARY KEY,
  order_id BIGINT NOT NULL REFERENCES orders (id),
  lt       BIGINT NOT NULL,
  hash     BYTEA NOT NULL,
  reason   TEXT COLLATE "C" NOT NULL CHECK (reason <> ''),
  FOREIGN KEY (lt, hash) REFERENCES noted (lt, hash)
);

CREATE INDEX bounce_of_order ON bounce (order_id);
CREATE INDEX bounce_of_transaction ON bounce (lt, hash);

CREATE FUNCTION noted_only_by_a_bounce_anew() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.lt <> OLD.lt OR NEW.hash <> OLD.hash OR NEW.wallet IS DISTINCT FROM OLD.wallet
  OR NEW.reason IS DISTINCT FROM (SELECT reason FROM bounce WHERE lt = OLD.lt AND hash = OLD.hash ORDER BY id DESC LIMIT 1)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'what is noted never changes';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER noted_only_by_a_bounce_anew BEFORE UPDATE ON noted
FOR EACH ROW EXECUTE FUNCTION noted_only_by_a_bounce_anew();
CREATE TRIGGER noted_is_never_deleted BEFORE DELETE ON noted
FOR EACH ROW EXECUTE FUNCTION refuse('what is noted never changes');
CREATE FUNCTION bounce_follows_the_newest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM bounce)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a bounce follows the newest bounce';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER bounce_follows_the_newest BEFORE INSERT ON bounce
FOR EACH ROW EXECUTE FUNCTION bounce_follows_the_newest();
CREATE FUNCTION bounce_is_of_a_paid_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND (phase IN ('paid', 'acknowledged', 'delivered')
    OR phase = 'held' AND NOT EXISTS (SELECT 1 FROM (SELECT lt, hash FROM bounce WHERE order_id = NEW.order_id ORDER BY id DESC LIMIT 1) b WHERE b.lt = NEW.lt AND b.hash = NEW.hash)))
  OR NOT EXISTS (SELECT 1 FROM noted WHERE lt = NEW.lt AND hash = NEW.hash)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a bounce is noted, and of an order that was paid';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER bounce_is_of_a_paid_order BEFORE INSERT ON bounce
FOR EACH ROW EXECUTE FUNCTION bounce_is_of_a_paid_order();
CREATE TRIGGER bounce_is_never_changed BEFORE UPDATE ON bounce
FOR EACH ROW EXECUTE FUNCTION refuse('a bounce is never changed');
CREATE TRIGGER bounce_is_never_deleted BEFORE DELETE ON bounce
FOR EACH ROW EXECUTE FUNCTION refuse('a bounce is never deleted');

-- The transfers to Fragment of such a transaction. order_id is the order that
-- a person made of it; with a reason and without an order it is set aside.
CREATE TABLE found (
  id       BIGINT PRIMARY KEY,
  wallet   TEXT COLLATE "C" NOT NULL REFERENCES wallet (address),
  lt       BIGINT NOT NULL,
  hash     BYTEA NOT NULL,
  time     BIGINT NOT NULL,
  kind     TEXT COLLATE "C" NOT NULL,
  quantity BIGINT NOT NULL CONSTRAINT found_is_something CHECK (quantity >= 1),
  asset    TEXT COLLATE "C" NOT NULL,
  amount   BIGINT NOT NULL,
  ref      TEXT COLLATE "C" NOT NULL CONSTRAINT found_ref_is_used_once UNIQUE CONSTRAINT found_has_a_ref CHECK (ref <> ''),
  order_id BIGINT UNIQUE REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED,
  reason   TEXT COLLATE "C" NOT NULL DEFAULT '',
  CONSTRAINT found_of_a_noted_transaction FOREIGN KEY (lt, hash) REFERENCES noted (lt, hash)
);

CREATE FUNCTION found_begins_open() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM found) OR NEW.reason <> '' OR NEW.order_id IS NOT NULL) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a found transfer begins open, after the newest';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER found_begins_open BEFORE INSERT ON found
FOR EACH ROW EXECUTE FUNCTION found_begins_open();
CREATE FUNCTION found_has_a_noted_transaction() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM noted WHERE lt = NEW.lt AND hash = NEW.hash)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a transfer is found in a transaction that is noted';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER found_has_a_noted_transaction BEFORE INSERT ON found
FOR EACH ROW EXECUTE FUNCTION found_has_a_noted_transaction();
-- The ref of an offer that this ledger gave up unpaid may turn out to be paid.
CREATE FUNCTION found_has_a_new_ref() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (EXISTS (SELECT 1 FROM invoice i JOIN orders o ON o.id = i.order_id WHERE i.ref = NEW.ref AND (o.phase <> 'released' OR o.settled_lt IS NOT NULL))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a ref is used once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER found_has_a_new_ref BEFORE INSERT ON found
FOR EACH ROW EXECUTE FUNCTION found_has_a_new_ref();
CREATE FUNCTION found_is_said_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.reason <> '' OR NEW.reason = '') THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'whom a found transfer was for is said once, for a reason';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER found_is_said_once BEFORE UPDATE ON found
FOR EACH ROW EXECUTE FUNCTION found_is_said_once();
CREATE FUNCTION found_becomes_the_next_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.order_id <> (SELECT coalesce(max(id), 0) + 1 FROM orders)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a found transfer becomes the next order';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER found_becomes_the_next_order BEFORE UPDATE OF order_id ON found
FOR EACH ROW EXECUTE FUNCTION found_becomes_the_next_order();
CREATE TRIGGER found_is_fixed BEFORE UPDATE OF id, wallet, lt, hash, time, kind, quantity, asset, amount, ref ON found
FOR EACH ROW EXECUTE FUNCTION refuse('what was found never changes');
CREATE TRIGGER found_stays BEFORE DELETE ON found
FOR EACH ROW EXECUTE FUNCTION refuse('a found transfer is never deleted');

-- Lines of Fragment's list of purchases that are evidence, each of one order.
CREATE TABLE listed (
  order_id BIGINT PRIMARY KEY REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED,
  handle   TEXT COLLATE "C" NOT NULL,
  kind     TEXT COLLATE "C" NOT NULL,
  quantity BIGINT NOT NULL,
  asset    TEXT COLLATE "C" NOT NULL, -- '' where the list gives no price
  price    BIGINT NOT NULL,
  time     BIGINT NOT NULL,
  CONSTRAINT row_is_used_once UNIQUE (handle, kind, quantity, asset, price, time)
);

CREATE FUNCTION listed_is_of_its_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM orders o JOIN invoice i ON i.order_id = o.id AND i.n = o.invoice
    WHERE o.id = NEW.order_id AND o.kind = NEW.kind AND o.quantity = NEW.quantity
      AND CASE WHEN o.handle = NEW.handle THEN o.phase IN ('paid', 'acknowledged') ELSE o.phase = 'acknowledged' OR o.phase = 'delivered' AND o.evidence = 'page' END
      AND i.quoted <= NEW.time AND (NEW.asset, NEW.price) IN (VALUES ('', 0), (i.price_asset, i.price)))
 AND NOT EXISTS (SELECT 1 FROM found f
    WHERE f.order_id = NEW.order_id AND NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id)
      AND f.kind = NEW.kind AND f.quantity = NEW.quantity AND (NEW.asset, NEW.price) IN (VALUES ('', 0), (f.asset, f.amount)))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a row is of the order that it names';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER listed_is_of_its_order BEFORE INSERT ON listed
FOR EACH ROW EXECUTE FUNCTION listed_is_of_its_order();
CREATE TRIGGER listed_is_never_changed BEFORE UPDATE ON listed
FOR EACH ROW EXECUTE FUNCTION refuse('evidence is never changed');
CREATE TRIGGER listed_is_never_deleted BEFORE DELETE ON listed
FOR EACH ROW EXECUTE FUNCTION refuse('evidence is never deleted');

-- The generations of a key after its first.
CREATE TABLE reissue (
  key        TEXT COLLATE "C" NOT NULL,
  generation BIGINT NOT NULL CHECK (generation >= 2),
  reason     TEXT COLLATE "C" NOT NULL CONSTRAINT reissued_for_a_reason CHECK (reason <> ''),
  PRIMARY KEY (key, generation)
);

CREATE FUNCTION reissue_follows_the_newest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.generation <> (SELECT coalesce(max(generation), 1) + 1 FROM reissue WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)))
  OR EXISTS (SELECT 1 FROM name WHERE key = NEW.key AND now <> NEW.key)
  OR NOT EXISTS (SELECT 1 FROM orders WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)))
    AND NOT EXISTS (SELECT 1 FROM settled WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a generation follows the newest of a key that was given';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reissue_follows_the_newest BEFORE INSERT ON reissue
FOR EACH ROW EXECUTE FUNCTION reissue_follows_the_newest();
CREATE FUNCTION reissue_waits_for_live_orders() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (EXISTS (SELECT 1 FROM orders o LEFT JOIN transit t ON t.order_id = o.id
  WHERE o.key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key))
    AND (o.phase IN ('reserved', 'quoted', 'offered', 'armed') OR o.phase = 'paid' AND t.order_id IS NOT NULL AND t.received_lt IS NULL))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an order of this key may still be paid';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reissue_waits_for_live_orders BEFORE INSERT ON reissue
FOR EACH ROW EXECUTE FUNCTION reissue_waits_for_live_orders();
CREATE TRIGGER reissue_is_never_changed BEFORE UPDATE ON reissue
FOR EACH ROW EXECUTE FUNCTION refuse('a reissue is never changed');
CREATE TRIGGER reissue_is_never_deleted BEFORE DELETE ON reissue
FOR EACH ROW EXECUTE FUNCTION refuse('a reissue is never deleted');

-- The handles under which each person was bought for.
CREATE VIEW person AS
  SELECT person, handle, min(id) AS first_order, max(id) AS last_order FROM orders
  WHERE settled_lt IS NOT NULL GROUP BY person, handle;
