-- Orders that are paid in USDT. Their transfer stands in the wallet's own
-- transaction (orders.phase is 'paid') before it is known whether it arrived:
-- as long as received_lt is missing, such an order is only sent.
CREATE TABLE transit (
  order_id      INTEGER PRIMARY KEY REFERENCES orders (id),
  received_lt   INTEGER CHECK (received_lt > 0),
  received_hash BLOB    CHECK (length(received_hash) = 32),
  CONSTRAINT received_is_whole CHECK ((received_lt IS NULL) = (received_hash IS NULL))
) STRICT;

CREATE TRIGGER transit_begins_on_the_way BEFORE INSERT ON transit
WHEN NEW.received_lt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND phase = 'armed' AND cap_asset <> 'TON')
BEGIN SELECT RAISE(ABORT, 'what is in transit was sent a moment ago, and is no TON'); END;
CREATE TRIGGER transit_ends_once BEFORE UPDATE ON transit
WHEN NEW.order_id <> OLD.order_id OR OLD.received_lt IS NOT NULL OR NEW.received_lt IS NULL
  OR NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND phase = 'paid')
BEGIN SELECT RAISE(ABORT, 'what is in transit arrives once'); END;
CREATE TRIGGER transit_stays BEFORE DELETE ON transit
BEGIN SELECT RAISE(ABORT, 'what was in transit is never deleted'); END;

CREATE TRIGGER order_is_in_transit_unless_it_is_paid_in_ton BEFORE UPDATE OF phase ON orders
WHEN OLD.phase = 'armed' AND NEW.phase = 'paid' AND (NEW.cap_asset <> 'TON') <> EXISTS (SELECT 1 FROM transit WHERE order_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'only TON has arrived when it was sent'); END;
CREATE TRIGGER order_in_transit_is_not_known_to_be_paid BEFORE UPDATE OF phase ON orders
WHEN OLD.phase = 'paid' AND NEW.phase IN ('acknowledged', 'delivered')
 AND EXISTS (SELECT 1 FROM transit WHERE order_id = NEW.id AND received_lt IS NULL)
BEGIN SELECT RAISE(ABORT, 'an order in transit is not known to be paid'); END;
CREATE TRIGGER invoice_is_in_the_asset_of_its_order BEFORE INSERT ON invoice
WHEN NEW.price_asset IS NOT (SELECT cap_asset FROM orders WHERE id = NEW.order_id)
BEGIN SELECT RAISE(ABORT, 'an invoice is in the asset of its order'); END;
