-- Spark with Delta Lake. The columns come from the table's log.
-- https://docs.delta.io/latest/delta-batch.html
CREATE DATABASE IF NOT EXISTS keytrail;
CREATE TABLE IF NOT EXISTS keytrail.events USING DELTA LOCATION '{lake}/events';
CREATE TABLE IF NOT EXISTS keytrail.log_files USING DELTA LOCATION '{lake}/log_files';
CREATE TABLE IF NOT EXISTS keytrail.rejects USING DELTA LOCATION '{lake}/rejects';
