-- The members right below somebody are read in the order of their ids, some at a time, whoever has a million of them.
DROP INDEX member_enroller;
CREATE INDEX member_enroller ON member (enroller_id, id);
DROP INDEX placement_parent;
CREATE INDEX placement_parent ON placement (program_id, tree, parent_id, member_id);
