"""Sends request events to Kafka. Needs `pip install confluent-kafka`.

    KAFKA_BROKERS=localhost:9092 python3 kafka_producer.py events.ndjson   # one event a line
    KAFKA_BROKERS=localhost:9092 python3 kafka_producer.py                 # a hundred made-up ones
"""

import json
import os
import sys

from confluent_kafka import Producer

from sample_events import sample_events

TOPIC = "ml.inference.requests.v1"

producer = Producer(
    {
        "bootstrap.servers": os.environ.get("KAFKA_BROKERS", "localhost:9092"),
        "enable.idempotence": True,  # acks=all, and no repeats by the client itself
        "linger.ms": 200,  # how long an event waits for others of its batch
        "compression.type": "gzip",  # the worker reads gzip or nothing
        "partitioner": "murmur2_random",  # as the Java clients: one key, one partition
    }
)
totals = {"delivered": 0, "failed": 0}


def on_delivery(error, _message):
    totals["failed" if error else "delivered"] += 1
    if error:
        print(f"not delivered: {error}", file=sys.stderr)


def send(event):
    """What your service calls once per request; it waits only while the client's queue is full."""
    value = json.dumps(event).encode()
    while True:
        try:
            # The key spreads requests over the partitions and keeps a repeat beside its first.
            producer.produce(TOPIC, key=event["request_id"], value=value, on_delivery=on_delivery)
            break
        except BufferError:
            producer.poll(0.1)
    producer.poll(0)


def main():
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    send(json.loads(line))
    else:
        for event in sample_events(100):
            send(event)
    producer.flush()
    print(json.dumps(totals))


if __name__ == "__main__":
    main()
