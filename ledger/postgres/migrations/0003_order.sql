CREATE TABLE orders (
  id            BIGINT PRIMARY KEY,
  run           BIGINT NOT NULL,
  key           TEXT COLLATE "C" NOT NULL,
  generation    BIGINT NOT NULL CHECK (generation >= 1),
  part          BIGINT NOT NULL,
  prior         BIGINT NOT NULL,
  person        TEXT COLLATE "C" NOT NULL,
  handle        TEXT COLLATE "C" NOT NULL,
  single        BIGINT NOT NULL CHECK (single IN (0, 1)),
  kind          TEXT COLLATE "C" NOT NULL,
  quantity      BIGINT NOT NULL,
  wallet        TEXT COLLATE "C" NOT NULL,
  cap_asset     TEXT COLLATE "C" NOT NULL,
  cap           BIGINT NOT NULL,
  reserve_asset TEXT COLLATE "C" NOT NULL,
  reserve       BIGINT NOT NULL,
  phase         TEXT COLLATE "C" NOT NULL CHECK (phase IN ('reserved', 'quoted', 'offered', 'armed', 'paid', 'acknowledged', 'delivered', 'held', 'released')),
  reason        TEXT COLLATE "C" NOT NULL DEFAULT '',
  invoice       BIGINT, -- n of the current offer
  invoices      BIGINT NOT NULL DEFAULT 0,
  deaths        BIGINT NOT NULL DEFAULT 0,
  payment       BIGINT REFERENCES payment (id),
  idx           BIGINT,
  settled_lt    BIGINT CHECK (settled_lt > 0),
  settled_hash  BYTEA CHECK (length(settled_hash) = 32),
  time          BIGINT,
  evidence      TEXT COLLATE "C" NOT NULL DEFAULT '',
  request       BIGINT, -- by which a person was asked to pay it
  found         BIGINT CONSTRAINT found_is_one_order UNIQUE,
  bounces       BIGINT NOT NULL DEFAULT 0, -- transactions that brought its money back
  scopes        TEXT COLLATE "C" NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(scopes::jsonb) = 'array'),
  CONSTRAINT offered_has_its_invoice
    CHECK ((found IS NULL AND phase IN ('quoted', 'offered', 'armed', 'paid', 'acknowledged', 'delivered', 'held')) = (invoice IS NOT NULL)),
  CONSTRAINT armed_has_its_payment
    CHECK (CASE WHEN found IS NOT NULL OR request IS NOT NULL OR phase IN ('reserved', 'quoted', 'offered') THEN payment IS NULL WHEN phase = 'released' THEN true ELSE payment IS NOT NULL END),
  CONSTRAINT requested_is_never_signed
    CHECK (CASE WHEN phase IN ('reserved', 'quoted', 'armed') THEN request IS NULL WHEN phase = 'offered' THEN request IS NOT NULL ELSE true END),
  CONSTRAINT given_up_for_a_reason CHECK (phase NOT IN ('held', 'released') OR reason <> ''),
  CONSTRAINT payment_has_a_place CHECK ((payment IS NULL) = (idx IS NULL)),
  CONSTRAINT settled_is_whole
    CHECK ((settled_lt IS NULL) = (settled_hash IS NULL) AND (settled_lt IS NULL) = (time IS NULL)),
  -- A released order keeps what paid it where the money came back.
  CONSTRAINT paid_is_in_the_chain
    CHECK (CASE WHEN phase IN ('paid', 'acknowledged', 'delivered', 'held') THEN settled_lt IS NOT NULL WHEN phase = 'released' THEN true ELSE settled_lt IS NULL END),
  CONSTRAINT found_was_never_bought
    CHECK (found IS NULL OR (phase IN ('delivered', 'held', 'released') AND settled_lt IS NOT NULL AND run = 0 AND invoices = 0 AND deaths = 0)),
  FOREIGN KEY (id, invoice) REFERENCES invoice (order_id, n)
);

CREATE UNIQUE INDEX one_live_or_paid_order_per_part ON orders (key, generation, part) WHERE phase <> 'released';
CREATE INDEX orders_of_key ON orders (key, generation);
CREATE INDEX orders_of_request ON orders (request, phase) WHERE request IS NOT NULL;
CREATE INDEX orders_of_payment ON orders (payment, phase) WHERE payment IS NOT NULL;

CREATE FUNCTION order_begins_reserved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM orders) OR NEW.bounces <> 0
  OR NEW.found IS NULL AND (NEW.phase <> 'reserved' OR NEW.invoices <> 0 OR NEW.deaths <> 0)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an order begins reserved, after the newest';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_begins_reserved BEFORE INSERT ON orders
FOR EACH ROW EXECUTE FUNCTION order_begins_reserved();
CREATE FUNCTION order_is_what_was_found() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.found IS DISTINCT FROM (SELECT id FROM found WHERE order_id = NEW.id)
  OR NEW.found IS NOT NULL AND (NEW.phase <> 'delivered'
    OR NEW.evidence <> CASE WHEN EXISTS (SELECT 1 FROM listed l WHERE l.order_id = NEW.id AND l.handle = NEW.handle) THEN 'history' ELSE 'person' END OR NOT EXISTS (SELECT 1 FROM found f
    WHERE f.id = NEW.found AND f.reason = NEW.reason AND f.wallet = NEW.wallet AND f.kind = NEW.kind AND f.quantity = NEW.quantity
      AND f.lt = NEW.settled_lt AND f.hash = NEW.settled_hash AND f.time = NEW.time
      AND f.asset = NEW.cap_asset AND f.amount = NEW.cap AND f.asset = NEW.reserve_asset AND f.amount = NEW.reserve))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an order of a found transfer is what was found';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_is_what_was_found BEFORE INSERT ON orders
FOR EACH ROW EXECUTE FUNCTION order_is_what_was_found();
CREATE FUNCTION order_knows_the_prior() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM name WHERE key = NEW.key AND now <> NEW.key)
 AND (NEW.generation <> coalesce((SELECT max(generation) FROM reissue WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key))), 1)
  OR NEW.prior <> (SELECT coalesce(sum(quantity), 0) FROM orders
      WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)) AND generation = NEW.generation AND phase <> 'released')
    + (SELECT coalesce(sum(quantity), 0) FROM settled
      WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)) AND generation = NEW.generation)
  OR NEW.part <> (SELECT coalesce(max(part), 0) + 1 FROM orders
      WHERE key = ANY (ARRAY(SELECT key FROM name WHERE now = NEW.key UNION ALL SELECT NEW.key)) AND generation = NEW.generation AND phase <> 'released'))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'prior sum';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_knows_the_prior BEFORE INSERT ON orders
FOR EACH ROW EXECUTE FUNCTION order_knows_the_prior();
CREATE FUNCTION order_takes_the_steps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF ((OLD.phase, NEW.phase) NOT IN (VALUES
  ('reserved', 'quoted'), ('reserved', 'released'),
  ('quoted', 'reserved'), ('quoted', 'released'), ('quoted', 'armed'),
  ('quoted', 'offered'), ('offered', 'paid'), ('offered', 'released'),
  ('armed', 'reserved'), ('armed', 'released'), ('armed', 'paid'),
  ('paid', 'acknowledged'), ('paid', 'delivered'), ('paid', 'held'),
  ('acknowledged', 'delivered'), ('acknowledged', 'held'),
  ('delivered', 'held'), ('held', 'held'), ('held', 'delivered'), ('held', 'released'))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'this phase of an order may not follow';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_takes_the_steps BEFORE UPDATE ON orders
FOR EACH ROW EXECUTE FUNCTION order_takes_the_steps();
CREATE FUNCTION order_is_resolved_by_a_person() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.phase = 'held' AND NEW.phase = 'delivered' AND (NEW.reason = '' OR NEW.evidence <> 'person')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a held order is resolved by a person, for a reason';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_is_resolved_by_a_person BEFORE UPDATE ON orders
FOR EACH ROW EXECUTE FUNCTION order_is_resolved_by_a_person();
CREATE FUNCTION order_is_listed_where_history_shows_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.phase = 'delivered' AND OLD.phase IN ('paid', 'acknowledged')
 AND ((NEW.evidence = 'history') <> EXISTS (SELECT 1 FROM listed WHERE order_id = NEW.id)
   OR EXISTS (SELECT 1 FROM listed WHERE order_id = NEW.id AND handle <> NEW.handle))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'history is evidence where a row of it is the order''s';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_is_listed_where_history_shows_it BEFORE UPDATE OF phase ON orders
FOR EACH ROW EXECUTE FUNCTION order_is_listed_where_history_shows_it();
CREATE FUNCTION order_that_is_offered_is_given_up_by_a_person() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.phase = 'offered' AND NEW.phase = 'released' AND (NEW.reason = '' OR NEW.evidence <> 'person')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an offered order is given up by a person, for a reason';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_that_is_offered_is_given_up_by_a_person BEFORE UPDATE ON orders
FOR EACH ROW EXECUTE FUNCTION order_that_is_offered_is_given_up_by_a_person();
CREATE FUNCTION order_is_offered_in_its_request() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.request IS DISTINCT FROM OLD.request
 AND (OLD.request IS NOT NULL OR NEW.phase <> 'offered' OR NOT EXISTS (SELECT 1 FROM request_order WHERE request = NEW.request AND order_id = NEW.id))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an order is offered once, in the request that asks for it';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_is_offered_in_its_request BEFORE UPDATE OF phase, request ON orders
FOR EACH ROW EXECUTE FUNCTION order_is_offered_in_its_request();
CREATE FUNCTION order_is_held_again_for_a_bounce() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.phase IN ('delivered', 'held') AND NEW.phase = 'held' AND NEW.bounces = OLD.bounces
 AND (OLD.phase = 'held' OR OLD.evidence <> 'page' OR NOT EXISTS (SELECT 1 FROM listed WHERE order_id = NEW.id AND handle <> NEW.handle))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a delivered or held order is held only for a bounce, or because it went astray';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_is_held_again_for_a_bounce BEFORE UPDATE ON orders
FOR EACH ROW EXECUTE FUNCTION order_is_held_again_for_a_bounce();
CREATE FUNCTION order_counts_its_bounces() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.bounces <> OLD.bounces
 AND (NEW.phase <> 'held' OR NEW.bounces <> OLD.bounces + 1 OR NEW.bounces <> (SELECT count(*) FROM bounce WHERE order_id = NEW.id))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a bounce counts once, when it holds its order';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_counts_its_bounces BEFORE UPDATE OF bounces ON orders
FOR EACH ROW EXECUTE FUNCTION order_counts_its_bounces();
CREATE FUNCTION order_is_settled_when_it_is_paid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.settled_lt IS NULL AND NEW.settled_lt IS NOT NULL AND NEW.phase <> 'paid') THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an order is settled when it is paid';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_is_settled_when_it_is_paid BEFORE UPDATE OF settled_lt, settled_hash, time ON orders
FOR EACH ROW EXECUTE FUNCTION order_is_settled_when_it_is_paid();
CREATE FUNCTION order_leaves_armed_by_proof() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.phase = 'armed'
 AND (SELECT phase FROM payment WHERE id = OLD.payment) IS DISTINCT FROM CASE NEW.phase WHEN 'reserved' THEN 'dead' ELSE 'executed' END) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an armed order waits for its payment to be executed or dead';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_leaves_armed_by_proof BEFORE UPDATE OF phase ON orders
FOR EACH ROW EXECUTE FUNCTION order_leaves_armed_by_proof();
CREATE FUNCTION order_is_paid_where_its_payment_is() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.phase = 'paid'
 AND NOT EXISTS (SELECT 1 FROM payment WHERE id = NEW.payment AND settled_lt = NEW.settled_lt AND settled_hash = NEW.settled_hash)
 AND NOT EXISTS (SELECT 1 FROM outside t JOIN request r ON r.wallet = t.wallet
   WHERE r.id = NEW.request AND t.lt = NEW.settled_lt AND t.hash = NEW.settled_hash AND t.time = NEW.time AND t.wallet = NEW.wallet AND r.base_lt < t.lt)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an order is paid by the transaction of its payment';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_is_paid_where_its_payment_is BEFORE UPDATE OF phase ON orders
FOR EACH ROW EXECUTE FUNCTION order_is_paid_where_its_payment_is();
CREATE FUNCTION order_is_armed_in_its_payment() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.phase = 'armed'
 AND NOT EXISTS (SELECT 1 FROM payment_order WHERE payment = NEW.payment AND idx = NEW.idx AND order_id = NEW.id)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an order is armed in the payment that pays it';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_is_armed_in_its_payment BEFORE UPDATE OF phase ON orders
FOR EACH ROW EXECUTE FUNCTION order_is_armed_in_its_payment();
CREATE FUNCTION order_stays_paid_by_one_payment() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.settled_lt IS NOT NULL
 AND (NEW.payment IS DISTINCT FROM OLD.payment OR NEW.idx IS DISTINCT FROM OLD.idx OR NEW.settled_lt IS DISTINCT FROM OLD.settled_lt
   OR NEW.settled_hash IS DISTINCT FROM OLD.settled_hash OR NEW.time IS DISTINCT FROM OLD.time)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'what paid an order never changes';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_stays_paid_by_one_payment BEFORE UPDATE OF payment, idx, settled_lt, settled_hash, time ON orders
FOR EACH ROW EXECUTE FUNCTION order_stays_paid_by_one_payment();
CREATE TRIGGER order_is_fixed BEFORE UPDATE OF id, run, key, generation, part, prior, person, handle, single, kind, quantity, wallet, cap_asset, cap, found ON orders
FOR EACH ROW EXECUTE FUNCTION refuse('what an order buys never changes');
CREATE TRIGGER order_stays BEFORE DELETE ON orders
FOR EACH ROW EXECUTE FUNCTION refuse('an order is never deleted');

-- Which orders a payment pays, in the order of its transfers.
CREATE TABLE payment_order (
  payment  BIGINT NOT NULL REFERENCES payment (id),
  idx      BIGINT NOT NULL CHECK (idx BETWEEN 0 AND 254),
  order_id BIGINT NOT NULL REFERENCES orders (id),
  PRIMARY KEY (payment, idx),
  UNIQUE (payment, order_id)
);

CREATE FUNCTION payment_order_pays_a_quoted_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM orders o JOIN payment p ON p.wallet = o.wallet
  WHERE o.id = NEW.order_id AND p.id = NEW.payment AND o.phase = 'quoted' AND p.phase = 'armed')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a payment pays quoted orders of its wallet';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_order_pays_a_quoted_order BEFORE INSERT ON payment_order
FOR EACH ROW EXECUTE FUNCTION payment_order_pays_a_quoted_order();
CREATE TRIGGER payment_order_is_never_changed BEFORE UPDATE ON payment_order
FOR EACH ROW EXECUTE FUNCTION refuse('which orders a payment pays never changes');
CREATE TRIGGER payment_order_is_never_deleted BEFORE DELETE ON payment_order
FOR EACH ROW EXECUTE FUNCTION refuse('which orders a payment pays never changes');
