#!/bin/sh
# Run once by the postgres container on an empty data folder: the hub's two roles, neither of them a superuser.
set -eu
psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 \
  --set app="$POSTGRES_APP_PASSWORD" --set reader="$POSTGRES_READER_PASSWORD" <<'SQL'
CREATE ROLE hub_app LOGIN PASSWORD :'app';
CREATE ROLE hub_metric_ro LOGIN CONNECTION LIMIT 5 PASSWORD :'reader';
ALTER ROLE hub_metric_ro SET default_transaction_read_only = on;
ALTER ROLE hub_metric_ro SET statement_timeout = '5s';
CREATE DATABASE hub OWNER hub_app;
REVOKE ALL ON DATABASE hub FROM PUBLIC;
GRANT CONNECT ON DATABASE hub TO hub_metric_ro;
SQL
