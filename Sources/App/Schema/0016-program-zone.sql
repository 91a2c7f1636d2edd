-- A program's zone may change; days, weeks and months before the change stay those of the zone before. A version that does not change it
-- has none of its own.
ALTER TABLE program_version ADD COLUMN time_zone TEXT;

-- What a change was before it, for those who are told of it.
ALTER TABLE outbox ADD COLUMN changes TEXT;
