"""A Kafka cluster in memory, in a process of its own: prints its address and lives until its standard input ends."""

from __future__ import annotations

import sys

from confluent_kafka import Producer


def main() -> None:
    host = Producer({"bootstrap.servers": "ignored", "test.mock.num.brokers": 1, "log_level": 2})
    brokers = host.list_topics(timeout=600).brokers.values()
    print(",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
