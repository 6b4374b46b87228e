-- A line of Fragment's list may name somebody else for what an order bought.
-- It is kept with the order, which is held, and is evidence of nothing.
DROP TRIGGER listed_is_of_its_order;
CREATE TRIGGER listed_is_of_its_order BEFORE INSERT ON listed
WHEN NOT EXISTS (SELECT 1 FROM orders o JOIN invoice i ON i.order_id = o.id AND i.n = o.invoice
    WHERE o.id = NEW.order_id AND o.kind = NEW.kind AND o.quantity = NEW.quantity
      AND iif(o.handle = NEW.handle, o.phase IN ('paid', 'acknowledged'), o.phase = 'acknowledged' OR o.phase = 'delivered' AND o.evidence = 'page')
      AND i.quoted <= NEW.time AND (NEW.asset, NEW.price) IN (VALUES ('', 0), (i.price_asset, i.price)))
 AND NOT EXISTS (SELECT 1 FROM found f
    WHERE f.order_id = NEW.order_id AND NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id)
      AND f.kind = NEW.kind AND f.quantity = NEW.quantity AND (NEW.asset, NEW.price) IN (VALUES ('', 0), (f.asset, f.amount)))
BEGIN SELECT RAISE(ABORT, 'a row is of the order that it names'); END;

DROP TRIGGER order_is_listed_where_history_shows_it;
CREATE TRIGGER order_is_listed_where_history_shows_it BEFORE UPDATE OF phase ON orders
WHEN NEW.phase = 'delivered' AND OLD.phase IN ('paid', 'acknowledged')
 AND ((NEW.evidence = 'history') <> EXISTS (SELECT 1 FROM listed WHERE order_id = NEW.id)
   OR EXISTS (SELECT 1 FROM listed WHERE order_id = NEW.id AND handle <> NEW.handle))
BEGIN SELECT RAISE(ABORT, 'history is evidence where a row of it is the order''s'); END;

DROP TRIGGER order_is_held_again_for_a_bounce;
CREATE TRIGGER order_is_held_again_for_a_bounce BEFORE UPDATE ON orders
WHEN OLD.phase IN ('delivered', 'held') AND NEW.phase = 'held' AND NEW.bounces = OLD.bounces
 AND (OLD.phase = 'held' OR OLD.evidence <> 'page' OR NOT EXISTS (SELECT 1 FROM listed WHERE order_id = NEW.id AND handle <> NEW.handle))
BEGIN SELECT RAISE(ABORT, 'a delivered or held order is held only for a bounce, or because it went astray'); END;
