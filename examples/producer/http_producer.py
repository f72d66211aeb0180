"""Sends request events over HTTP in batches. Needs `pip install requests`.

    python3 http_producer.py events.ndjson   # one event a line
    python3 http_producer.py                 # a hundred made-up ones
"""

import json
import os
import random
import sys
import time

import requests

from sample_events import sample_events

URL = os.environ.get("WORKER_URL", "http://127.0.0.1:7625")
TOKEN = os.environ.get("HALDANE_TOKEN", "")
BATCH_EVENTS = 1000


def retry_after_s(response):
    value = response.headers.get("Retry-After", "")
    return int(value) if value.isdigit() else 0


def post(session, lines):
    """Repeats one batch byte for byte until the worker has it; it knows repeats by request_id."""
    headers = {"Content-Type": "application/x-ndjson"}
    if TOKEN:
        headers["Authorization"] = f"Bearer {TOKEN}"
    body = ("\n".join(lines) + "\n").encode()
    failures = 0
    while True:
        wait_s = 0
        try:
            response = session.post(f"{URL}/v1/events", data=body, headers=headers, timeout=30)
            # 200 stored, 202 in Kafka, 422 some are not valid and the others are stored.
            if response.status_code in (200, 202, 422):
                answer = response.json()
                for error in answer.get("errors", []):
                    line = lines[error["index"]][:200]
                    print(f"rejected: {error['field']}: {error['message']} in {line}", file=sys.stderr)
                return answer["accepted"], answer["rejected"]
            reason = f"the worker answered {response.status_code}: {response.text[:300]}"
            if response.status_code < 500 and response.status_code not in (408, 429):
                print(reason, file=sys.stderr)  # 401, 413: the same bytes are refused for ever
                return 0, len(lines)
            # 429 (too much is waiting) and 503 (starting, shutting down) say when to come again.
            wait_s = retry_after_s(response)
        except requests.RequestException as error:
            reason = f"no answer: {error}"
        back_off_s = min(10, 0.1 * 2 ** min(failures, 10)) * random.uniform(0.5, 1)
        print(f"{reason}; {len(lines)} events again", file=sys.stderr)
        time.sleep(max(wait_s, back_off_s))
        failures += 1


def batches(lines):
    batch = []
    for line in lines:
        if line.strip():
            batch.append(line.rstrip("\r\n"))
        if len(batch) == BATCH_EVENTS:
            yield batch
            batch = []
    if batch:
        yield batch


def main():
    if len(sys.argv) > 1:
        lines = open(sys.argv[1], encoding="utf-8")
    else:
        lines = (json.dumps(event) for event in sample_events(100))
    accepted = rejected = 0
    with requests.Session() as session:
        for batch in batches(lines):
            good, bad = post(session, batch)
            accepted += good
            rejected += bad
    print(json.dumps({"accepted": accepted, "rejected": rejected}))


if __name__ == "__main__":
    main()
