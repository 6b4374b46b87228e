-- The log, and the tables that its events add up to. Every promise of package
-- ledger stands here again, so that a fault in the program can't break it.

CREATE TABLE ledger (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  id    TEXT    NOT NULL CHECK (id <> ''),
  epoch INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TRIGGER ledger_id_is_fixed BEFORE UPDATE OF one, id ON ledger
BEGIN SELECT RAISE(ABORT, 'the id of a ledger never changes'); END;
CREATE TRIGGER ledger_epoch_rises BEFORE UPDATE OF epoch ON ledger WHEN NEW.epoch <> OLD.epoch + 1
BEGIN SELECT RAISE(ABORT, 'an epoch follows the one before it'); END;
CREATE TRIGGER ledger_stays BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'a ledger is never deleted'); END;

CREATE TABLE event (
  seq   INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  time  INTEGER NOT NULL,
  kind  TEXT    NOT NULL,
  body  TEXT    NOT NULL,
  prev  BLOB    NOT NULL CHECK (length(prev) = 32),
  hash  BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END;
CREATE TRIGGER event_follows_the_newest BEFORE INSERT ON event
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM event)
  OR NEW.prev <> coalesce((SELECT hash FROM event ORDER BY seq DESC LIMIT 1), zeroblob(32))
BEGIN SELECT RAISE(ABORT, 'an event follows the newest event'); END;
CREATE TRIGGER event_of_the_newest_epoch BEFORE INSERT ON event
WHEN NEW.epoch IS NOT (SELECT epoch FROM ledger)
BEGIN SELECT RAISE(ABORT, 'an event is of the newest epoch'); END;

CREATE TABLE wallet (
  address     TEXT    PRIMARY KEY,
  version     TEXT    NOT NULL,
  anchor_lt   INTEGER NOT NULL CHECK (anchor_lt >= 0),
  anchor_hash BLOB    NOT NULL CHECK (length(anchor_hash) = 32),
  block       INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  ramp        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TRIGGER wallet_anchor_is_fixed BEFORE UPDATE OF address, version, anchor_lt, anchor_hash, block, reason ON wallet
BEGIN SELECT RAISE(ABORT, 'the anchor of a wallet never changes'); END;
CREATE TRIGGER wallet_stays BEFORE DELETE ON wallet
BEGIN SELECT RAISE(ABORT, 'a wallet is never deleted'); END;

CREATE TABLE run (
  id      INTEGER PRIMARY KEY,
  digest  BLOB    NOT NULL CHECK (length(digest) = 32),
  host    TEXT    NOT NULL,
  outcome TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE TRIGGER run_follows_the_newest BEFORE INSERT ON run
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM run)
BEGIN SELECT RAISE(ABORT, 'a run follows the newest run'); END;
CREATE TRIGGER run_ends_once BEFORE UPDATE ON run
WHEN OLD.outcome <> '' OR NEW.id <> OLD.id OR NEW.digest <> OLD.digest OR NEW.host <> OLD.host
BEGIN SELECT RAISE(ABORT, 'a run ends once and never changes otherwise'); END;
CREATE TRIGGER run_stays BEFORE DELETE ON run
BEGIN SELECT RAISE(ABORT, 'a run is never deleted'); END;

-- Fragment's offers. A ref is used once in the life of the ledger.
CREATE TABLE invoice (
  order_id    INTEGER NOT NULL REFERENCES orders (id),
  n           INTEGER NOT NULL CHECK (n >= 1),
  request_id  TEXT    NOT NULL,
  ref         TEXT    NOT NULL CONSTRAINT ref_is_used_once UNIQUE,
  recipient   TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  destination TEXT    NOT NULL,
  bounce      INTEGER NOT NULL CHECK (bounce IN (0, 1)),
  amount      INTEGER NOT NULL,
  body        BLOB,
  price_asset TEXT    NOT NULL,
  price       INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  confirm     TEXT    NOT NULL,
  params      TEXT    NOT NULL,
  PRIMARY KEY (order_id, n)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER invoice_is_never_changed BEFORE UPDATE ON invoice
BEGIN SELECT RAISE(ABORT, 'an invoice is never changed'); END;
CREATE TRIGGER invoice_is_never_deleted BEFORE DELETE ON invoice
BEGIN SELECT RAISE(ABORT, 'an invoice is never deleted'); END;

CREATE TABLE payment (
  id           INTEGER PRIMARY KEY,
  run          INTEGER NOT NULL,
  wallet       TEXT    NOT NULL,
  version      TEXT    NOT NULL,
  wallet_id    INTEGER NOT NULL,
  seqno        INTEGER NOT NULL CHECK (seqno >= 0),
  valid_until  INTEGER NOT NULL,
  hash         BLOB    NOT NULL CHECK (length(hash) = 32),
  payload      BLOB    NOT NULL CHECK (length(payload) > 0),
  deploys      INTEGER NOT NULL CHECK (deploys IN (0, 1)),
  base_lt      INTEGER NOT NULL,
  base_hash    BLOB    NOT NULL CHECK (length(base_hash) = 32),
  phase        TEXT    NOT NULL CHECK (phase IN ('armed', 'signed', 'executed', 'dead')),
  message      BLOB             CHECK (length(message) > 0),
  settled_lt   INTEGER          CHECK (settled_lt > 0),
  settled_hash BLOB             CHECK (length(settled_hash) = 32),
  time         INTEGER,
  fees         INTEGER,
  taken_lt     INTEGER,
  taken_hash   BLOB             CHECK (length(taken_hash) = 32),
  proof_seqno  INTEGER,
  proof_time   INTEGER,
  proof_block  INTEGER,
  CONSTRAINT armed_has_no_message    CHECK (phase <> 'armed' OR message IS NULL),
  CONSTRAINT signed_has_its_message  CHECK (phase <> 'signed' OR message IS NOT NULL),
  CONSTRAINT executed_has_its_message CHECK (phase <> 'executed' OR message IS NOT NULL),
  CONSTRAINT executed_is_in_the_chain
    CHECK ((phase = 'executed') = (settled_lt IS NOT NULL AND settled_hash IS NOT NULL AND time IS NOT NULL AND fees IS NOT NULL)),
  CONSTRAINT dead_has_its_certificate
    CHECK ((phase = 'dead') = (taken_lt IS NOT NULL AND taken_hash IS NOT NULL AND proof_seqno IS NOT NULL AND proof_time IS NOT NULL AND proof_block IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX one_open_payment_per_wallet ON payment (wallet) WHERE phase IN ('armed', 'signed');
CREATE UNIQUE INDEX one_executed_per_seqno ON payment (wallet, seqno) WHERE phase = 'executed';

CREATE TRIGGER payment_begins_armed BEFORE INSERT ON payment
WHEN NEW.phase <> 'armed' OR NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM payment)
  OR EXISTS (SELECT 1 FROM payment WHERE wallet = NEW.wallet AND seqno = NEW.seqno AND phase = 'executed')
BEGIN SELECT RAISE(ABORT, 'a payment begins armed, after the newest, for a seqno that is unspent'); END;
CREATE TRIGGER payment_takes_the_steps BEFORE UPDATE ON payment
WHEN (OLD.phase, NEW.phase) NOT IN (VALUES
  ('armed', 'signed'), ('armed', 'executed'), ('armed', 'dead'), ('signed', 'executed'), ('signed', 'dead'))
BEGIN SELECT RAISE(ABORT, 'this phase of a payment may not follow'); END;
CREATE TRIGGER payment_is_fixed BEFORE UPDATE OF id, run, wallet, version, wallet_id, seqno, valid_until, hash, payload, deploys, base_lt, base_hash ON payment
BEGIN SELECT RAISE(ABORT, 'what a payment pays never changes'); END;
CREATE TRIGGER payment_message_is_fixed BEFORE UPDATE OF message ON payment WHEN OLD.message IS NOT NULL AND NEW.message IS NOT OLD.message
BEGIN SELECT RAISE(ABORT, 'the signed bytes never change'); END;
CREATE TRIGGER payment_stays BEFORE DELETE ON payment
BEGIN SELECT RAISE(ABORT, 'a payment is never deleted'); END;

CREATE TABLE orders (
  id            INTEGER PRIMARY KEY,
  run           INTEGER NOT NULL,
  key           TEXT    NOT NULL,
  generation    INTEGER NOT NULL CHECK (generation >= 1),
  part          INTEGER NOT NULL,
  prior         INTEGER NOT NULL,
  person        TEXT    NOT NULL,
  handle        TEXT    NOT NULL,
  single        INTEGER NOT NULL CHECK (single IN (0, 1)),
  kind          TEXT    NOT NULL,
  quantity      INTEGER NOT NULL,
  wallet        TEXT    NOT NULL,
  cap_asset     TEXT    NOT NULL,
  cap           INTEGER NOT NULL,
  reserve_asset TEXT    NOT NULL,
  reserve       INTEGER NOT NULL,
  phase         TEXT    NOT NULL CHECK (phase IN ('reserved', 'quoted', 'armed', 'paid', 'acknowledged', 'delivered', 'held', 'released')),
  reason        TEXT    NOT NULL DEFAULT '',
  invoice       INTEGER, -- n of the current offer
  invoices      INTEGER NOT NULL DEFAULT 0,
  deaths        INTEGER NOT NULL DEFAULT 0,
  payment       INTEGER REFERENCES payment (id),
  idx           INTEGER,
  settled_lt    INTEGER CHECK (settled_lt > 0),
  settled_hash  BLOB    CHECK (length(settled_hash) = 32),
  time          INTEGER,
  evidence      TEXT    NOT NULL DEFAULT '',
  CONSTRAINT offered_has_its_invoice
    CHECK ((phase IN ('quoted', 'armed', 'paid', 'acknowledged', 'delivered', 'held')) = (invoice IS NOT NULL)),
  CONSTRAINT armed_has_its_payment
    CHECK (CASE WHEN phase IN ('reserved', 'quoted') THEN payment IS NULL WHEN phase = 'released' THEN 1 ELSE payment IS NOT NULL END),
  CONSTRAINT given_up_for_a_reason CHECK (phase NOT IN ('held', 'released') OR reason <> ''),
  CONSTRAINT payment_has_a_place CHECK ((payment IS NULL) = (idx IS NULL)),
  CONSTRAINT paid_is_in_the_chain
    CHECK ((phase IN ('paid', 'acknowledged', 'delivered', 'held')) = (settled_lt IS NOT NULL AND settled_hash IS NOT NULL AND time IS NOT NULL)),
  FOREIGN KEY (id, invoice) REFERENCES invoice (order_id, n)
) STRICT;

CREATE UNIQUE INDEX one_live_or_paid_order_per_part ON orders (key, generation, part) WHERE phase <> 'released';
CREATE INDEX orders_of_key ON orders (key, generation);
CREATE INDEX orders_of_payment ON orders (payment, phase) WHERE payment IS NOT NULL;

CREATE TRIGGER order_begins_reserved BEFORE INSERT ON orders
WHEN NEW.phase <> 'reserved' OR NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM orders)
BEGIN SELECT RAISE(ABORT, 'an order begins reserved, after the newest'); END;
CREATE TRIGGER order_knows_the_prior BEFORE INSERT ON orders
WHEN NEW.generation = coalesce((SELECT max(generation) FROM orders WHERE key = NEW.key), 1)
 AND NEW.prior <> (SELECT coalesce(sum(quantity), 0) FROM orders WHERE key = NEW.key AND generation = NEW.generation AND phase <> 'released')
BEGIN SELECT RAISE(ABORT, 'prior sum'); END;
CREATE TRIGGER order_takes_the_steps BEFORE UPDATE ON orders
WHEN (OLD.phase, NEW.phase) NOT IN (VALUES
  ('reserved', 'quoted'), ('reserved', 'released'),
  ('quoted', 'reserved'), ('quoted', 'released'), ('quoted', 'armed'),
  ('armed', 'reserved'), ('armed', 'released'), ('armed', 'paid'),
  ('paid', 'acknowledged'), ('paid', 'delivered'), ('paid', 'held'),
  ('acknowledged', 'delivered'), ('acknowledged', 'held'))
BEGIN SELECT RAISE(ABORT, 'this phase of an order may not follow'); END;
CREATE TRIGGER order_leaves_armed_by_proof BEFORE UPDATE OF phase ON orders
WHEN OLD.phase = 'armed'
 AND (SELECT phase FROM payment WHERE id = OLD.payment) IS NOT CASE NEW.phase WHEN 'reserved' THEN 'dead' ELSE 'executed' END
BEGIN SELECT RAISE(ABORT, 'an armed order waits for its payment to be executed or dead'); END;
CREATE TRIGGER order_is_paid_where_its_payment_is BEFORE UPDATE OF phase ON orders
WHEN NEW.phase = 'paid'
 AND NOT EXISTS (SELECT 1 FROM payment WHERE id = NEW.payment AND settled_lt = NEW.settled_lt AND settled_hash = NEW.settled_hash)
BEGIN SELECT RAISE(ABORT, 'an order is paid by the transaction of its payment'); END;
CREATE TRIGGER order_is_armed_in_its_payment BEFORE UPDATE OF phase ON orders
WHEN NEW.phase = 'armed'
 AND NOT EXISTS (SELECT 1 FROM payment_order WHERE payment = NEW.payment AND idx = NEW.idx AND order_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an order is armed in the payment that pays it'); END;
CREATE TRIGGER order_stays_paid_by_one_payment BEFORE UPDATE OF payment, idx, settled_lt, settled_hash, time ON orders
WHEN OLD.settled_lt IS NOT NULL
 AND (NEW.payment IS NOT OLD.payment OR NEW.idx IS NOT OLD.idx OR NEW.settled_lt IS NOT OLD.settled_lt
   OR NEW.settled_hash IS NOT OLD.settled_hash OR NEW.time IS NOT OLD.time)
BEGIN SELECT RAISE(ABORT, 'what paid an order never changes'); END;
CREATE TRIGGER order_is_fixed BEFORE UPDATE OF id, run, key, generation, part, prior, person, handle, single, kind, quantity, wallet, cap_asset, cap ON orders
BEGIN SELECT RAISE(ABORT, 'what an order buys never changes'); END;
CREATE TRIGGER order_stays BEFORE DELETE ON orders
BEGIN SELECT RAISE(ABORT, 'an order is never deleted'); END;

-- Which orders a payment pays, in the order of its transfers.
CREATE TABLE payment_order (
  payment  INTEGER NOT NULL REFERENCES payment (id),
  idx      INTEGER NOT NULL CHECK (idx BETWEEN 0 AND 254),
  order_id INTEGER NOT NULL REFERENCES orders (id),
  PRIMARY KEY (payment, idx),
  UNIQUE (payment, order_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER payment_order_pays_a_quoted_order BEFORE INSERT ON payment_order
WHEN NOT EXISTS (SELECT 1 FROM orders o JOIN payment p ON p.wallet = o.wallet
  WHERE o.id = NEW.order_id AND p.id = NEW.payment AND o.phase = 'quoted' AND p.phase = 'armed')
BEGIN SELECT RAISE(ABORT, 'a payment pays quoted orders of its wallet'); END;
CREATE TRIGGER payment_order_is_never_changed BEFORE UPDATE ON payment_order
BEGIN SELECT RAISE(ABORT, 'which orders a payment pays never changes'); END;
CREATE TRIGGER payment_order_is_never_deleted BEFORE DELETE ON payment_order
BEGIN SELECT RAISE(ABORT, 'which orders a payment pays never changes'); END;

-- The handles under which each person was bought for.
CREATE VIEW person AS
  SELECT person, handle, min(id) AS first_order, max(id) AS last_order FROM orders
  WHERE settled_lt IS NOT NULL GROUP BY person, handle;
