"""Score a gateway's transactions from Kafka; many of these may run, each takes its share of the partitions."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fraud.rules.gateway import Gateway
from identity import queries as identity
from identity.models import ApiClient


class Command(BaseCommand):
    help = "Read transactions of one gateway from Kafka, score them and write the decisions to another topic."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", required=True, help="Key id of the API client in whose name they are scored.")
        parser.add_argument("--group", default="bankportal-fraud", help="Consumer group.")
        parser.add_argument("--input", default="transactions", help="Topic of transactions.")
        parser.add_argument("--output", default="fraud-decisions", help="Topic of decisions.")
        parser.add_argument("--dead-letters", default="transactions-dead", help="Topic of what cannot be scored.")
        parser.add_argument(
            "--session-seconds", type=int, default=10, help="Silence after which a member counts as gone."
        )
        parser.add_argument("--at-once", type=int, default=200, help="Messages read, answered and committed together.")
        parser.add_argument("--idle-seconds", type=float, help="End when nothing came for so long; without, never.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from confluent_kafka import Consumer, Producer  # noqa: PLC0415 -- an extra

            from fraud.management.stream import Stream, Topics  # noqa: PLC0415 -- needs it
        except ImportError as error:
            raise CommandError(
                "Install the client of Kafka first: .venv/bin/python -m pip install -r requirements-kafka.txt"
            ) from error
        if not settings.KAFKA_BOOTSTRAP_SERVERS:
            raise CommandError("Set KAFKA_BOOTSTRAP_SERVERS to the brokers, such as kafka:9092.")
        key_id = options["client"]
        _gateway(key_id)
        shared = {"bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS, **settings.KAFKA_SECURITY}
        stream = Stream(
            consumer=Consumer(
                {
                    **shared,
                    "group.id": options["group"],
                    "auto.offset.reset": "earliest",
                    "enable.auto.commit": False,
                    "session.timeout.ms": options["session_seconds"] * 1000,
                }
            ),
            producer=Producer({**shared, "enable.idempotence": True, "message.timeout.ms": 20_000}),
            topics=Topics(options["input"], options["output"], options["dead_letters"]),
            gateway_of=lambda: _gateway(key_id),
            at_once=options["at_once"],
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stream.stopping.set())
        self.stdout.write(f"Reading {options['input']} as a member of {options['group']}.")
        self.stdout.flush()
        stream.run(idle_seconds=options["idle_seconds"])
        self.stdout.write(f"Stopped: {stream.answered} answered, {stream.parked} parked.")


def _gateway(key_id: str) -> Gateway:
    client = identity.active_client(key_id=key_id)
    if client is None:
        raise CommandError("No API client in force has this key id.")
    if ApiClient.Scope.FRAUD_SCORE not in client.scopes:
        raise CommandError(f"The key of {client.name} lacks the scope {ApiClient.Scope.FRAUD_SCORE}.")
    return Gateway(client.pk, client.key_id)
