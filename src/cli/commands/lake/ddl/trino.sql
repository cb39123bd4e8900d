-- Trino, with a catalog "delta" of the Delta Lake connector that has delta.register-table-procedure.enabled=true.
-- https://trino.io/docs/current/connector/delta-lake.html
CREATE SCHEMA IF NOT EXISTS delta.keytrail;
CALL delta.system.register_table(schema_name => 'keytrail', table_name => 'events', table_location => '{lake}/events');
CALL delta.system.register_table(schema_name => 'keytrail', table_name => 'log_files', table_location => '{lake}/log_files');
CALL delta.system.register_table(schema_name => 'keytrail', table_name => 'rejects', table_location => '{lake}/rejects');
