"""The bank workload as Jepsen runs it: money goes round between a few accounts while their total is read again and again.

At every read the total is what it was at the beginning, and no account is below its floor. Some clients call the ledger in
process, some the API over HTTP; all of them use the same accounts, which one customer owns, so that one request reads all.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

import requests
from django.db import connection, connections
from requests.adapters import HTTPAdapter

from bankportal.bench.people import Member
from ledger import queries, services

ACCOUNTS = 8
OPENING_MINOR = 200_00
LARGEST_MINOR = 400_00
SILENCE_SECONDS = 30.0
_KEPT = 5

# Reads, decides, then writes what it computed: what a posting is without the locks that the two UPDATEs take.
WITHOUT_LOCKS = """
CREATE OR REPLACE PROCEDURE ledger_post_transfer(
  p_external_ref uuid, p_debit bigint, p_credit bigint, p_amount bigint, p_kind text, p_description text,
  p_source_kind text, p_source_id text, p_booked_at timestamptz, p_value_date date,
  OUT entry_id bigint, OUT replayed boolean, OUT debit_posted bigint, OUT credit_posted bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  payer ledger_balance := (SELECT b FROM ledger_balance b WHERE b.account_id = p_debit);
  payee ledger_balance := (SELECT b FROM ledger_balance b WHERE b.account_id = p_credit);
  booked timestamptz := greatest(p_booked_at, payer.booked_at, payee.booked_at);
BEGIN
  IF payer.posted - payer.held - p_amount < payer.floor THEN
    PERFORM ledger_explain_refusal(p_debit, -p_amount);
  END IF;
  entry_id := ledger_first_id(booked) + nextval('ledger_entry_number');
  INSERT INTO ledger_entryreference (external_ref, entry_id) VALUES (p_external_ref, ledger_post_transfer.entry_id);
  UPDATE ledger_balance b SET posted = payer.posted - p_amount, seq = payer.seq + 1, booked_at = booked
   WHERE b.account_id = p_debit;
  UPDATE ledger_balance b SET posted = payee.posted + p_amount, seq = payee.seq + 1, booked_at = booked
   WHERE b.account_id = p_credit;
  WITH entry AS (
    INSERT INTO ledger_entry (id, external_ref, kind, description, booked_at, value_date, source_kind, source_id)
    VALUES (ledger_post_transfer.entry_id, p_external_ref, p_kind, p_description, booked, booked::date, p_source_kind, p_source_id)
  )
  INSERT INTO ledger_posting (entry_id, no, account_id, amount, currency, booked_at, account_seq, balance_after)
  VALUES (ledger_post_transfer.entry_id, 1, p_debit, -p_amount, payer.currency, booked, payer.seq + 1, payer.posted - p_amount),
         (ledger_post_transfer.entry_id, 2, p_credit, p_amount, payee.currency, booked, payee.seq + 1, payee.posted + p_amount);
  replayed := false; debit_posted := payer.posted - p_amount; credit_posted := payee.posted + p_amount;
END $$;
"""
SEQUENCE_GUARDS = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ledger_posting%\\_account\\_seq'"


@dataclass(frozen=True, slots=True)
class Reading:
    """Total in minor units, and what may still leave each account."""

    total: int
    available: Sequence[int]


class Way(Protocol):
    """How a client reaches the bank."""

    def transfer(self, debit: int, credit: int, amount_minor: int) -> bool:
        """Move money between two accounts by their places; False when there is not enough."""

    def read(self) -> Reading:
        """All accounts at one moment."""

    def close(self) -> None:
        """Let go of connections."""


class InProcess:
    """The posting service, called by this program."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._ids = [member.ledger_account_id for member in members]

    def transfer(self, debit: int, credit: int, amount_minor: int) -> bool:
        try:
            services.post_transfer(
                external_ref=uuid.uuid4(),
                debit_account_id=self._ids[debit],
                credit_account_id=self._ids[credit],
                amount_minor=amount_minor,
                kind="bank",
                description="Round and round",
                source_kind="bank",
                source_id="1",
                booked_at=datetime.now(UTC),
            )
        except services.InsufficientFunds:
            return False
        return True

    def read(self) -> Reading:
        found = queries.balances(self._ids).values()
        return Reading(sum(one.posted for one in found), [one.available or 0 for one in found])

    def close(self) -> None:
        connections.close_all()


class OverHttp:
    """The API, with an access token of the accounts' owner."""

    def __init__(self, address: str, members: Sequence[Member], *, token: str, pin: str) -> None:
        self._address = address
        self._ids = [str(member.account_id) for member in members]
        self._pin = pin
        self._session = requests.Session()
        self._session.mount(address, HTTPAdapter(pool_maxsize=1))
        self._session.headers["Authorization"] = f"Bearer {token}"

    def transfer(self, debit: int, credit: int, amount_minor: int) -> bool:
        order = {
            "debit_account": self._ids[debit],
            "credit_account": self._ids[credit],
            "amount": str(Decimal(amount_minor) / 100),
            "pin": self._pin,
        }
        answer = self._session.post(
            f"{self._address}/api/v1/transactions/transfer",
            json=order,
            headers={"Idempotency-Key": str(uuid.uuid4())},
            timeout=SILENCE_SECONDS,
        )
        if answer.status_code == 409 and answer.json()["code"] == "insufficient_funds":
            return False
        if answer.status_code != 201:
            raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
        return True

    def read(self) -> Reading:
        answer = self._session.get(f"{self._address}/api/v1/accounts/", timeout=SILENCE_SECONDS)
        answer.raise_for_status()
        rows = [row for row in answer.json()["results"] if row["id"] in self._ids]
        return Reading(
            sum(_minor(row["balance"]) for row in rows) if len(rows) == len(self._ids) else -1,
            [_minor(row["available"]) for row in rows],
        )

    def close(self) -> None:
        self._session.close()
        connections.close_all()


def _minor(text: str) -> int:
    return int(Decimal(text) * 100)


@dataclass
class Outcome:
    """What the clients saw. `broken` says for each bad read what was wrong; `failed` counts what was neither done nor
    refused, and `failures` has the first of them.
    """

    transfers: int = 0
    refused: int = 0
    reads: int = 0
    seconds: float = 0.0
    failed: int = 0
    broken: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Workload:
    """Clients that transfer and read until the time is up or a read is bad."""

    def __init__(self, *, total: int, seed: int, largest_minor: int = LARGEST_MINOR) -> None:
        self._total = total
        self._seed = seed
        self._largest_minor = largest_minor
        self._outcome = Outcome()
        self._lock = threading.Lock()

    def run(self, ways: Sequence[Callable[[], Way]], *, seconds: float) -> Outcome:
        """One client a way, each in a thread that makes its own connection."""
        began = time.monotonic()
        until = began + seconds
        threads = [
            threading.Thread(target=self._client, args=(way, random.Random(self._seed + place), until))  # noqa: S311
            for place, way in enumerate(ways)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._outcome.seconds = round(time.monotonic() - began, 1)
        return self._outcome

    def _client(self, make: Callable[[], Way], dice: random.Random, until: float) -> None:
        way = make()
        try:
            while time.monotonic() < until and not self._outcome.broken:
                try:
                    self._step(way, dice)
                except Exception as problem:  # noqa: BLE001 -- whatever it is, the report must say it
                    self._fail(problem)
        finally:
            way.close()

    def _step(self, way: Way, dice: random.Random) -> None:
        if dice.random() < 0.5:
            self._look(way.read())
        else:
            debit, credit = dice.sample(range(ACCOUNTS), 2)
            self._count(way.transfer(debit, credit, dice.randint(1, self._largest_minor)))

    def _fail(self, problem: Exception) -> None:
        with self._lock:
            self._outcome.failed += 1
            if len(self._outcome.failures) < _KEPT:
                self._outcome.failures.append(f"{type(problem).__name__}: {problem}".strip()[:500])

    def _count(self, done: bool) -> None:
        with self._lock:
            self._outcome.transfers += done
            self._outcome.refused += not done

    def _look(self, reading: Reading) -> None:
        with self._lock:
            self._outcome.reads += 1
            if reading.total != self._total:
                self._outcome.broken.append(f"the total is {reading.total}, not {self._total}")
            if min(reading.available) < 0:
                self._outcome.broken.append(f"an account is {-min(reading.available)} below its floor")


@contextmanager
def without_locks(owner: Callable[[], Any], *, guards: bool) -> Iterator[None]:
    """Take the locks out of the posting; without `guards` also the indexes that would refuse what comes of it.

    `owner()` gives a context with a cursor of a superuser. Without `guards` all postings are thrown away at the end: they
    are wrong, and the indexes could not come back. Only for a bank that nobody needs.
    """
    with owner() as cursor:
        cursor.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'ledger_post_transfer'")
        before = cursor.fetchone()[0]
        cursor.execute(SEQUENCE_GUARDS)
        indexes = cursor.fetchall() if not guards else []
        cursor.execute(WITHOUT_LOCKS)
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
    try:
        yield
    finally:
        with owner() as cursor:
            cursor.execute(before)
            if indexes:
                cursor.execute("SET session_replication_role = replica")
                cursor.execute("TRUNCATE ledger_posting")
                cursor.execute("SET session_replication_role = origin")
            for _, definition in indexes:
                cursor.execute(definition)


@contextmanager
def own_rights() -> Iterator[Any]:
    """`owner` for a connection that is the owner's already."""
    with connection.cursor() as cursor:
        yield cursor
