-- Records as the log files had them, put together from the columns
-- grain: one row per event
-- parameter: event_ids text: a list of events
SELECT eventid AS event_id, eventjson AS record
FROM event_data_store
WHERE array_has($event_ids, eventid)
