-- Athena, engine version 3. The columns come from the table's log.
-- https://docs.aws.amazon.com/athena/latest/ug/delta-lake-tables-getting-started.html
CREATE DATABASE IF NOT EXISTS keytrail;
CREATE EXTERNAL TABLE keytrail.events LOCATION '{lake}/events/' TBLPROPERTIES ('table_type' = 'DELTA');
CREATE EXTERNAL TABLE keytrail.log_files LOCATION '{lake}/log_files/' TBLPROPERTIES ('table_type' = 'DELTA');
CREATE EXTERNAL TABLE keytrail.rejects LOCATION '{lake}/rejects/' TBLPROPERTIES ('table_type' = 'DELTA');
