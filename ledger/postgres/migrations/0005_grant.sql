-- The rules of recurring grants, each since the day on which it was first acted
-- upon (days from 1970-01-01; 0 for a grant's first). An edited rule makes no
-- dates before it.
CREATE TABLE rule (
  grant_name TEXT COLLATE "C" NOT NULL CHECK (grant_name <> ''),
  n          BIGINT NOT NULL CHECK (n >= 1),
  text       TEXT COLLATE "C" NOT NULL CHECK (text <> ''),
  since      BIGINT NOT NULL CONSTRAINT only_the_first_rule_has_no_day CHECK (since >= 0 AND (n = 1) = (since = 0)),
  PRIMARY KEY (grant_name, n)
);

CREATE FUNCTION rule_follows_another() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.n > 1 AND NOT EXISTS (
  SELECT 1 FROM rule WHERE grant_name = NEW.grant_name AND n = NEW.n - 1 AND text <> NEW.text AND since <= NEW.since)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a rule follows another one, and no later one';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER rule_follows_another BEFORE INSERT ON rule
FOR EACH ROW EXECUTE FUNCTION rule_follows_another();
CREATE TRIGGER rule_is_never_changed BEFORE UPDATE ON rule
FOR EACH ROW EXECUTE FUNCTION refuse('a rule is never changed');
CREATE TRIGGER rule_is_never_deleted BEFORE DELETE ON rule
FOR EACH ROW EXECUTE FUNCTION refuse('a rule is never deleted');
-- Orders that are paid in USDT. Their transfer stands in the wallet's own
-- transaction (orders.phase is 'paid') before it is known whether it arrived:
-- as long as received_lt is missing, such an order is only sent.
CREATE TABLE transit (
  order_id      BIGINT PRIMARY KEY REFERENCES orders (id),
  received_lt   BIGINT CHECK (received_lt > 0),
  received_hash BYTEA CHECK (length(received_hash) = 32),
  CONSTRAINT received_is_whole CHECK ((received_lt IS NULL) = (received_hash IS NULL))
);

CREATE FUNCTION transit_begins_on_the_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.received_lt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND phase IN ('armed', 'offered') AND cap_asset <> 'TON')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'what is in transit was sent a moment ago, and is no TON';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER transit_begins_on_the_way BEFORE INSERT ON transit
FOR EACH ROW EXECUTE FUNCTION transit_begins_on_the_way();
CREATE FUNCTION transit_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.order_id <> OLD.order_id OR OLD.received_lt IS NOT NULL OR NEW.received_lt IS NULL
  OR NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND phase = 'paid')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'what is in transit arrives once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER transit_ends_once BEFORE UPDATE ON transit
FOR EACH ROW EXECUTE FUNCTION transit_ends_once();
CREATE TRIGGER transit_stays BEFORE DELETE ON transit
FOR EACH ROW EXECUTE FUNCTION refuse('what was in transit is never deleted');

CREATE FUNCTION order_is_in_transit_unless_it_is_paid_in_ton() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.phase IN ('armed', 'offered') AND NEW.phase = 'paid' AND (NEW.cap_asset <> 'TON') <> EXISTS (SELECT 1 FROM transit WHERE order_id = NEW.id)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'only TON has arrived when it was sent';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_is_in_transit_unless_it_is_paid_in_ton BEFORE UPDATE OF phase ON orders
FOR EACH ROW EXECUTE FUNCTION order_is_in_transit_unless_it_is_paid_in_ton();
CREATE FUNCTION order_in_transit_is_not_known_to_be_paid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.phase = 'paid' AND NEW.phase IN ('acknowledged', 'delivered')
 AND EXISTS (SELECT 1 FROM transit WHERE order_id = NEW.id AND received_lt IS NULL)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an order in transit is not known to be paid';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_in_transit_is_not_known_to_be_paid BEFORE UPDATE OF phase ON orders
FOR EACH ROW EXECUTE FUNCTION order_in_transit_is_not_known_to_be_paid();
CREATE FUNCTION invoice_is_in_the_asset_of_its_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.price_asset IS DISTINCT FROM (SELECT cap_asset FROM orders WHERE id = NEW.order_id)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an invoice is in the asset of its order';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER invoice_is_in_the_asset_of_its_order BEFORE INSERT ON invoice
FOR EACH ROW EXECUTE FUNCTION invoice_is_in_the_asset_of_its_order();
-- How Fragment showed the person behind a handle, at the first use and at each
-- one that differed from what was pinned before.
CREATE TABLE pin (
  handle   TEXT COLLATE "C" NOT NULL,
  n        BIGINT NOT NULL CHECK (n >= 1),
  order_id BIGINT NOT NULL REFERENCES orders (id),
  name     TEXT COLLATE "C" NOT NULL,
  photo    BYTEA CHECK (length(photo) = 32), -- NULL if there was none
  reason   TEXT COLLATE "C" NOT NULL CONSTRAINT pinned_for_a_reason CHECK (reason <> ''),
  PRIMARY KEY (handle, n)
);

CREATE FUNCTION pin_is_of_a_quoted_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND handle = NEW.handle AND phase = 'quoted')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a person is pinned with a quoted order';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pin_is_of_a_quoted_order BEFORE INSERT ON pin
FOR EACH ROW EXECUTE FUNCTION pin_is_of_a_quoted_order();
CREATE FUNCTION pin_follows_the_newest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.n <> (SELECT coalesce(max(n), 0) + 1 FROM pin WHERE handle = NEW.handle)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a pin follows the newest pin of its handle';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pin_follows_the_newest BEFORE INSERT ON pin
FOR EACH ROW EXECUTE FUNCTION pin_follows_the_newest();
CREATE FUNCTION pin_differs_from_the_newest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (EXISTS (SELECT 1 FROM pin WHERE handle = NEW.handle AND n = NEW.n - 1 AND name = NEW.name AND photo IS NOT DISTINCT FROM NEW.photo
  AND (NEW.reason <> 'confirmed in YAML' OR reason = 'confirmed in YAML'))) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a pin says something new';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pin_differs_from_the_newest BEFORE INSERT ON pin
FOR EACH ROW EXECUTE FUNCTION pin_differs_from_the_newest();
CREATE TRIGGER pin_is_never_changed BEFORE UPDATE ON pin
FOR EACH ROW EXECUTE FUNCTION refuse('a pin is never changed');
CREATE TRIGGER pin_is_never_deleted BEFORE DELETE ON pin
FOR EACH ROW EXECUTE FUNCTION refuse('a pin is never deleted');
