-- breaking: no
-- undo: ALTER TABLE feedback_events RESET SETTING non_replicated_deduplication_window
--
-- As 0015 does for request_events.
ALTER TABLE feedback_events MODIFY SETTING non_replicated_deduplication_window = 10000
