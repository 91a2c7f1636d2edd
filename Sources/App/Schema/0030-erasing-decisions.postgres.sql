-- What was corrected for a member is found when they are erased.
CREATE INDEX adjustment_member ON adjustment (member_id);
-- As for other reasons: samples taken to plan queries would outlive the text.
ALTER TABLE commission_decision ALTER COLUMN reason SET STATISTICS 0;
