"""Transactions of a gateway as a stream: read, scored like those of the API, answered, and only then committed.

A message may come again (a crash, a rebalance); its transaction id is stored with the decision in one transaction of
the database, so it is scored once and answered again with the same decision. What can never be scored is parked in the
dead-letter topic with the reason, so that it holds nothing up.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.utils.encoders import JSONEncoder

from common.errors import DomainError, Unavailable
from common.rest import faults
from fraud import services
from fraud.queries import transactions
from fraud.queries.transactions import Reader
from fraud.rules.gateway import Gateway, Told
from fraud.serializers import TransactionIn, TransactionOut

logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024
ACKNOWLEDGED_WITHIN_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 30.0
# What mends itself: the messages are read again after a pause.
_PASSING = (OperationalError, InterfaceError, KafkaException, Unavailable)


@dataclass(frozen=True, slots=True)
class Topics:
    transactions: str
    decisions: str
    dead_letters: str


@dataclass(frozen=True, slots=True)
class Poison:
    """Why a message can never be scored."""

    code: str
    detail: str


class NotAcknowledged(Unavailable):
    code = "not_acknowledged"
    message = "Kafka did not acknowledge every answer."


class Stream:
    """One member of the consumer group, which reads `at_once` messages at most before it commits.

    `gateway_of` says in whose name they are scored; it raises when nobody may go on.
    """

    def __init__(
        self, *, consumer: Consumer, producer: Producer, topics: Topics, gateway_of: Callable[[], Gateway], at_once: int
    ) -> None:
        self.consumer, self.producer, self.topics = consumer, producer, topics
        self.gateway_of = gateway_of
        self.at_once = at_once
        self.stopping = Event()
        self.answered = self.parked = 0
        self._shape = TransactionIn()
        self._unacknowledged: list[str] = []

    def run(self, *, idle_seconds: float | None = None) -> None:
        """Until `stopping` is set, or nothing came for `idle_seconds`. What was read is finished first."""
        self.consumer.subscribe([self.topics.transactions])
        pause, last = 0.0, monotonic()
        try:
            while not self.stopping.is_set():
                messages = self._read()
                if not messages:
                    if idle_seconds is not None and monotonic() - last > idle_seconds:
                        return
                    continue
                try:
                    self._handle(messages)
                    pause = 0.0
                except _PASSING:
                    pause = min(max(1.0, 2 * pause), LONGEST_PAUSE_SECONDS)
                    logger.exception("transactions are read again", extra={"pause_seconds": pause})
                    self._go_back(messages)
                    close_old_connections()
                    self.stopping.wait(pause)
                last = monotonic()
        finally:
            self.consumer.close()

    def _read(self) -> list[Message]:
        read = []
        for message in self.consumer.consume(num_messages=self.at_once, timeout=0.5):
            error = message.error()
            if error is None:
                read.append(message)
            elif error.fatal():
                raise KafkaException(error)
            else:
                logger.warning("kafka: %s", error)
        return read

    def _handle(self, messages: Sequence[Message]) -> None:
        gateway = self.gateway_of()
        found = [self._told(message) for message in messages]
        told = {place: each for place, each in enumerate(found) if isinstance(each, Told)}
        answers = _analyzed(gateway, told)
        passing = [each for each in answers.values() if isinstance(each, Unavailable)]
        if passing:
            raise passing[0]
        ids = {place: each.pk for place, each in answers.items() if not isinstance(each, DomainError | Poison)}
        decisions = transactions.by_id(Reader(gateway.client_id, sees_bank=False), transaction_ids=set(ids.values()))
        for place, message in enumerate(messages):
            if place in ids:
                self._answer(message, TransactionOut.show(decisions[ids[place]]))
            else:
                self._park(message, found[place], answers.get(place))
        self._wait_for_acknowledgements()
        self._commit(messages)
        self.answered += len(ids)
        self.parked += len(messages) - len(ids)

    def _told(self, message: Message) -> Told | Poison:
        value = message.value()
        if not isinstance(value, bytes) or not value:
            return Poison("empty_message", "The message has no value.")
        if len(value) > MAX_BYTES:
            return Poison("too_large", f"A transaction has {MAX_BYTES // 1024} kB at most.")
        try:
            body = json.loads(value.decode(), parse_constant=_no_constant)
            return Told(**self._shape.run_validation(body))
        except ValidationError as error:
            rows = [f"{row['field']}: {row['message']}" for row in faults(error.detail)]
            return Poison("validation_error", "; ".join(rows))
        except (ValueError, RecursionError):
            return Poison("unreadable", "The value is no JSON text in UTF-8.")

    def _answer(self, message: Message, body: Any) -> None:
        value = json.dumps(body, cls=JSONEncoder).encode()
        self._send(self.topics.decisions, key=message.key() or body["transaction_id"], value=value, of=message)

    def _park(self, message: Message, read: Told | Poison, answer: services.Analyzed | Poison | None) -> None:
        why = read if isinstance(read, Poison) else answer
        if isinstance(why, DomainError):
            why = Poison(why.error_code, why.text)
        assert isinstance(why, Poison), "what was scored is answered"
        logger.warning("a transaction cannot be scored", extra={"code": why.code, "offset": message.offset()})
        headers = [("reason-code", why.code), ("reason", why.detail[:1000])]
        self._send(self.topics.dead_letters, key=message.key(), value=message.value(), of=message, headers=headers)

    def _send(self, topic: str, *, key: Any, value: Any, of: Message, headers: Sequence[tuple[str, str]] = ()) -> None:
        told: list[tuple[str, str | bytes | None]] = [
            *headers,
            ("source-topic", str(of.topic())),
            ("source-partition", str(of.partition())),
            ("source-offset", str(of.offset())),
        ]
        while True:
            try:
                self.producer.produce(topic, key=key, value=value, headers=told, on_delivery=self._delivered)
                return
            except BufferError:
                # The queue in front of the network is full: wait until a part of it is gone.
                self.producer.poll(0.1)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._unacknowledged.append(str(error))

    def _wait_for_acknowledgements(self) -> None:
        left = self.producer.flush(ACKNOWLEDGED_WITHIN_SECONDS)
        failed, self._unacknowledged = self._unacknowledged, []
        if left or failed:
            raise NotAcknowledged(data={"left": left, "errors": failed[:5]})

    def _commit(self, messages: Sequence[Message]) -> None:
        ends: dict[tuple[str, int], int] = {}
        for message in messages:
            ends[str(message.topic()), int(message.partition() or 0)] = int(message.offset() or 0) + 1
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in ends.items()]
        try:
            self.consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException:
            # The partitions went to another member, who reads these again and answers the same.
            logger.exception("offsets were not committed")

    def _go_back(self, messages: Sequence[Message]) -> None:
        firsts: dict[tuple[str, int], int] = {}
        for message in messages:
            firsts.setdefault((str(message.topic()), int(message.partition() or 0)), int(message.offset() or 0))
        for (topic, partition), offset in firsts.items():
            try:
                self.consumer.seek(TopicPartition(topic, partition, offset))
            except KafkaException:
                logger.warning("partition %s went to another member, who reads it from what was committed", partition)


def obstacle(producer: Producer, topics: Topics, *, seconds: float) -> str:
    """Why nothing can be read yet, in a sentence; empty when brokers answer and know the topics."""
    try:
        known = producer.list_topics(timeout=seconds).topics
    except KafkaException as error:
        return f"No broker answers within {seconds:g} seconds ({error.args[0].str()})."
    missing = [name for name in (topics.transactions, topics.decisions, topics.dead_letters) if name not in known]
    if not missing:
        return ""
    return f"The brokers do not know {', '.join(missing)}: make what they do not make by themselves."


def _analyzed(gateway: Gateway, told: dict[int, Told]) -> dict[int, services.Analyzed | Poison]:
    now = timezone.now()
    try:
        return dict(services.analyze_each(gateway=gateway, told=told, now=now))
    except _PASSING:
        raise
    except Exception:
        logger.exception("transactions fail together, so each is scored alone")
    alone: dict[int, services.Analyzed | Poison] = {}
    for place, one in told.items():
        try:
            alone |= services.analyze_each(gateway=gateway, told={place: one}, now=now)
        except _PASSING:
            raise
        except Exception:
            logger.exception("a transaction cannot be scored")
            alone[place] = Poison("internal_error", "Scoring this transaction fails; the log says why.")
    return alone


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
