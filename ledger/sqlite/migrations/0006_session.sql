-- Which of several sessions at Fragment made an offer, by the name under which
-- the project lists it; empty where there was only one.
ALTER TABLE invoice ADD COLUMN session TEXT NOT NULL DEFAULT '' CHECK (length(session) <= 64);
