"""Events of a made-up model: nine in ten requests go to the stable version."""

import datetime
import random
import uuid


def sample_events(count):
    for _ in range(count):
        now = datetime.datetime.now(datetime.timezone.utc)
        yield {
            "request_id": str(uuid.uuid4()),  # the same for a repeat: duplicates are counted once
            "occurred_at": now.isoformat(timespec="milliseconds"),  # when the request began
            "model_name": "intent-classifier",
            "environment": "production",
            "model_version": "1.5.0" if random.random() < 0.1 else "1.4.2",  # what the router picked
            "outcome": "error" if random.random() < 0.005 else "ok",
            "latency_ms": round(random.uniform(20, 60), 2),
            "locale": random.choice(["de-DE", "en-US"]),
            "device": random.choice(["mobile", "desktop"]),
            "quality_score": round(random.uniform(0.8, 1), 3),  # 0 to 1, where you have one
        }
