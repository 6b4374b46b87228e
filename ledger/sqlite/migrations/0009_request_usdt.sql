-- A person may also be asked to pay in USDT. What such a transaction paid is in
-- transit, as what this program sends is.
DROP TRIGGER request_order_asks_for_a_quoted_order;
CREATE TRIGGER request_order_asks_for_a_quoted_order BEFORE INSERT ON request_order
WHEN NOT EXISTS (SELECT 1 FROM orders o JOIN request r ON r.wallet = o.wallet JOIN invoice i ON i.order_id = o.id AND i.n = o.invoice
  WHERE o.id = NEW.order_id AND r.id = NEW.request AND o.phase = 'quoted' AND i.valid_until >= r.valid_until)
BEGIN SELECT RAISE(ABORT, 'a request asks for quoted orders of its wallet, and not for longer than they are offered'); END;

DROP TRIGGER transit_begins_on_the_way;
CREATE TRIGGER transit_begins_on_the_way BEFORE INSERT ON transit
WHEN NEW.received_lt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND phase IN ('armed', 'offered') AND cap_asset <> 'TON')
BEGIN SELECT RAISE(ABORT, 'what is in transit was sent a moment ago, and is no TON'); END;

DROP TRIGGER order_is_in_transit_unless_it_is_paid_in_ton;
CREATE TRIGGER order_is_in_transit_unless_it_is_paid_in_ton BEFORE UPDATE OF phase ON orders
WHEN OLD.phase IN ('armed', 'offered') AND NEW.phase = 'paid' AND (NEW.cap_asset <> 'TON') <> EXISTS (SELECT 1 FROM transit WHERE order_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'only TON has arrived when it was sent'); END;
