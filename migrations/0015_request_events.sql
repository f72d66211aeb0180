-- breaking: no
-- undo: ALTER TABLE request_events RESET SETTING non_replicated_deduplication_window
--
-- Lets a server recognise a batch that is sent again, also by another worker and while the first one
-- is still being written. The window counts blocks of all partitions: it must outlast the longest
-- statement of a worker that was taken for dead.
ALTER TABLE request_events MODIFY SETTING non_replicated_deduplication_window = 10000
