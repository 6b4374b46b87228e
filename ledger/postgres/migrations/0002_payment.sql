CREATE TABLE wallet (
  address      TEXT COLLATE "C" PRIMARY KEY,
  version      TEXT COLLATE "C" NOT NULL,
  anchor_lt    BIGINT NOT NULL CHECK (anchor_lt >= 0),
  anchor_hash  BYTEA NOT NULL CHECK (length(anchor_hash) = 32),
  block        BIGINT NOT NULL,
  reason       TEXT COLLATE "C" NOT NULL,
  ramp         BIGINT NOT NULL DEFAULT 0,
  checked_lt   BIGINT,
  checked_hash BYTEA CHECK (length(checked_hash) = 32),
  CHECK ((checked_lt IS NULL) = (checked_hash IS NULL))
);

CREATE TRIGGER wallet_anchor_is_fixed BEFORE UPDATE OF address, version, anchor_lt, anchor_hash, block, reason ON wallet
FOR EACH ROW EXECUTE FUNCTION refuse('the anchor of a wallet never changes');
CREATE FUNCTION wallet_is_checked_onward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (coalesce(NEW.checked_lt, 0) <= coalesce(OLD.checked_lt, OLD.anchor_lt)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'how far a wallet is checked only advances';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER wallet_is_checked_onward BEFORE UPDATE OF checked_lt, checked_hash ON wallet
FOR EACH ROW EXECUTE FUNCTION wallet_is_checked_onward();
CREATE FUNCTION wallet_begins_unchecked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.checked_lt IS NOT NULL) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a wallet is checked after it has an anchor';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER wallet_begins_unchecked BEFORE INSERT ON wallet
FOR EACH ROW EXECUTE FUNCTION wallet_begins_unchecked();
CREATE TRIGGER wallet_stays BEFORE DELETE ON wallet
FOR EACH ROW EXECUTE FUNCTION refuse('a wallet is never deleted');

CREATE TABLE run (
  id      BIGINT PRIMARY KEY,
  digest  BYTEA NOT NULL CHECK (length(digest) = 32),
  nonce   TEXT COLLATE "C" NOT NULL,
  host    TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL DEFAULT ''
);

CREATE FUNCTION run_follows_the_newest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM run)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a run follows the newest run';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER run_follows_the_newest BEFORE INSERT ON run
FOR EACH ROW EXECUTE FUNCTION run_follows_the_newest();
CREATE FUNCTION run_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.outcome <> '' OR NEW.id <> OLD.id OR NEW.digest <> OLD.digest OR NEW.nonce <> OLD.nonce OR NEW.host <> OLD.host) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a run ends once and never changes otherwise';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER run_ends_once BEFORE UPDATE ON run
FOR EACH ROW EXECUTE FUNCTION run_ends_once();
CREATE TRIGGER run_stays BEFORE DELETE ON run
FOR EACH ROW EXECUTE FUNCTION refuse('a run is never deleted');

-- Fragment's offers. A ref is used once in the life of the ledger.
CREATE TABLE invoice (
  order_id    BIGINT NOT NULL,
  n           BIGINT NOT NULL CHECK (n >= 1),
  request_id  TEXT COLLATE "C" NOT NULL,
  ref         TEXT COLLATE "C" NOT NULL CONSTRAINT ref_is_used_once UNIQUE,
  recipient   TEXT COLLATE "C" NOT NULL,
  name        TEXT COLLATE "C" NOT NULL,
  destination TEXT COLLATE "C" NOT NULL,
  bounce      BIGINT NOT NULL CHECK (bounce IN (0, 1)),
  amount      BIGINT NOT NULL,
  body        BYTEA,
  price_asset TEXT COLLATE "C" NOT NULL,
  price       BIGINT NOT NULL,
  quoted      BIGINT NOT NULL,
  valid_until BIGINT NOT NULL,
  confirm     TEXT COLLATE "C" NOT NULL,
  params      TEXT COLLATE "C" NOT NULL,
  session     TEXT COLLATE "C" NOT NULL DEFAULT '' CHECK (length(session) <= 64),
  PRIMARY KEY (order_id, n)
);

CREATE FUNCTION invoice_has_a_new_ref() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (EXISTS (SELECT 1 FROM found WHERE ref = NEW.ref)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a ref is used once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER invoice_has_a_new_ref BEFORE INSERT ON invoice
FOR EACH ROW EXECUTE FUNCTION invoice_has_a_new_ref();
CREATE TRIGGER invoice_is_never_changed BEFORE UPDATE ON invoice
FOR EACH ROW EXECUTE FUNCTION refuse('an invoice is never changed');
CREATE TRIGGER invoice_is_never_deleted BEFORE DELETE ON invoice
FOR EACH ROW EXECUTE FUNCTION refuse('an invoice is never deleted');

CREATE TABLE payment (
  id           BIGINT PRIMARY KEY,
  run          BIGINT NOT NULL,
  wallet       TEXT COLLATE "C" NOT NULL,
  version      TEXT COLLATE "C" NOT NULL,
  wallet_id    BIGINT NOT NULL,
  seqno        BIGINT NOT NULL CHECK (seqno >= 0),
  valid_until  BIGINT NOT NULL,
  hash         BYTEA NOT NULL CHECK (length(hash) = 32),
  payload      BYTEA NOT NULL CHECK (length(payload) > 0),
  deploys      BIGINT NOT NULL CHECK (deploys IN (0, 1)),
  base_lt      BIGINT NOT NULL,
  base_hash    BYTEA NOT NULL CHECK (length(base_hash) = 32),
  phase        TEXT COLLATE "C" NOT NULL CHECK (phase IN ('armed', 'signed', 'executed', 'dead')),
  message      BYTEA CHECK (length(message) > 0),
  settled_lt   BIGINT CHECK (settled_lt > 0),
  settled_hash BYTEA CHECK (length(settled_hash) = 32),
  time         BIGINT,
  fees         BIGINT,
  taken_lt     BIGINT,
  taken_hash   BYTEA CHECK (length(taken_hash) = 32),
  proof_seqno  BIGINT,
  proof_time   BIGINT,
  proof_block  BIGINT,
  CONSTRAINT armed_has_no_message    CHECK (phase <> 'armed' OR message IS NULL),
  CONSTRAINT signed_has_its_message  CHECK (phase <> 'signed' OR message IS NOT NULL),
  CONSTRAINT executed_has_its_message CHECK (phase <> 'executed' OR message IS NOT NULL),
  CONSTRAINT executed_is_in_the_chain
    CHECK ((phase = 'executed') = (settled_lt IS NOT NULL AND settled_hash IS NOT NULL AND time IS NOT NULL AND fees IS NOT NULL)),
  CONSTRAINT dead_has_its_certificate
    CHECK ((phase = 'dead') = (taken_lt IS NOT NULL AND taken_hash IS NOT NULL AND proof_seqno IS NOT NULL AND proof_time IS NOT NULL AND proof_block IS NOT NULL))
);

CREATE UNIQUE INDEX one_open_payment_per_wallet ON payment (wallet) WHERE phase IN ('armed', 'signed');
CREATE UNIQUE INDEX one_executed_per_seqno ON payment (wallet, seqno) WHERE phase = 'executed';

CREATE FUNCTION payment_begins_armed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.phase <> 'armed' OR NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM payment)
  OR EXISTS (SELECT 1 FROM payment WHERE wallet = NEW.wallet AND seqno = NEW.seqno AND phase = 'executed')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a payment begins armed, after the newest, for a seqno that is unspent';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_begins_armed BEFORE INSERT ON payment
FOR EACH ROW EXECUTE FUNCTION payment_begins_armed();
CREATE FUNCTION payment_takes_the_steps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF ((OLD.phase, NEW.phase) NOT IN (VALUES
  ('armed', 'signed'), ('armed', 'executed'), ('armed', 'dead'), ('signed', 'executed'), ('signed', 'dead'))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'this phase of a payment may not follow';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_takes_the_steps BEFORE UPDATE ON payment
FOR EACH ROW EXECUTE FUNCTION payment_takes_the_steps();
CREATE TRIGGER payment_is_fixed BEFORE UPDATE OF id, run, wallet, version, wallet_id, seqno, valid_until, hash, payload, deploys, base_lt, base_hash ON payment
FOR EACH ROW EXECUTE FUNCTION refuse('what a payment pays never changes');
CREATE FUNCTION payment_message_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.message IS NOT NULL AND NEW.message IS DISTINCT FROM OLD.message) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'the signed bytes never change';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_message_is_fixed BEFORE UPDATE OF message ON payment
FOR EACH ROW EXECUTE FUNCTION payment_message_is_fixed();
CREATE TRIGGER payment_stays BEFORE DELETE ON payment
FOR EACH ROW EXECUTE FUNCTION refuse('a payment is never deleted');

-- A message that can do nothing but take its payment's seqno.
CREATE TABLE burn (
  payment     BIGINT PRIMARY KEY REFERENCES payment (id),
  version     TEXT COLLATE "C" NOT NULL,
  wallet_id   BIGINT NOT NULL,
  seqno       BIGINT NOT NULL,
  valid_until BIGINT NOT NULL,
  hash        BYTEA NOT NULL CHECK (length(hash) = 32),
  payload     BYTEA NOT NULL CHECK (length(payload) > 0),
  message     BYTEA CHECK (length(message) > 0),
  reason      TEXT COLLATE "C" NOT NULL CONSTRAINT burned_for_a_reason CHECK (reason <> '')
);

CREATE FUNCTION burn_begins_armed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.message IS NOT NULL OR NOT EXISTS (SELECT 1 FROM payment p WHERE p.id = NEW.payment AND p.phase IN ('armed', 'signed'))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a burn begins armed, while its payment is open';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER burn_begins_armed BEFORE INSERT ON burn
FOR EACH ROW EXECUTE FUNCTION burn_begins_armed();
CREATE FUNCTION burn_takes_the_seqno() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM payment p WHERE p.id = NEW.payment AND p.version = NEW.version AND p.wallet_id = NEW.wallet_id
  AND p.seqno = NEW.seqno AND p.valid_until >= NEW.valid_until)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a burn takes the seqno of its payment and ends no later';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER burn_takes_the_seqno BEFORE INSERT ON burn
FOR EACH ROW EXECUTE FUNCTION burn_takes_the_seqno();
CREATE FUNCTION burn_is_signed_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.message IS NOT NULL OR NEW.message IS NULL OR NOT EXISTS (SELECT 1 FROM payment p WHERE p.id = NEW.payment AND p.phase IN ('armed', 'signed'))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a burn is signed once, while its payment is open';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER burn_is_signed_once BEFORE UPDATE ON burn
FOR EACH ROW EXECUTE FUNCTION burn_is_signed_once();
CREATE TRIGGER burn_is_fixed BEFORE UPDATE OF payment, version, wallet_id, seqno, valid_until, hash, payload, reason ON burn
FOR EACH ROW EXECUTE FUNCTION refuse('what a burn says never changes');
CREATE TRIGGER burn_stays BEFORE DELETE ON burn
FOR EACH ROW EXECUTE FUNCTION refuse('a burn is never deleted');
