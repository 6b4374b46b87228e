-- The rules of recurring grants, each since the day on which it was first acted
-- upon (days from 1970-01-01; 0 for a grant's first). An edited rule makes no
-- dates before it.
CREATE TABLE rule (
  grant_name TEXT    NOT NULL CHECK (grant_name <> ''),
  n          INTEGER NOT NULL CHECK (n >= 1),
  text       TEXT    NOT NULL CHECK (text <> ''),
  since      INTEGER NOT NULL CONSTRAINT only_the_first_rule_has_no_day CHECK (since >= 0 AND (n = 1) = (since = 0)),
  PRIMARY KEY (grant_name, n)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER rule_follows_another BEFORE INSERT ON rule
WHEN NEW.n > 1 AND NOT EXISTS (
  SELECT 1 FROM rule WHERE grant_name = NEW.grant_name AND n = NEW.n - 1 AND text <> NEW.text AND since <= NEW.since)
BEGIN SELECT RAISE(ABORT, 'a rule follows another one, and no later one'); END;
CREATE TRIGGER rule_is_never_changed BEFORE UPDATE ON rule
BEGIN SELECT RAISE(ABORT, 'a rule is never changed'); END;
CREATE TRIGGER rule_is_never_deleted BEFORE DELETE ON rule
BEGIN SELECT RAISE(ABORT, 'a rule is never deleted'); END;
