#!/usr/bin/env bash
# Sends request events with curl: one, several as lines, a compressed file, a CloudEvent.
set -euo pipefail

url=${WORKER_URL:-http://127.0.0.1:7625}/v1/events
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
run=$(date +%s)-$$

# Waits and tries again on 408, 429 and 5xx, as Retry-After says; any other refusal is an error.
send() {
  curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
    ${HALDANE_TOKEN:+--header "Authorization: Bearer $HALDANE_TOKEN"} "$@" "$url"
  echo
}

event() {
  printf '{"request_id":"%s","occurred_at":"%s","model_name":"intent-classifier","environment":"production","model_version":"%s","outcome":"ok","latency_ms":%s,"locale":"de-DE","device":"mobile"}' \
    "$1" "$now" "$2" "$3"
}

echo 'One event:'
send --header 'Content-Type: application/json' --data-binary "$(event "$run-1" 1.4.2 41.2)"

echo 'Several, one a line:'
{
  event "$run-2" 1.4.2 38.9
  echo
  event "$run-3" 1.5.0 36.4
  echo
} | send --header 'Content-Type: application/x-ndjson' --data-binary @-

echo 'A file, as gzip:'
{
  event "$run-4" 1.4.2 40.1
  echo
  event "$run-5" 1.5.0 35.0
  echo
} | gzip | send --header 'Content-Type: application/x-ndjson' --header 'Content-Encoding: gzip' --data-binary @-

echo 'A CloudEvent in binary mode: the attributes are headers, the body is the data:'
send --header 'Content-Type: application/json' \
  --header 'ce-specversion: 1.0' \
  --header 'ce-type: ml.inference.request.v1' \
  --header 'ce-source: /services/intent-classifier' \
  --header "ce-id: $run-6" \
  --header "ce-time: $now" \
  --data-binary "$(event "$run-6" 1.4.2 44.7)"
