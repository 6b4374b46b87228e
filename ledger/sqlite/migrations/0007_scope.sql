-- What an order counts for beside its person, a JSON list of texts: its campaign
-- and its labels, as they were written when it was reserved. What is written
-- later does not take it out of their limits.
ALTER TABLE orders ADD COLUMN scopes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(scopes));

CREATE TRIGGER order_keeps_its_scopes BEFORE UPDATE OF scopes ON orders
BEGIN SELECT RAISE(ABORT, 'what an order counts for never changes'); END;
