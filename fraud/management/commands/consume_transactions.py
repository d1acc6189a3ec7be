"""Score a gateway's transactions from Kafka; many of these may run, each takes its share of the partitions."""

from __future__ import annotations

import argparse
import logging
import signal
from collections.abc import Callable
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fraud.rules.gateway import Gateway
from identity import queries as identity
from identity.models import ApiClient

logger = logging.getLogger(__name__)

# How long the start waits for the brokers before it says that they do not answer.
ANSWERS_WITHIN_SECONDS = 5.0
TOLD_AGAIN_SECONDS = 60.0


class Command(BaseCommand):
    help = "Read transactions of one gateway from Kafka, score them and write the decisions to another topic."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", required=True, help="Key id of the API client in whose name they are scored.")
        topic = "Topic %s (%%(default)s)."
        parser.add_argument("--group", default="bankportal-fraud", help="Consumer group (%(default)s).")
        parser.add_argument("--input", default="transactions", help=topic % "of transactions")
        parser.add_argument("--output", default="fraud-decisions", help=topic % "of decisions")
        parser.add_argument("--dead-letters", default="transactions-dead", help=topic % "of what cannot be scored")
        parser.add_argument(
            "--session-seconds",
            type=_whole(1, 3600),
            default=10,
            help="Silence after which a member counts as gone (%(default)s).",
        )
        parser.add_argument(
            "--at-once",
            type=_whole(1, 10_000),
            default=200,
            help="Messages read, answered and committed together (%(default)s).",
        )
        parser.add_argument("--idle-seconds", type=float, help="End when nothing came for so long; without, never.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from confluent_kafka import Consumer, KafkaException, Producer  # noqa: PLC0415 -- an extra

            from fraud.management.stream import Stream, Topics, obstacle  # noqa: PLC0415 -- needs it
        except ImportError as error:
            raise CommandError(
                "Install the client of Kafka first: .venv/bin/python -m ensurepip, and then "
                ".venv/bin/python -m pip install -r requirements-kafka.txt"
            ) from error
        if not settings.KAFKA_BOOTSTRAP_SERVERS:
            raise CommandError("Set KAFKA_BOOTSTRAP_SERVERS to the brokers, such as kafka:9092.")
        key_id = options["client"]
        _gateway(key_id)
        topics = Topics(options["input"], options["output"], options["dead_letters"])
        try:
            consumer = Consumer(
                {
                    **_shared(),
                    "group.id": options["group"],
                    "auto.offset.reset": "earliest",
                    "enable.auto.commit": False,
                    "session.timeout.ms": options["session_seconds"] * 1000,
                }
            )
            producer = Producer({**_shared(), "enable.idempotence": True, "message.timeout.ms": 20_000})
        except KafkaException as error:
            raise CommandError(f"Kafka's client refuses a setting: {error.args[0].str().strip()}") from error
        stream = Stream(
            consumer=consumer,
            producer=producer,
            topics=topics,
            gateway_of=lambda: _gateway(key_id),
            at_once=options["at_once"],
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stream.stopping.set())
        self.stdout.write(f"Reading {topics.transactions} as a member of {options['group']}.")
        self.stdout.flush()
        found = obstacle(producer, topics, seconds=ANSWERS_WITHIN_SECONDS)
        if found:
            self.stderr.write(f"{found} Waiting for it.")
        stream.run(idle_seconds=options["idle_seconds"])
        self.stdout.write(f"Stopped: {stream.answered} answered, {stream.parked} parked.")


def _shared() -> dict[str, Any]:
    """What consumer and producer have in common. Of connections that fail they say several times a second on the terminal;
    instead each kind of error goes to our log, and again only after a while."""
    told: dict[int, float] = {}

    def tell(error: Any) -> None:
        if monotonic() - told.get(error.code(), -TOLD_AGAIN_SECONDS) >= TOLD_AGAIN_SECONDS:
            told[error.code()] = monotonic()
            logger.warning("kafka: %s", error.str())

    critical = 2
    return {
        "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
        **settings.KAFKA_SECURITY,
        "log_level": critical,
        "error_cb": tell,
    }


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number within bounds."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most} is needed, not {text!r}")
        return int(text)

    return read


def _gateway(key_id: str) -> Gateway:
    client = identity.active_client(key_id=key_id)
    if client is None:
        raise CommandError("No API client in force has this key id.")
    if ApiClient.Scope.FRAUD_SCORE not in client.scopes:
        raise CommandError(f"The key of {client.name} lacks the scope {ApiClient.Scope.FRAUD_SCORE}.")
    return Gateway(client.pk, client.key_id)
