"""Payments over HTTP while parts of the bank are killed: what was acknowledged is there once, and nothing is there twice.

The clients are a process of their own. Each pays in turn under a key; without an answer it sends the same request again,
as a careful program does, until it gets one. An answer of 201 is an acknowledgement: from then on the payment must be there.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from bankportal.bench.stack import PASSWORD, PIN, READY_SECONDS, Stack, until

PARTS = ("postgres", "web", "worker", "valkey")
CLIENTS = 6
# An access token lives five minutes.
_TOKEN_SECONDS = 200.0
_PAUSE_SECONDS = 0.05
_LET_THROUGH = """
import django
django.setup()
from django.utils import timezone
from bankportal.bench import people
from identity.models import User
maker, checker = (User.objects.get(email=f"{name}@demo.example") for name in ("compliance", "compliance2"))
people.let_through(maker=maker, checker=checker, now=timezone.now())
"""


@dataclass(frozen=True, slots=True)
class Payer:
    """A customer's side of the payments: who pays, from which account, to whom."""

    email: str
    debit_account: str
    payee_number: str
    payee_name: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """`payment_id` was answered with 201; `tries` is how many requests that took."""

    payment_id: str
    tries: int


class _Clients:
    """The load, inside its own process."""

    def __init__(self, url: str, payers: list[Payer], results: Any, stop: Any) -> None:
        self._url = url
        self._payers = payers
        self._results = results
        self._stop = stop
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def run(self) -> None:
        threads = [
            threading.Thread(target=self._pay_on, args=(random.Random(place),))  # noqa: S311
            for place in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _pay_on(self, dice: random.Random) -> None:
        session = requests.Session()
        while not self._stop.is_set():
            payer = dice.choice(self._payers)
            order = {
                "debit_account": payer.debit_account,
                "payee_number": payer.payee_number,
                "payee_name": payer.payee_name,
                "amount": f"0.{dice.randint(1, 99):02}",
                "pin": PIN,
            }
            self._pay(session, payer, order, key=str(uuid.uuid4()))

    def _pay(self, session: requests.Session, payer: Payer, order: dict[str, str], *, key: str) -> None:
        """The same request again and again until it is answered. Never answered is never acknowledged."""
        tries = 0
        while not self._stop.is_set():
            tries += 1
            try:
                answer = session.post(
                    f"{self._url}/api/v1/transactions/transfer",
                    json=order,
                    headers={"Authorization": f"Bearer {self._token(payer)}", "Idempotency-Key": key},
                    timeout=20,
                )
            except (requests.RequestException, LookupError):
                time.sleep(_PAUSE_SECONDS)
                continue
            if answer.status_code == 201:
                self._results.put(Acknowledged(answer.json()["id"], tries))
                return
            if answer.status_code in (401, 409, 429) or answer.status_code >= 500:
                time.sleep(_PAUSE_SECONDS)
                continue
            self._results.put(f"{answer.status_code}: {answer.text[:300]}")
            return

    def _token(self, payer: Payer) -> str:
        """Raises LookupError while nobody can sign in."""
        with self._lock:
            token, since = self._tokens.get(payer.email, ("", 0.0))
            if not token or time.monotonic() - since > _TOKEN_SECONDS:
                credentials = {"email": payer.email, "password": PASSWORD}
                answer = requests.post(f"{self._url}/api/v1/auth/token", json=credentials, timeout=20)
                if answer.status_code != 200:
                    raise LookupError(answer.text[:200])
                token, since = answer.json()["access"], time.monotonic()
                self._tokens[payer.email] = (token, since)
            return token


class Load:
    """Clients that pay until the block ends, and what they were told."""

    def __init__(self, bank: Stack) -> None:
        context = multiprocessing.get_context("fork")
        self._results: Any = context.Queue()
        self._stop = context.Event()
        clients = _Clients(bank.url, _payers(bank), self._results, self._stop)
        self._process = context.Process(target=clients.run, daemon=True)
        self.acknowledged: list[Acknowledged] = []
        self.refusals: list[str] = []

    def __enter__(self) -> Load:
        self._process.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.end()

    def end(self) -> None:
        """Let the clients finish what they wait for, and take in the rest."""
        self._stop.set()
        deadline = time.monotonic() + READY_SECONDS
        while self._process.is_alive() and time.monotonic() < deadline:
            self.listen()
            time.sleep(0.05)
        self._process.kill()
        self.listen()

    def listen(self) -> int:
        """Take in what came; returns how many payments are acknowledged by now."""
        while not self._results.empty():
            found = self._results.get()
            if isinstance(found, Acknowledged):
                self.acknowledged.append(found)
            else:
                self.refusals.append(found)
        return len(self.acknowledged)

    def goes_on(self, *, count: int, seconds: float = READY_SECONDS) -> bool:
        """Whether so many more payments are acknowledged in time."""
        wanted = self.listen() + count
        return until(lambda: self.listen() >= wanted, seconds=seconds)


@contextmanager
def opened(stack: Stack) -> Iterator[Stack]:
    """An open bank, with a rule on velocity that lets the load through."""
    try:
        stack.open()
        let_through(stack)
        yield stack
    finally:
        stack.close()


def let_through(bank: Stack) -> None:
    """Put that rule live."""
    bank.run("-c", _LET_THROUGH)


def _payers(bank: Stack) -> list[Payer]:
    people = [bank.customer(f"{name}@demo.example") for name in ("mira", "jonas")]
    accounts = [next(one for one in person.accounts() if one["product"] == "CUR-EUR") for person in people]
    return [
        Payer(
            people[place].email,
            accounts[place]["id"],
            accounts[1 - place]["number"],
            bank.name_of(people[1 - place].email),
        )
        for place in (0, 1)
    ]


def kill_in_turns(bank: Stack, load: Load, *, parts: tuple[str, ...], times: int, dice: random.Random) -> list[str]:
    """Kill each part so often while payments are made; returns what did not come back."""
    missed: list[str] = []
    for _ in range(times):
        for part in dice.sample(parts, len(parts)):
            if not load.goes_on(count=5):
                return [*missed, f"nothing was paid any more before {part} was killed"]
            time.sleep(dice.random() * 0.3)
            bank.kill(part)
            time.sleep(dice.random() * 0.3)
            bank.start(part)
            if not until(bank.is_ready, seconds=READY_SECONDS):
                missed.append(f"the bank did not come back after {part} was killed")
    if not load.goes_on(count=5):
        missed.append("nothing was paid any more after the last kill")
    return missed


def lost(bank: Stack, load: Load) -> list[str]:
    """Acknowledged payments that are not there."""
    ids = [one.payment_id for one in load.acknowledged]
    there = {str(row[0]) for row in bank.query("SELECT id FROM payments_payment WHERE id = ANY (%s::uuid[])", [ids])}
    return [one for one in ids if one not in there]


def twice(bank: Stack) -> list[str]:
    """What exists more than once: a key with two payments, a payment with two entries, or an entry without its payment."""
    questions = {
        "payments of one request": "SELECT initiated_by_id, client_id FROM payments_payment GROUP BY 1, 2 HAVING count(*) > 1",
        "entries of one payment": """
            SELECT source_id FROM ledger_entry WHERE source_kind = 'payment' GROUP BY 1 HAVING count(*) > 1""",
        "completed payments without their entry": """
            SELECT p.id FROM payments_payment p LEFT JOIN ledger_entry e ON e.id = p.entry_id AND e.external_ref = p.id
             WHERE p.status = 'COMPLETED' AND e.id IS NULL""",
        "entries without their payment": """
            SELECT e.id FROM ledger_entry e LEFT JOIN payments_payment p ON p.entry_id = e.id
             WHERE e.source_kind = 'payment' AND p.id IS NULL""",
        "messages of one event": "SELECT event_id FROM notifications_message GROUP BY 1 HAVING count(*) > 1",
    }
    return [f"{len(rows)} {what}, the first: {rows[0]}" for what, sql in questions.items() if (rows := bank.query(sql))]


def count_payments(bank: Stack) -> int:
    """Payments over the API: those of the load."""
    return int(bank.query("SELECT count(*) FROM payments_payment WHERE channel = 'API'")[0][0])
