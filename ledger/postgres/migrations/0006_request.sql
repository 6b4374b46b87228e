-- Payments that a person was asked to make with a wallet application, and the
-- transactions that made them.
CREATE TABLE request (
  id          BIGINT PRIMARY KEY,
  run         BIGINT NOT NULL,
  wallet      TEXT COLLATE "C" NOT NULL REFERENCES wallet (address),
  valid_until BIGINT NOT NULL CHECK (valid_until > 0),
  base_lt     BIGINT NOT NULL,
  base_hash   BYTEA NOT NULL CHECK (length(base_hash) = 32)
);

CREATE FUNCTION request_follows_the_newest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM request)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a request follows the newest request';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER request_follows_the_newest BEFORE INSERT ON request
FOR EACH ROW EXECUTE FUNCTION request_follows_the_newest();
CREATE TRIGGER request_is_never_changed BEFORE UPDATE ON request
FOR EACH ROW EXECUTE FUNCTION refuse('a request is never changed');
CREATE TRIGGER request_stays BEFORE DELETE ON request
FOR EACH ROW EXECUTE FUNCTION refuse('a request is never deleted');

-- Which orders a request asks for, in the order of its transfers. An order is
-- asked for once in its life: what was handed out can't be taken back.
CREATE TABLE request_order (
  request  BIGINT NOT NULL REFERENCES request (id),
  idx      BIGINT NOT NULL CHECK (idx BETWEEN 0 AND 254),
  order_id BIGINT NOT NULL CONSTRAINT order_is_requested_once UNIQUE REFERENCES orders (id),
  PRIMARY KEY (request, idx)
);

CREATE FUNCTION request_order_asks_for_a_quoted_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM orders o JOIN request r ON r.wallet = o.wallet JOIN invoice i ON i.order_id = o.id AND i.n = o.invoice
  WHERE o.id = NEW.order_id AND r.id = NEW.request AND o.phase = 'quoted' AND i.valid_until >= r.valid_until)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a request asks for quoted orders of its wallet, and not for longer than they are offered';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER request_order_asks_for_a_quoted_order BEFORE INSERT ON request_order
FOR EACH ROW EXECUTE FUNCTION request_order_asks_for_a_quoted_order();
CREATE TRIGGER request_order_is_never_changed BEFORE UPDATE ON request_order
FOR EACH ROW EXECUTE FUNCTION refuse('which orders a request asks for never changes');
CREATE TRIGGER request_order_is_never_deleted BEFORE DELETE ON request_order
FOR EACH ROW EXECUTE FUNCTION refuse('which orders a request asks for never changes');

CREATE TABLE outside (
  lt      BIGINT NOT NULL CHECK (lt > 0),
  hash    BYTEA NOT NULL CHECK (length(hash) = 32),
  wallet  TEXT COLLATE "C" NOT NULL REFERENCES wallet (address),
  time    BIGINT NOT NULL,
  fees    BIGINT NOT NULL,
  message BYTEA CHECK (length(message) > 0), -- NULL if another account's message caused it
  PRIMARY KEY (lt, hash)
);

CREATE FUNCTION outside_is_not_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (EXISTS (SELECT 1 FROM noted WHERE lt = NEW.lt AND hash = NEW.hash)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a transaction is explained in one way';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outside_is_not_noted BEFORE INSERT ON outside
FOR EACH ROW EXECUTE FUNCTION outside_is_not_noted();
CREATE TRIGGER outside_is_never_changed BEFORE UPDATE ON outside
FOR EACH ROW EXECUTE FUNCTION refuse('a transaction is never changed');
CREATE TRIGGER outside_is_never_deleted BEFORE DELETE ON outside
FOR EACH ROW EXECUTE FUNCTION refuse('a transaction is never deleted');

-- Which orders it paid.
CREATE TABLE outside_order (
  lt       BIGINT NOT NULL,
  hash     BYTEA NOT NULL,
  idx      BIGINT NOT NULL CHECK (idx >= 0),
  order_id BIGINT NOT NULL CONSTRAINT order_is_paid_once UNIQUE REFERENCES orders (id),
  PRIMARY KEY (lt, hash, idx),
  FOREIGN KEY (lt, hash) REFERENCES outside (lt, hash)
);

CREATE FUNCTION outside_order_was_offered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND phase = 'offered')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'what is paid outside was offered';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outside_order_was_offered BEFORE INSERT ON outside_order
FOR EACH ROW EXECUTE FUNCTION outside_order_was_offered();
CREATE TRIGGER outside_order_is_never_changed BEFORE UPDATE ON outside_order
FOR EACH ROW EXECUTE FUNCTION refuse('what a transaction paid never changes');
CREATE TRIGGER outside_order_is_never_deleted BEFORE DELETE ON outside_order
FOR EACH ROW EXECUTE FUNCTION refuse('what a transaction paid never changes');

CREATE TRIGGER order_keeps_its_scopes BEFORE UPDATE OF scopes ON orders
FOR EACH ROW EXECUTE FUNCTION refuse('what an order counts for never changes');
