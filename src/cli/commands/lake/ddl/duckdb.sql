-- DuckDB with its delta extension.
-- https://duckdb.org/docs/stable/core_extensions/delta
INSTALL delta;
LOAD delta;
CREATE OR REPLACE VIEW events AS SELECT * FROM delta_scan('{lake}/events');
CREATE OR REPLACE VIEW log_files AS SELECT * FROM delta_scan('{lake}/log_files');
CREATE OR REPLACE VIEW rejects AS SELECT * FROM delta_scan('{lake}/rejects');
