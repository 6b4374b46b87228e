-- How Fragment showed the person behind a handle, at the first use and at each
-- one that differed from what was pinned before.
CREATE TABLE pin (
  handle   TEXT    NOT NULL,
  n        INTEGER NOT NULL CHECK (n >= 1),
  order_id INTEGER NOT NULL REFERENCES orders (id),
  name     TEXT    NOT NULL,
  photo    BLOB             CHECK (length(photo) = 32), -- NULL if there was none
  reason   TEXT    NOT NULL CONSTRAINT pinned_for_a_reason CHECK (reason <> ''),
  PRIMARY KEY (handle, n)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER pin_is_of_a_quoted_order BEFORE INSERT ON pin
WHEN NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND handle = NEW.handle AND phase = 'quoted')
BEGIN SELECT RAISE(ABORT, 'a person is pinned with a quoted order'); END;
CREATE TRIGGER pin_follows_the_newest BEFORE INSERT ON pin
WHEN NEW.n <> (SELECT coalesce(max(n), 0) + 1 FROM pin WHERE handle = NEW.handle)
BEGIN SELECT RAISE(ABORT, 'a pin follows the newest pin of its handle'); END;
CREATE TRIGGER pin_differs_from_the_newest BEFORE INSERT ON pin
WHEN EXISTS (SELECT 1 FROM pin WHERE handle = NEW.handle AND n = NEW.n - 1 AND name = NEW.name AND photo IS NEW.photo
  AND (NEW.reason <> 'confirmed in YAML' OR reason = 'confirmed in YAML'))
BEGIN SELECT RAISE(ABORT, 'a pin says something new'); END;
CREATE TRIGGER pin_is_never_changed BEFORE UPDATE ON pin
BEGIN SELECT RAISE(ABORT, 'a pin is never changed'); END;
CREATE TRIGGER pin_is_never_deleted BEFORE DELETE ON pin
BEGIN SELECT RAISE(ABORT, 'a pin is never deleted'); END;
