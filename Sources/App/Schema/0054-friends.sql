-- The page on which a friend is greeted: what a company says on it, and what members say in their own words.
CREATE TABLE friend_page (
    program_id TEXT NOT NULL PRIMARY KEY REFERENCES program (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    -- Whether members are given its address to share, in place of the link that leads straight to the shop.
    is_shared INTEGER NOT NULL CHECK (is_shared IN (0, 1)),
    headline TEXT NOT NULL,
    lead TEXT NOT NULL,
    button TEXT NOT NULL,
    -- A JSON list of lines.
    details TEXT NOT NULL,
    terms_url TEXT NOT NULL,
    privacy_url TEXT NOT NULL,
    imprint_url TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX friend_page_workspace ON friend_page (workspace_id);
CREATE TABLE recommendation (
    member_id TEXT NOT NULL PRIMARY KEY REFERENCES member (id),
    -- In the member's own words, under their key. NULL: none.
    words_sealed BLOB,
    shows_name INTEGER NOT NULL CHECK (shows_name IN (0, 1)),
    -- Somebody of the team took the words off the page.
    hidden_at INTEGER,
    changed_at INTEGER NOT NULL
) STRICT;
