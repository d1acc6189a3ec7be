"""Transactions from Kafka, across processes: a cluster in memory, consumers that are killed, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from fraud.management.stream import NotAcknowledged, Stream, Topics, obstacle
from fraud.models import Activity, Case, Decision, GatewayTransaction
from fraud.rules.gateway import Gateway as GatewayName
from tests.fraud.callers import Gateway, make_gateway, suspicious, told
from tests.patience import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    """The address of a cluster that lives in another process."""
    host = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "fraud" / "kafka_host.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert host.stdout is not None
    yield host.stdout.readline().strip()
    host.communicate(timeout=PATIENCE)


@pytest.fixture
def gateway(transactional_db: None) -> Gateway:
    return make_gateway("fraud:score")


class Bench:
    """Topics of one test, and consumers as processes on the test's own database."""

    def __init__(self, brokers: str, gateway: Gateway) -> None:
        self.brokers, self.gateway = brokers, gateway
        run = uuid4().hex[:8]
        self.topics = Topics(f"in-{run}", f"out-{run}", f"dead-{run}")
        self.group = f"group-{run}"
        self.running: list[subprocess.Popen[str]] = []

    def send(self, *values: Any) -> None:
        producer = Producer({"bootstrap.servers": self.brokers})
        for value in values:
            body = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
            producer.produce(self.topics.transactions, value=body)
        assert producer.flush(PATIENCE) == 0

    def start(self, *options: str, group: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", "consume_transactions", "--client", self.gateway.client.key_id]
        command += ["--group", group or self.group, "--input", self.topics.transactions, "--session-seconds", "6"]
        command += ["--output", self.topics.decisions, "--dead-letters", self.topics.dead_letters, "--at-once", "5"]
        database = connection.settings_dict
        address = (
            f"postgresql://{quote(database['USER'] or '')}:{quote(database['PASSWORD'] or '')}@/{database['NAME']}"
        )
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.brokers,
            "DATABASE_URL": f"{address}?host={quote(database['HOST'], safe='')}&port={database['PORT'] or 5432}",
            "PGOPTIONS": f"-c role={settings.DATABASE_RUNTIME_ROLE}",
            "PYTHONUNBUFFERED": "1",
        }
        process = subprocess.Popen(
            [*command, *options], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.running.append(process)
        return process

    def stop(self, process: subprocess.Popen[str]) -> str:
        """Ask a consumer to end, which it does when what it has read is answered; what it said."""
        assert process.stdout is not None
        begun = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err[-3000:]
        return begun + out

    def read(self, topic: str, *, at_least: int) -> list[Any]:
        """Everything in a topic, once `at_least` so many messages are there and no more come."""
        reader = Consumer({"bootstrap.servers": self.brokers, "group.id": uuid4().hex, "auto.offset.reset": "earliest"})
        reader.subscribe([topic])
        found: list[Any] = []
        end = monotonic() + PATIENCE
        while monotonic() < end:
            more = [each for each in reader.consume(num_messages=500, timeout=2.0) if each.error() is None]
            found += more
            if not more and len(found) >= at_least:
                break
        reader.close()
        return found

    def answer_all(self, ids: Sequence[str]) -> None:
        """A consumer runs until each of these is answered, whoever answered it."""
        process = self.start()
        until(lambda: {answer["transaction_id"] for answer in self.decisions(at_least=len(ids))} >= set(ids))
        self.stop(process)

    def decisions(self, *, at_least: int) -> list[dict[str, Any]]:
        return [json.loads(each.value()) for each in self.read(self.topics.decisions, at_least=at_least)]


@pytest.fixture
def bench(brokers: str, gateway: Gateway) -> Iterator[Bench]:
    made = Bench(brokers, gateway)
    yield made
    for process in made.running:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_transactions_are_answered_and_poison_is_parked_with_its_reason(bench: Bench) -> None:
    good = [told(transaction_id="a"), suspicious(transaction_id="b")]
    bench.send(*good)
    first = bench.start()
    until(lambda: GatewayTransaction.objects.count() == 2)
    assert "2 answered, 0 parked" in bench.stop(first)
    poison = [
        b"{",
        None,
        b"\xff",
        b'{"amount": NaN}',
        b"[" * 50_000,
        b'{"a": "' + b"x" * 70_000 + b'"}',
        {"transaction_id": "c"},
        told(amount="-1"),
        {**good[0], "amount": "99.00"},
    ]
    # The two again, as a gateway does that did not hear of the answer.
    bench.send(*poison, *good)

    second = bench.start()
    # Those two were sent last.
    answers = bench.decisions(at_least=4)
    assert f"2 answered, {len(poison)} parked" in bench.stop(second), "what was committed is not read again"
    assert Counter(answer["transaction_id"] for answer in answers) == {"a": 2, "b": 2}
    assert len({answer["decision_id"] for answer in answers}) == 2 == Decision.objects.count()
    assert {answer["transaction_id"]: answer["status"] for answer in answers} == {"a": "APPROVED", "b": "PENDING"}
    assert str(Case.objects.get().pk) in {answer["case_id"] for answer in answers}
    dead = bench.read(bench.topics.dead_letters, at_least=len(poison))
    reasons = Counter(dict(each.headers())["reason-code"].decode() for each in dead)
    assert reasons == {
        "unreadable": 4, "empty_message": 1, "too_large": 1, "validation_error": 1, "invalid_amount": 1,
        "transaction_id_reused": 1,
    }  # fmt: skip
    told_back = dict(next(each for each in dead if each.value() == b"{").headers())
    assert told_back["source-topic"].decode() == bench.topics.transactions
    assert int(told_back["source-offset"]) >= 0


def test_a_consumer_killed_in_the_middle_leaves_nothing_lost_and_nothing_scored_twice(bench: Bench) -> None:
    ids = [f"tx-{number}" for number in range(60)]
    bench.send(*(told(transaction_id=each, customer_id=f"card-{each}") for each in ids))
    first = bench.start()
    until(lambda: GatewayTransaction.objects.count() >= 10)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=PATIENCE)
    # Killed again at once, wherever it is, then left alone.
    second = bench.start()
    until(lambda: GatewayTransaction.objects.count() >= 30)
    second.kill()
    second.communicate(timeout=PATIENCE)

    bench.answer_all(ids)

    assert sorted(GatewayTransaction.objects.values_list("reference", flat=True)) == sorted(ids)
    assert Decision.objects.count() == Activity.objects.count() == len(ids)
    answers = bench.decisions(at_least=len(ids))
    by_id = {answer["transaction_id"]: answer["decision_id"] for answer in answers}
    assert sorted(by_id) == sorted(ids)
    assert {(answer["transaction_id"], answer["decision_id"]) for answer in answers} == set(by_id.items())

    # The control: everything is delivered once more, to another group, and nothing is scored again.
    third = bench.start(group=f"{bench.group}-again")
    again = bench.decisions(at_least=len(answers) + len(ids))
    bench.stop(third)
    assert len(again) >= len(answers) + len(ids)
    assert {(answer["transaction_id"], answer["decision_id"]) for answer in again} == set(by_id.items())
    assert Decision.objects.count() == Activity.objects.count() == len(ids)


def test_a_consumer_that_is_asked_to_stop_commits_what_it_answered(bench: Bench) -> None:
    ids = [f"tx-{number}" for number in range(60)]
    bench.send(*(told(transaction_id=each) for each in ids))
    first = bench.start()
    until(lambda: GatewayTransaction.objects.exists())
    assert "answered, 0 parked" in bench.stop(first)
    done = GatewayTransaction.objects.count()
    bench.answer_all(ids)
    answers = bench.decisions(at_least=len(ids))
    assert done <= len(ids)
    # Each exactly once: nothing of what was answered had been left uncommitted.
    assert Counter(answer["transaction_id"] for answer in answers) == dict.fromkeys(ids, 1)


# --- Without a cluster ---------------------------------------------------------------------------------------------------


class FakeMessage:
    def __init__(self, offset: int, value: bytes) -> None:
        self._offset, self._value = offset, value

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return "in"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> None:
        return None

    def value(self) -> bytes:
        return self._value


class FakeKafka:
    """A consumer and a producer that write down what is asked of them; `deaf` brokers acknowledge nothing."""

    def __init__(self, messages: list[FakeMessage]) -> None:
        self.messages, self.at, self.deaf = messages, 0, True
        self.committed: list[int] = []
        self.sought: list[int] = []
        self.sent: list[bytes] = []

    def subscribe(self, topics: list[str]) -> None: ...

    def close(self) -> None: ...

    def consume(self, *, num_messages: int, timeout: float) -> list[FakeMessage]:
        read, self.at = self.messages[self.at :], len(self.messages)
        return read

    def seek(self, place: Any) -> None:
        self.sought.append(place.offset)
        self.at, self.deaf = place.offset, False

    def commit(self, *, offsets: list[Any], asynchronous: bool) -> None:
        self.committed += [place.offset for place in offsets]

    def produce(self, topic: str, *, value: bytes, **_: Any) -> None:
        self.sent.append(value)

    def flush(self, timeout: float) -> int:
        return len(self.sent) if self.deaf else 0


def test_offsets_are_committed_only_after_every_answer_was_acknowledged(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = make_gateway("fraud:score")
    kafka = FakeKafka([FakeMessage(number, json.dumps(told()).encode()) for number in range(3)])
    stream = Stream(
        consumer=kafka,
        producer=kafka,
        topics=Topics("in", "out", "dead"),
        gateway_of=lambda: GatewayName(gateway.client.pk, gateway.client.key_id),
        at_once=10,
    )
    monkeypatch.setattr(stream.stopping, "wait", lambda pause: None)
    monkeypatch.setattr("fraud.management.stream.close_old_connections", lambda: None)

    with pytest.raises(NotAcknowledged):
        stream._handle(kafka.messages)
    assert kafka.committed == []
    stream.run(idle_seconds=0.0)

    assert kafka.sought == [0]
    assert kafka.committed == [3]
    assert len(kafka.sent) == 9
    assert Decision.objects.count() == 3


def test_a_database_that_does_not_answer_is_waited_for_and_nothing_is_parked(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = make_gateway("fraud:score")
    kafka = FakeKafka([FakeMessage(number, json.dumps(told()).encode()) for number in range(3)])
    kafka.deaf = False
    down = iter([True, True, False])

    def gateway_of() -> GatewayName:
        if next(down):
            raise OperationalError("the server closed the connection")
        return GatewayName(gateway.client.pk, gateway.client.key_id)

    stream = Stream(
        consumer=kafka, producer=kafka, topics=Topics("in", "out", "dead"), gateway_of=gateway_of, at_once=10
    )
    pauses: list[float] = []
    monkeypatch.setattr(stream.stopping, "wait", pauses.append)
    monkeypatch.setattr("fraud.management.stream.close_old_connections", lambda: None)

    stream.run(idle_seconds=0.0)

    assert (pauses, kafka.sought, kafka.committed) == ([1.0, 2.0], [0, 0], [3])
    assert (stream.answered, stream.parked, len(kafka.sent)) == (3, 0, 3)


def test_says_what_is_missing(db: None, settings: Any) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = ""
    with pytest.raises(CommandError, match="KAFKA_BOOTSTRAP_SERVERS"):
        call_command("consume_transactions", client="0" * 16)
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    with pytest.raises(CommandError, match="No API client"):
        call_command("consume_transactions", client="0" * 16)
    with pytest.raises(CommandError, match="lacks the scope"):
        call_command("consume_transactions", client=make_gateway("fraud:decide").client.key_id)


def test_the_command_says_which_option_or_setting_is_wrong(gateway: Gateway, settings: Any) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    key = ("--client", gateway.client.key_id)
    for option in (("--at-once", "0"), ("--at-once", "many"), ("--session-seconds", "4000")):
        with pytest.raises(CommandError, match="a whole number from 1 to"):
            call_command("consume_transactions", *key, *option)
    settings.KAFKA_SECURITY = {"security.protocol": "tls"}
    with pytest.raises(CommandError, match='refuses a setting: Invalid value "tls"'):
        call_command("consume_transactions", *key)


def test_the_start_names_brokers_that_do_not_answer_and_topics_that_are_missing(brokers: str) -> None:
    run = uuid4().hex[:8]
    topics = Topics(f"in-{run}", f"out-{run}", f"dead-{run}")
    nobody = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 2})
    assert obstacle(nobody, topics, seconds=0.2).startswith("No broker answers within 0.2 seconds (")
    producer = Producer({"bootstrap.servers": brokers})
    said = obstacle(producer, topics, seconds=PATIENCE)
    assert f"do not know in-{run}, out-{run}, dead-{run}" in said
    for name in (topics.transactions, topics.decisions, topics.dead_letters):
        producer.produce(name, value=b"{}")
    assert producer.flush(PATIENCE) == 0
    assert obstacle(producer, topics, seconds=PATIENCE) == ""
