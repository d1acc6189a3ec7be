"""What fraud decisions are measured on: a long history of payments, a champion with all layers, and payments to judge."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection, transaction
from psycopg2.extras import execute_values

from common.db import use_case
from fraud import services as fraud
from fraud.models import Decision, ModelVersion
from fraud.rules.entities import entities_of
from fraud.rules.facts import Facts
from fraud.rules.features.arithmetic import CHANNEL_CODES, SPLIT, TYPE_CODES, UNKNOWN
from fraud.rules.features.replay import NEVER, Events, replay
from fraud.rules.learning import artifact, boosting, unsupervised
from fraud.rules.learning.boosting import Balance, Choice, Library
from fraud.rules.learning.layers import LayerName
from fraud.rules.learning.stack import Budget, Scaled, Stack, supervised_scale, unsupervised_scale
from fraud.rules.learning.trees import Floats
from fraud.services import registry
from fraud.services.unsealing import signing_key
from identity.models import User

SEED = 20_260_412
DAYS = 90
BUSY_DAYS = 30
PAYEES = 20_000
ADDRESSES = 50_000
HIGHEST_MINOR = 400_00
# The plainest of the choices that training tries first.
CHOICE = Choice(Library.XGBOOST, Balance.NONE)

# Payments of ordinary customers over 90 days, and of the busy one over 30; then each with its number in its customer's
# history. The totals are the sums that requests add up one by one.
_FILL = """
CREATE TEMPORARY TABLE step ON COMMIT DROP AS
WITH paid AS (
    SELECT customer.id AS customer, customer.account, customer.device, customer.device_key, drawn.*
      FROM bench_customer AS customer, LATERAL (
           SELECT %(now)s - random() * customer.span AS at,
                  1 + floor(random() * %(highest)s)::bigint AS minor,
                  floor(random() * %(payees)s)::int AS payee,
                  floor(random() * %(addresses)s)::int AS address
             FROM generate_series(1, customer.payments)) AS drawn
)
SELECT gen_random_uuid() AS decision, customer, account, device, device_key, at, minor,
       payee.name AS payee, payee.key AS payee_key, address.name AS ip, address.key AS ip_key,
       row_number() OVER past AS number, sum(minor) OVER past AS total,
       sum(minor * minor / %(split)s) OVER past AS high, sum(minor * minor %% %(split)s) OVER past AS low,
       count(*) OVER (PARTITION BY customer, paid.payee ORDER BY at) AS paid_payee
  FROM paid JOIN bench_payee AS payee ON payee.number = paid.payee JOIN bench_address AS address ON address.number = paid.address
WINDOW past AS (PARTITION BY customer ORDER BY at);

INSERT INTO fraud_decision (id, subject_kind, subject_id, customer_id, account_ref, account_label, amount_minor, currency,
       amount_base_minor, at, transfer_type, channel, beneficiary_ref, beneficiary_label, ip, country, home_country, device,
       outcome, score, layers, primary_method, confidence, reasons, rule_versions, features, schema_hash, latency_ms)
SELECT decision, 'bench', decision, customer, account, '', minor, 'EUR', minor, at, 'INTERNAL', 'API', payee, '', ip::inet,
       'DE', 'DE', device, 'APPROVED', 0, '{}', '', '', '[]', '{}', '{}', '', 0
  FROM step;

INSERT INTO fraud_activity (decision_id, customer_id, number, at, requested, settled_minor, account_ref, payee_key, device_key,
       ip_key, first_at, last_request_at, transfers, requests, sent_total_minor, settled, settled_total_minor, squares_high,
       squares_low, abroad, risky, own, account_changes, payee_settled, largest_minor, largest_number)
SELECT decision, customer, number, at, true, minor, account, payee_key, device_key, ip_key,
       min(at) OVER customers, at, number, number, total, number, total, high, low, 0,
       sum((paid_payee = 1 AND (extract(hour FROM at AT TIME ZONE 'UTC') >= 23 OR extract(hour FROM at AT TIME ZONE 'UTC') < 6))::int)
           OVER (PARTITION BY customer ORDER BY at),
       0, 0, paid_payee, max(minor * %(split)s + number) OVER so_far / %(split)s, max(minor * %(split)s + number) OVER so_far %% %(split)s
  FROM step WINDOW customers AS (PARTITION BY customer), so_far AS (PARTITION BY customer ORDER BY at);
"""


@dataclass(frozen=True, slots=True)
class Customer:
    id: uuid.UUID
    account: uuid.UUID
    device: str


@dataclass(frozen=True, slots=True)
class Past:
    """The customers whose history was written; the busy one has `busy_payments` in the last 30 days."""

    ordinary: list[Customer]
    busy: Customer
    payments: int
    seconds: float
    until: datetime


def fill(*, payments: int, customers: int, busy_payments: int, now: datetime) -> Past:
    """Write a history of so many payments in a few statements, as `screen` would have left it.

    The decisions of the past keep no vector: a decision never reads one, and they would take two gigabytes.
    """
    began = time.perf_counter()
    dice = random.Random(SEED)  # noqa: S311 (draws payments, guards nothing)
    people = [Customer(_uuid(dice), _uuid(dice), f"device-{number}") for number in range(customers + 1)]
    each = (payments - busy_payments) // customers
    with transaction.atomic(), connection.cursor() as cursor:
        _names(cursor, people, each=each, busy_payments=busy_payments)
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(
            _FILL,
            {
                "now": now,
                "highest": HIGHEST_MINOR,
                "payees": PAYEES,
                "addresses": ADDRESSES,
                "split": SPLIT,
            },
        )
    return Past(people[1:], people[0], each * customers + busy_payments, time.perf_counter() - began, now)


def vacuum() -> None:
    """What autovacuum would do at some moment of its own choice, in the middle of a measurement."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) fraud_decision, fraud_activity")


def _names(cursor: Any, people: list[Customer], *, each: int, busy_payments: int) -> None:
    """Tables of customers, payees and addresses with the keys that features know them by."""
    cursor.execute(
        "CREATE TEMPORARY TABLE bench_customer (id uuid, account uuid, device text, device_key bigint, payments int,"
        " span interval) ON COMMIT DROP;"
        "CREATE TEMPORARY TABLE bench_payee (number int, name text, key bigint) ON COMMIT DROP;"
        "CREATE TEMPORARY TABLE bench_address (number int, name text, key bigint) ON COMMIT DROP"
    )
    rows: list[tuple[object, ...]] = []
    for place, customer in enumerate(people):
        key = entities_of(beneficiary_ref="", device=customer.device, ip=None).device
        span, count = (timedelta(days=BUSY_DAYS), busy_payments) if place == 0 else (timedelta(days=DAYS), each)
        rows.append((customer.id, customer.account, customer.device, key, count, span))
    execute_values(cursor, "INSERT INTO bench_customer VALUES %s", rows, page_size=1000)
    payees = [(n, name, entities_of(beneficiary_ref=name, device="", ip=None).beneficiary) for n, name in _payees()]
    execute_values(cursor, "INSERT INTO bench_payee VALUES %s", payees, page_size=5000)
    addresses = [(n, name, entities_of(beneficiary_ref="", device="", ip=name).ip) for n, name in _addresses()]
    execute_values(cursor, "INSERT INTO bench_address VALUES %s", addresses, page_size=5000)
    cursor.execute("ANALYZE bench_customer, bench_payee, bench_address")


def _payees() -> Iterator[tuple[int, str]]:
    return ((number, f"BENCH-{number}") for number in range(PAYEES))


def _address(number: int) -> str:
    return f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"


def _addresses() -> Iterator[tuple[int, str]]:
    return ((number, _address(number)) for number in range(ADDRESSES))


def _uuid(dice: random.Random) -> uuid.UUID:
    return uuid.UUID(int=dice.getrandbits(128), version=4)


@dataclass(slots=True)
class Payments:
    """Payments one after another, each a little later than the one before, so that customers' histories grow."""

    past: Past
    seed: int
    begin: datetime
    at: datetime = field(init=False)
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 (draws payments, guards nothing)
        self.at = self.begin

    def one(self, customer: Customer | None = None) -> Facts:
        """The next payment of this customer, of any ordinary one without."""
        dice = self.dice
        customer = customer or dice.choice(self.past.ordinary)
        self.at += timedelta(seconds=60)
        amount = dice.randint(1, HIGHEST_MINOR)
        return Facts(
            subject_kind="bench",
            subject_id=_uuid(dice),
            customer_id=customer.id,
            account_ref=customer.account,
            amount_minor=amount,
            currency="EUR",
            amount_base_minor=amount,
            at=self.at,
            transfer_type="INTERNAL",
            channel="API",
            beneficiary_ref=f"BENCH-{dice.randrange(PAYEES)}",
            ip=_address(dice.randrange(ADDRESSES)),
            country="DE",
            home_country="DE",
            device=customer.device,
        )


def decide(payments: Payments, customer: Customer | None = None) -> float:
    """Judge one payment in a transaction of its own; the seconds until it was committed."""
    facts = payments.one(customer)
    began = time.perf_counter()
    with use_case():
        verdict = fraud.screen(facts=facts)
    taken = time.perf_counter() - began
    if len(verdict.layers) != len(LayerName):
        raise RuntimeError(f"only {', '.join(verdict.layers)} took part in a measured decision")
    return taken


def latest() -> datetime:
    """When the latest payment was made."""
    found = Decision.objects.order_by("-at").values_list("at", flat=True).first()
    assert found is not None, "the history is there"
    return found


def let_through_since(moment: datetime) -> float:
    """The share of the payments since then that were let through at once."""
    since = Decision.objects.filter(at__gte=moment)
    return since.filter(outcome="APPROVED").count() / max(since.count(), 1)


def processor_ms() -> tuple[float, float]:
    """Processor time so far of this process, and of the server's process behind this connection (0 where that is elsewhere)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    try:
        server = int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6
    except OSError:
        server = 0.0
    return time.process_time() * 1000, server


def vectors(*, count: int, seed: int = SEED) -> tuple[Floats, Floats]:
    """Vectors of drawn payments, and which of them are to be learnt as frauds: large ones to payees with a past."""
    dice = np.random.default_rng(seed)
    at_us = (
        np.sort(dice.integers(0, DAYS * 86_400_000_000, count))
        + int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 10**6
    )
    customer = dice.integers(0, max(count // 200, 1), count)
    amounts = dice.integers(1, HIGHEST_MINOR, count)
    payee = dice.integers(0, max(count // 50, 1), count)
    frauds = (amounts > HIGHEST_MINOR * 0.8) & (payee % 10 == 0) & (dice.random(count) < 0.7)
    yes = np.ones(count, dtype=bool)
    rows = replay(
        Events(
            at_us=at_us,
            customer=customer,
            account=customer,
            payee=payee,
            device=customer,
            ip=np.full(count, UNKNOWN, dtype=np.int64),
            amount_minor=amounts,
            type_code=np.full(count, TYPE_CODES["INTERNAL"]),
            channel_code=np.full(count, CHANNEL_CODES["API"]),
            away=~yes,
            requested=yes,
            settled=yes,
            known_us=np.where(frauds, at_us + 86_400_000_000, NEVER),
        )
    )
    return rows, frauds.astype(np.float64)


def fitted(rows: Floats, frauds: Floats) -> Stack:
    """All layers, sized as training makes them, with scales that let the payments of a benchmark mostly through."""
    budget = Budget()
    half = len(rows) // 2
    layer = boosting.fit_once(rows[:half], frauds[:half], CHOICE, seed=SEED)
    stack = {LayerName.SUPERVISED: Scaled(layer, supervised_scale(layer.raw(rows[half:]), budget))}
    for name, other in unsupervised.fit(rows[:half], seed=SEED).items():
        stack[name] = Scaled(other, unsupervised_scale(other.raw(rows[:half]), budget))
    return stack


def put_in_charge(stack: Stack, *, golden: Floats, maker: User, checker: User, now: datetime) -> ModelVersion:
    """Seal the layers and promote them as people do."""
    sealed = artifact.seal(stack, golden=golden, about={"metrics": {}}, key=signing_key())
    with use_case():
        version = registry.keep(sealed=sealed, trained_by=None, now=now)
    reason = "A throwaway bank."
    registry.nominate(actor=maker, version_id=version.pk, reason=reason, now=now)
    return registry.promote(actor=checker, version_id=version.pk, reason=reason, now=now)
