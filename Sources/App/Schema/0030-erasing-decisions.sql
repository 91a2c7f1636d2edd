-- What was corrected for a member is found when they are erased.
CREATE INDEX adjustment_member ON adjustment (member_id);
