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
  ramp        INTEGER NOT NULL DEFAULT 0,
  checked_lt   INTEGER,
  checked_hash BLOB CHECK (length(checked_hash) = 32),
  CHECK ((checked_lt IS NULL) = (checked_hash IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER wallet_anchor_is_fixed BEFORE UPDATE OF address, version, anchor_lt, anchor_hash, block, reason ON wallet
BEGIN SELECT RAISE(ABORT, 'the anchor of a wallet never changes'); END;
CREATE TRIGGER wallet_is_checked_onward BEFORE UPDATE OF checked_lt, checked_hash ON wallet
WHEN coalesce(NEW.checked_lt, 0) <= coalesce(OLD.checked_lt, OLD.anchor_lt)
BEGIN SELECT RAISE(ABORT, 'how far a wallet is checked only advances'); END;
CREATE TRIGGER wallet_begins_unchecked BEFORE INSERT ON wallet WHEN NEW.checked_lt IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a wallet is checked after it has an anchor'); END;
CREATE TRIGGER wallet_stays BEFORE DELETE ON wallet
BEGIN SELECT RAISE(ABORT, 'a wallet is never deleted'); END;

CREATE TABLE run (
  id      INTEGER PRIMARY KEY,
  digest  BLOB    NOT NULL CHECK (length(digest) = 32),
  nonce   TEXT    NOT NULL,
  host    TEXT    NOT NULL,
  outcome TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE TRIGGER run_follows_the_newest BEFORE INSERT ON run
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM run)
BEGIN SELECT RAISE(ABORT, 'a run follows the newest run'); END;
CREATE TRIGGER run_ends_once BEFORE UPDATE ON run
WHEN OLD.outcome <> '' OR NEW.id <> OLD.id OR NEW.digest <> OLD.digest OR NEW.nonce <> OLD.nonce OR NEW.host <> OLD.host
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
  quoted      INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  confirm     TEXT    NOT NULL,
  params      TEXT    NOT NULL,
  PRIMARY KEY (order_id, n)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER invoice_has_a_new_ref BEFORE INSERT ON invoice
WHEN EXISTS (SELECT 1 FROM found WHERE ref = NEW.ref)
BEGIN SELECT RAISE(ABORT, 'a ref is used once'); END;
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

-- A message that can do nothing but take its payment's seqno.
CREATE TABLE burn (
  payment     INTEGER PRIMARY KEY REFERENCES payment (id),
  version     TEXT    NOT NULL,
  wallet_id   INTEGER NOT NULL,
  seqno       INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  hash        BLOB    NOT NULL CHECK (length(hash) = 32),
  payload     BLOB    NOT NULL CHECK (length(payload) > 0),
  message     BLOB             CHECK (length(message) > 0),
  reason      TEXT    NOT NULL CONSTRAINT burned_for_a_reason CHECK (reason <> '')
) STRICT;

CREATE TRIGGER burn_begins_armed BEFORE INSERT ON burn
WHEN NEW.message IS NOT NULL OR NOT EXISTS (SELECT 1 FROM payment p WHERE p.id = NEW.payment AND p.phase IN ('armed', 'signed'))
BEGIN SELECT RAISE(ABORT, 'a burn begins armed, while its payment is open'); END;
CREATE TRIGGER burn_takes_the_seqno BEFORE INSERT ON burn
WHEN NOT EXISTS (SELECT 1 FROM payment p WHERE p.id = NEW.payment AND p.version = NEW.version AND p.wallet_id = NEW.wallet_id
  AND p.seqno = NEW.seqno AND p.valid_until >= NEW.valid_until)
BEGIN SELECT RAISE(ABORT, 'a burn takes the seqno of its payment and ends no later'); END;
CREATE TRIGGER burn_is_signed_once BEFORE UPDATE ON burn
WHEN OLD.message IS NOT NULL OR NEW.message IS NULL OR NOT EXISTS (SELECT 1 FROM payment p WHERE p.id = NEW.payment AND p.phase IN ('armed', 'signed'))
BEGIN SELECT RAISE(ABORT, 'a burn is signed once, while its payment is open'); END;
CREATE TRIGGER burn_is_fixed BEFORE UPDATE OF payment, version, wallet_id, seqno, valid_until, hash, payload, reason ON burn
BEGIN SELECT RAISE(ABORT, 'what a burn says never changes'); END;
CREATE TRIGGER burn_stays BEFORE DELETE ON burn
BEGIN SELECT RAISE(ABORT, 'a burn is never deleted'); END;

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
  phase         TEXT    NOT NULL CHECK (phase IN ('reserved', 'quoted', 'offered', 'armed', 'paid', 'acknowledged', 'delivered', 'held', 'released')),
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
  request       INTEGER REFERENCES request (id), -- by which a person was asked to pay it
  found         INTEGER CONSTRAINT found_is_one_order UNIQUE REFERENCES found (id),
  bounces       INTEGER NOT NULL DEFAULT 0, -- transactions that brought its money back
  CONSTRAINT offered_has_its_invoice
    CHECK ((found IS NULL AND phase IN ('quoted', 'offered', 'armed', 'paid', 'acknowledged', 'delivered', 'held')) = (invoice IS NOT NULL)),
  CONSTRAINT armed_has_its_payment
    CHECK (CASE WHEN found IS NOT NULL OR request IS NOT NULL OR phase IN ('reserved', 'quoted', 'offered') THEN payment IS NULL WHEN phase = 'released' THEN 1 ELSE payment IS NOT NULL END),
  CONSTRAINT requested_is_never_signed
    CHECK (CASE WHEN phase IN ('reserved', 'quoted', 'armed') THEN request IS NULL WHEN phase = 'offered' THEN request IS NOT NULL ELSE 1 END),
  CONSTRAINT given_up_for_a_reason CHECK (phase NOT IN ('held', 'released') OR reason <> ''),
  CONSTRAINT payment_has_a_place CHECK ((payment IS NULL) = (idx IS NULL)),
  CONSTRAINT settled_is_whole
    CHECK ((settled_lt IS NULL) = (settled_hash IS NULL) AND (settled_lt IS NULL) = (time IS NULL)),
  -- A released order keeps what paid it where the money came back.
  CONSTRAINT paid_is_in_the_chain
    CHECK (CASE WHEN phase IN ('paid', 'acknowledged', 'delivered', 'held') THEN settled_lt IS NOT NULL WHEN phase = 'released' THEN 1 ELSE settled_lt IS NULL END),
  CONSTRAINT found_was_never_bought
    CHECK (found IS NULL OR (phase IN ('delivered', 'held', 'released') AND settled_lt IS NOT NULL AND run = 0 AND invoices = 0 AND deaths = 0)),
  FOREIGN KEY (id, invoice) REFERENCES invoice (order_id, n)
) STRICT;

CREATE UNIQUE INDEX one_live_or_paid_order_per_part ON orders (key, generation, part) WHERE phase <> 'released';
CREATE INDEX orders_of_key ON orders (key, generation);
CREATE INDEX orders_of_request ON orders (request, phase) WHERE request IS NOT NULL;
CREATE INDEX orders_of_payment ON orders (payment, phase) WHERE payment IS NOT NULL;

CREATE TRIGGER order_begins_reserved BEFORE INSERT ON orders
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM orders) OR NEW.bounces <> 0
  OR NEW.found IS NULL AND (NEW.phase <> 'reserved' OR NEW.invoices <> 0 OR NEW.deaths <> 0)
BEGIN SELECT RAISE(ABORT, 'an order begins reserved, after the newest'); END;
CREATE TRIGGER order_is_what_was_found BEFORE INSERT ON orders
WHEN NEW.found IS NOT (SELECT id FROM found WHERE order_id = NEW.id)
  OR NEW.found IS NOT NULL AND (NEW.phase <> 'delivered'
    OR NEW.evidence <> iif(EXISTS (SELECT 1 FROM listed l WHERE l.order_id = NEW.id AND l.handle = NEW.handle), 'history', 'person') OR NOT EXISTS (SELECT 1 FROM found f
    WHERE f.id = NEW.found AND f.reason = NEW.reason AND f.wallet = NEW.wallet AND f.kind = NEW.kind AND f.quantity = NEW.quantity
      AND f.lt = NEW.settled_lt AND f.hash = NEW.settled_hash AND f.time = NEW.time
      AND f.asset = NEW.cap_asset AND f.amount = NEW.cap AND f.asset = NEW.reserve_asset AND f.amount = NEW.reserve))
BEGIN SELECT RAISE(ABORT, 'an order of a found transfer is what was found'); END;
CREATE TRIGGER order_knows_the_prior BEFORE INSERT ON orders
WHEN NEW.generation <> coalesce((SELECT max(generation) FROM reissue WHERE key = NEW.key), 1)
  OR (NEW.prior, NEW.part) IS NOT (SELECT coalesce(sum(quantity), 0), coalesce(max(part), 0) + 1
    FROM orders WHERE key = NEW.key AND generation = NEW.generation AND phase <> 'released')
BEGIN SELECT RAISE(ABORT, 'prior sum'); END;
CREATE TRIGGER order_takes_the_steps BEFORE UPDATE ON orders
WHEN (OLD.phase, NEW.phase) NOT IN (VALUES
  ('reserved', 'quoted'), ('reserved', 'released'),
  ('quoted', 'reserved'), ('quoted', 'released'), ('quoted', 'armed'),
  ('quoted', 'offered'), ('offered', 'paid'), ('offered', 'released'),
  ('armed', 'reserved'), ('armed', 'released'), ('armed', 'paid'),
  ('paid', 'acknowledged'), ('paid', 'delivered'), ('paid', 'held'),
  ('acknowledged', 'delivered'), ('acknowledged', 'held'),
  ('delivered', 'held'), ('held', 'held'), ('held', 'delivered'), ('held', 'released'))
BEGIN SELECT RAISE(ABORT, 'this phase of an order may not follow'); END;
CREATE TRIGGER order_is_resolved_by_a_person BEFORE UPDATE ON orders
WHEN OLD.phase = 'held' AND NEW.phase = 'delivered' AND (NEW.reason = '' OR NEW.evidence <> 'person')
BEGIN SELECT RAISE(ABORT, 'a held order is resolved by a person, for a reason'); END;
CREATE TRIGGER order_is_listed_where_history_shows_it BEFORE UPDATE OF phase ON orders
WHEN NEW.phase = 'delivered' AND OLD.phase IN ('paid', 'acknowledged')
 AND (NEW.evidence = 'history') <> EXISTS (SELECT 1 FROM listed WHERE order_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'history is evidence where a row of it is the order''s'); END;
CREATE TRIGGER order_that_is_offered_is_given_up_by_a_person BEFORE UPDATE ON orders
WHEN OLD.phase = 'offered' AND NEW.phase = 'released' AND (NEW.reason = '' OR NEW.evidence <> 'person')
BEGIN SELECT RAISE(ABORT, 'an offered order is given up by a person, for a reason'); END;
CREATE TRIGGER order_is_offered_in_its_request BEFORE UPDATE OF phase, request ON orders
WHEN NEW.request IS NOT OLD.request
 AND (OLD.request IS NOT NULL OR NEW.phase <> 'offered' OR NOT EXISTS (SELECT 1 FROM request_order WHERE request = NEW.request AND order_id = NEW.id))
BEGIN SELECT RAISE(ABORT, 'an order is offered once, in the request that asks for it'); END;
CREATE TRIGGER order_is_held_again_for_a_bounce BEFORE UPDATE ON orders
WHEN OLD.phase IN ('delivered', 'held') AND NEW.phase = 'held' AND NEW.bounces = OLD.bounces
BEGIN SELECT RAISE(ABORT, 'a delivered or held order is held only for a bounce'); END;
CREATE TRIGGER order_counts_its_bounces BEFORE UPDATE OF bounces ON orders
WHEN NEW.bounces <> OLD.bounces
 AND (NEW.phase <> 'held' OR NEW.bounces <> OLD.bounces + 1 OR NEW.bounces <> (SELECT count(*) FROM bounce WHERE order_id = NEW.id))
BEGIN SELECT RAISE(ABORT, 'a bounce counts once, when it holds its order'); END;
CREATE TRIGGER order_is_settled_when_it_is_paid BEFORE UPDATE OF settled_lt, settled_hash, time ON orders
WHEN OLD.settled_lt IS NULL AND NEW.settled_lt IS NOT NULL AND NEW.phase <> 'paid'
BEGIN SELECT RAISE(ABORT, 'an order is settled when it is paid'); END;
CREATE TRIGGER order_leaves_armed_by_proof BEFORE UPDATE OF phase ON orders
WHEN OLD.phase = 'armed'
 AND (SELECT phase FROM payment WHERE id = OLD.payment) IS NOT CASE NEW.phase WHEN 'reserved' THEN 'dead' ELSE 'executed' END
BEGIN SELECT RAISE(ABORT, 'an armed order waits for its payment to be executed or dead'); END;
CREATE TRIGGER order_is_paid_where_its_payment_is BEFORE UPDATE OF phase ON orders
WHEN NEW.phase = 'paid'
 AND NOT EXISTS (SELECT 1 FROM payment WHERE id = NEW.payment AND settled_lt = NEW.settled_lt AND settled_hash = NEW.settled_hash)
 AND NOT EXISTS (SELECT 1 FROM outside t JOIN request r ON r.wallet = t.wallet
   WHERE r.id = NEW.request AND t.lt = NEW.settled_lt AND t.hash = NEW.settled_hash AND t.time = NEW.time AND t.wallet = NEW.wallet AND r.base_lt < t.lt)
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
CREATE TRIGGER order_is_fixed BEFORE UPDATE OF id, run, key, generation, part, prior, person, handle, single, kind, quantity, wallet, cap_asset, cap, found ON orders
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

-- Transactions that no payment caused: a wallet's own, explained by a person,
-- or one that brought money back. The reason is the newest.
CREATE TABLE noted (
  lt     INTEGER NOT NULL CHECK (lt > 0),
  hash   BLOB    NOT NULL CHECK (length(hash) = 32),
  wallet TEXT    REFERENCES wallet (address), -- NULL of a bounce
  reason TEXT    NOT NULL CONSTRAINT noted_for_a_reason CHECK (reason <> ''),
  PRIMARY KEY (lt, hash)
) STRICT, WITHOUT ROWID;

-- Orders that were held because their money came back, maybe several for one
-- transaction.
CREATE TABLE bounce (
  id       INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  lt       INTEGER NOT NULL,
  hash     BLOB    NOT NULL,
  reason   TEXT    NOT NULL CHECK (reason <> ''),
  FOREIGN KEY (lt, hash) REFERENCES noted (lt, hash)
) STRICT;

CREATE INDEX bounce_of_order ON bounce (order_id);
CREATE INDEX bounce_of_transaction ON bounce (lt, hash);

CREATE TRIGGER noted_only_by_a_bounce_anew BEFORE UPDATE ON noted
WHEN NEW.lt <> OLD.lt OR NEW.hash <> OLD.hash OR NEW.wallet IS NOT OLD.wallet
  OR NEW.reason IS NOT (SELECT reason FROM bounce WHERE lt = OLD.lt AND hash = OLD.hash ORDER BY id DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'what is noted never changes'); END;
CREATE TRIGGER noted_is_never_deleted BEFORE DELETE ON noted
BEGIN SELECT RAISE(ABORT, 'what is noted never changes'); END;
CREATE TRIGGER bounce_follows_the_newest BEFORE INSERT ON bounce
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM bounce)
BEGIN SELECT RAISE(ABORT, 'a bounce follows the newest bounce'); END;
CREATE TRIGGER bounce_is_of_a_paid_order BEFORE INSERT ON bounce
WHEN NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND (phase IN ('paid', 'acknowledged', 'delivered')
    OR phase = 'held' AND (NEW.lt, NEW.hash) IS NOT (SELECT lt, hash FROM bounce WHERE order_id = NEW.order_id ORDER BY id DESC LIMIT 1)))
  OR NOT EXISTS (SELECT 1 FROM noted WHERE lt = NEW.lt AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'a bounce is noted, and of an order that was paid'); END;
CREATE TRIGGER bounce_is_never_changed BEFORE UPDATE ON bounce
BEGIN SELECT RAISE(ABORT, 'a bounce is never changed'); END;
CREATE TRIGGER bounce_is_never_deleted BEFORE DELETE ON bounce
BEGIN SELECT RAISE(ABORT, 'a bounce is never deleted'); END;

-- The transfers to Fragment of such a transaction. order_id is the order that
-- a person made of it; with a reason and without an order it is set aside.
CREATE TABLE found (
  id       INTEGER PRIMARY KEY,
  wallet   TEXT    NOT NULL REFERENCES wallet (address),
  lt       INTEGER NOT NULL,
  hash     BLOB    NOT NULL,
  time     INTEGER NOT NULL,
  kind     TEXT    NOT NULL,
  quantity INTEGER NOT NULL CONSTRAINT found_is_something CHECK (quantity >= 1),
  asset    TEXT    NOT NULL,
  amount   INTEGER NOT NULL,
  ref      TEXT    NOT NULL CONSTRAINT found_ref_is_used_once UNIQUE CONSTRAINT found_has_a_ref CHECK (ref <> ''),
  order_id INTEGER UNIQUE REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED,
  reason   TEXT    NOT NULL DEFAULT '',
  CONSTRAINT found_of_a_noted_transaction FOREIGN KEY (lt, hash) REFERENCES noted (lt, hash)
) STRICT;

CREATE TRIGGER found_begins_open BEFORE INSERT ON found
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM found) OR NEW.reason <> '' OR NEW.order_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a found transfer begins open, after the newest'); END;
CREATE TRIGGER found_has_a_noted_transaction BEFORE INSERT ON found
WHEN NOT EXISTS (SELECT 1 FROM noted WHERE lt = NEW.lt AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'a transfer is found in a transaction that is noted'); END;
-- The ref of an offer that this ledger gave up unpaid may turn out to be paid.
CREATE TRIGGER found_has_a_new_ref BEFORE INSERT ON found
WHEN EXISTS (SELECT 1 FROM invoice i JOIN orders o ON o.id = i.order_id WHERE i.ref = NEW.ref AND (o.phase <> 'released' OR o.settled_lt IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'a ref is used once'); END;
CREATE TRIGGER found_is_said_once BEFORE UPDATE ON found
WHEN OLD.reason <> '' OR NEW.reason = ''
BEGIN SELECT RAISE(ABORT, 'whom a found transfer was for is said once, for a reason'); END;
CREATE TRIGGER found_becomes_the_next_order BEFORE UPDATE OF order_id ON found
WHEN NEW.order_id <> (SELECT coalesce(max(id), 0) + 1 FROM orders)
BEGIN SELECT RAISE(ABORT, 'a found transfer becomes the next order'); END;
CREATE TRIGGER found_is_fixed BEFORE UPDATE OF id, wallet, lt, hash, time, kind, quantity, asset, amount, ref ON found
BEGIN SELECT RAISE(ABORT, 'what was found never changes'); END;
CREATE TRIGGER found_stays BEFORE DELETE ON found
BEGIN SELECT RAISE(ABORT, 'a found transfer is never deleted'); END;

-- Lines of Fragment's list of purchases that are evidence, each of one order.
CREATE TABLE listed (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED,
  handle   TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  quantity INTEGER NOT NULL,
  asset    TEXT    NOT NULL, -- '' where the list gives no price
  price    INTEGER NOT NULL,
  time     INTEGER NOT NULL,
  CONSTRAINT row_is_used_once UNIQUE (handle, kind, quantity, asset, price, time)
) STRICT;

CREATE TRIGGER listed_is_of_its_order BEFORE INSERT ON listed
WHEN NOT EXISTS (SELECT 1 FROM orders o JOIN invoice i ON i.order_id = o.id AND i.n = o.invoice
    WHERE o.id = NEW.order_id AND o.phase IN ('paid', 'acknowledged') AND o.handle = NEW.handle AND o.kind = NEW.kind AND o.quantity = NEW.quantity
      AND i.quoted <= NEW.time AND (NEW.asset, NEW.price) IN (VALUES ('', 0), (i.price_asset, i.price)))
 AND NOT EXISTS (SELECT 1 FROM found f
    WHERE f.order_id = NEW.order_id AND NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id)
      AND f.kind = NEW.kind AND f.quantity = NEW.quantity AND (NEW.asset, NEW.price) IN (VALUES ('', 0), (f.asset, f.amount)))
BEGIN SELECT RAISE(ABORT, 'a row is of the order that it names'); END;
CREATE TRIGGER listed_is_never_changed BEFORE UPDATE ON listed
BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER listed_is_never_deleted BEFORE DELETE ON listed
BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;

-- The generations of a key after its first.
CREATE TABLE reissue (
  key        TEXT    NOT NULL,
  generation INTEGER NOT NULL CHECK (generation >= 2),
  reason     TEXT    NOT NULL CONSTRAINT reissued_for_a_reason CHECK (reason <> ''),
  PRIMARY KEY (key, generation)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER reissue_follows_the_newest BEFORE INSERT ON reissue
WHEN NEW.generation <> (SELECT coalesce(max(generation), 1) + 1 FROM reissue WHERE key = NEW.key)
  OR NOT EXISTS (SELECT 1 FROM orders WHERE key = NEW.key)
BEGIN SELECT RAISE(ABORT, 'a generation follows the newest of a key that was ordered'); END;
CREATE TRIGGER reissue_waits_for_live_orders BEFORE INSERT ON reissue
WHEN EXISTS (SELECT 1 FROM orders WHERE key = NEW.key AND phase IN ('reserved', 'quoted', 'offered', 'armed'))
BEGIN SELECT RAISE(ABORT, 'an order of this key may still be paid'); END;
CREATE TRIGGER reissue_is_never_changed BEFORE UPDATE ON reissue
BEGIN SELECT RAISE(ABORT, 'a reissue is never changed'); END;
CREATE TRIGGER reissue_is_never_deleted BEFORE DELETE ON reissue
BEGIN SELECT RAISE(ABORT, 'a reissue is never deleted'); END;

-- The handles under which each person was bought for.
CREATE VIEW person AS
  SELECT person, handle, min(id) AS first_order, max(id) AS last_order FROM orders
  WHERE settled_lt IS NOT NULL GROUP BY person, handle;
