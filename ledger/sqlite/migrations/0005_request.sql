-- Payments that a person was asked to make with a wallet application, and the
-- transactions that made them.
CREATE TABLE request (
  id          INTEGER PRIMARY KEY,
  run         INTEGER NOT NULL,
  wallet      TEXT    NOT NULL REFERENCES wallet (address),
  valid_until INTEGER NOT NULL CHECK (valid_until > 0),
  base_lt     INTEGER NOT NULL,
  base_hash   BLOB    NOT NULL CHECK (length(base_hash) = 32)
) STRICT;

CREATE TRIGGER request_follows_the_newest BEFORE INSERT ON request
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM request)
BEGIN SELECT RAISE(ABORT, 'a request follows the newest request'); END;
CREATE TRIGGER request_is_never_changed BEFORE UPDATE ON request
BEGIN SELECT RAISE(ABORT, 'a request is never changed'); END;
CREATE TRIGGER request_stays BEFORE DELETE ON request
BEGIN SELECT RAISE(ABORT, 'a request is never deleted'); END;

-- Which orders a request asks for, in the order of its transfers. An order is
-- asked for once in its life: what was handed out can't be taken back.
CREATE TABLE request_order (
  request  INTEGER NOT NULL REFERENCES request (id),
  idx      INTEGER NOT NULL CHECK (idx BETWEEN 0 AND 254),
  order_id INTEGER NOT NULL CONSTRAINT order_is_requested_once UNIQUE REFERENCES orders (id),
  PRIMARY KEY (request, idx)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER request_order_asks_for_a_quoted_order BEFORE INSERT ON request_order
WHEN NOT EXISTS (SELECT 1 FROM orders o JOIN request r ON r.wallet = o.wallet JOIN invoice i ON i.order_id = o.id AND i.n = o.invoice
  WHERE o.id = NEW.order_id AND r.id = NEW.request AND o.phase = 'quoted' AND o.cap_asset = 'TON' AND i.valid_until >= r.valid_until)
BEGIN SELECT RAISE(ABORT, 'a request asks for quoted orders of its wallet, in TON, and not for longer than they are offered'); END;
CREATE TRIGGER request_order_is_never_changed BEFORE UPDATE ON request_order
BEGIN SELECT RAISE(ABORT, 'which orders a request asks for never changes'); END;
CREATE TRIGGER request_order_is_never_deleted BEFORE DELETE ON request_order
BEGIN SELECT RAISE(ABORT, 'which orders a request asks for never changes'); END;

CREATE TABLE outside (
  lt      INTEGER NOT NULL CHECK (lt > 0),
  hash    BLOB    NOT NULL CHECK (length(hash) = 32),
  wallet  TEXT    NOT NULL REFERENCES wallet (address),
  time    INTEGER NOT NULL,
  fees    INTEGER NOT NULL,
  message BLOB             CHECK (length(message) > 0), -- NULL if another account's message caused it
  PRIMARY KEY (lt, hash)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER outside_is_not_noted BEFORE INSERT ON outside
WHEN EXISTS (SELECT 1 FROM noted WHERE lt = NEW.lt AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'a transaction is explained in one way'); END;
CREATE TRIGGER outside_is_never_changed BEFORE UPDATE ON outside
BEGIN SELECT RAISE(ABORT, 'a transaction is never changed'); END;
CREATE TRIGGER outside_is_never_deleted BEFORE DELETE ON outside
BEGIN SELECT RAISE(ABORT, 'a transaction is never deleted'); END;

-- Which orders it paid.
CREATE TABLE outside_order (
  lt       INTEGER NOT NULL,
  hash     BLOB    NOT NULL,
  idx      INTEGER NOT NULL CHECK (idx >= 0),
  order_id INTEGER NOT NULL CONSTRAINT order_is_paid_once UNIQUE REFERENCES orders (id),
  PRIMARY KEY (lt, hash, idx),
  FOREIGN KEY (lt, hash) REFERENCES outside (lt, hash)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER outside_order_was_offered BEFORE INSERT ON outside_order
WHEN NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND phase = 'offered')
BEGIN SELECT RAISE(ABORT, 'what is paid outside was offered'); END;
CREATE TRIGGER outside_order_is_never_changed BEFORE UPDATE ON outside_order
BEGIN SELECT RAISE(ABORT, 'what a transaction paid never changes'); END;
CREATE TRIGGER outside_order_is_never_deleted BEFORE DELETE ON outside_order
BEGIN SELECT RAISE(ABORT, 'what a transaction paid never changes'); END;
