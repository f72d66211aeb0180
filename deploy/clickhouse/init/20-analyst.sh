#!/bin/bash
# Creates the user `analyst` when the server is set up for the first time.
set -e
hash=$(tr -d '\n' < /run/secrets/analyst-password | sha256sum | cut -d ' ' -f 1)
clickhouse-client --host 127.0.0.1 --user "$CLICKHOUSE_USER" --password "$CLICKHOUSE_PASSWORD" \
  --query "CREATE USER IF NOT EXISTS analyst IDENTIFIED WITH sha256_hash BY '$hash'"
clickhouse-client --host 127.0.0.1 --user "$CLICKHOUSE_USER" --password "$CLICKHOUSE_PASSWORD" \
  --query "GRANT haldane_analyst TO analyst"
