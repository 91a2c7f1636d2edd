-- What the company enters in its DNS to show that the domain is theirs; letters come from the address once it was seen there. '' was never asked for.
ALTER TABLE mail_domain ADD COLUMN proof TEXT NOT NULL DEFAULT '';
