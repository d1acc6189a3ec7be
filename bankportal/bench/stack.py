"""A whole bank of its own: servers, web, worker and clock, each of which a fault test or a benchmark may kill."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import requests

from runner import process
from runner.demo import fetch, web_programs
from runner.environment import SUPERUSER, Settings
from runner.services import start_services
from runner.state import ROOT, State
from runner.supervisor import Program, Supervisor
from runner.venv import Venv

# What is waited for at most; where something is tried for being quick, that is measured.
ANSWER_SECONDS, READY_SECONDS = 120.0, 600.0
PASSWORD, PIN = "a long password for the faults", "4826"
# Two customers with accounts and one without an identity check, by the demo's own steps.
_PEOPLE = """
import django, sys
django.setup()
from django.utils import timezone
from bankportal.demo import bank, featured
from notifications.models import OutboxEvent
bank.CUSTOMERS, bank.PENDING = 4, 1
now = timezone.now()
books = bank.enrol(end=now, password=sys.argv[1], quiet=True)
featured.ensure(books, end=now)
OutboxEvent.objects.all().delete()
print(books.persons[2].email)
"""


def until(condition: Callable[[], object], *, seconds: float) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _free_port() -> int:
    """A port that is free, and below those that the system deals out: by the time it is used nobody was given it."""
    while True:
        number = random.randrange(20_000, 32_000)  # noqa: S311 (nobody has to be kept from guessing it)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", number))
            return number


class _Settings(Settings):
    def runtime(self) -> dict[str, str]:
        return super().runtime() | {"DJANGO_SETTINGS_MODULE": "bankportal.bench.stack_settings"}


@dataclass
class Customer:
    """Somebody signed in to the API, and in the portal with `portal`."""

    bank: Stack
    email: str
    headers: dict[str, str]

    def get(self, path: str) -> requests.Response:
        return requests.get(self.bank.url + path, headers=self.headers, timeout=ANSWER_SECONDS)

    def post(self, path: str, **content: Any) -> requests.Response:
        headers = self.headers | {"Idempotency-Key": str(uuid.uuid4())}
        return requests.post(self.bank.url + path, headers=headers, timeout=ANSWER_SECONDS, **content)

    def accounts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/api/v1/accounts/").json()["results"]
        return found

    def pay(self, payee: Customer, amount: str) -> requests.Response:
        account = next(one for one in self.accounts() if one["product"] == "CUR-EUR")
        to = next(one for one in payee.accounts() if one["product"] == "CUR-EUR")
        order = {
            "debit_account": account["id"],
            "payee_number": to["number"],
            "payee_name": self.bank.name_of(payee.email),
            "amount": amount,
            "pin": PIN,
        }
        return self.post("/api/v1/transactions/transfer", json=order)

    def portal(self) -> requests.Session:
        """A browser's session, signed in by the form."""
        session = requests.Session()
        address = f"{self.bank.url}/auth/login/"
        session.get(address, timeout=ANSWER_SECONDS).raise_for_status()
        form = {"login": self.email, "password": PASSWORD, "csrfmiddlewaretoken": session.cookies["csrf"]}
        answer = session.post(address, data=form, headers={"Referer": address}, timeout=ANSWER_SECONDS)
        assert answer.url.endswith("/overview/"), answer.url
        return session


class Stack:
    """The programs by name, and ways to break and mend them."""

    def __init__(self, *, parent: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """`parent` is where its folder lies (the temp folder otherwise), `env` what its programs get beside the usual."""
        self.state = State.throwaway(parent)
        self.state.create()
        self.state.lock()
        own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        own |= {"PORT": str(_free_port()), "COOKIE_SECURE": "false", "DEMO_PASSWORD": PASSWORD, "WEB_WORKERS": "1"}
        own |= env or {}
        self.settings = _Settings(state=self.state, environ=own)
        self.url = self.settings.web_address
        self.supervisor = Supervisor(self.state)
        # The address of the customer without an identity check.
        self.newcomer = ""

    def open(self) -> None:
        venv = Venv()
        # As in production: a server that may forget its last commits (synchronous_commit=off) would fail these tests
        # for what it is set to, not for what the bank does.
        start_services(state=self.state, settings=self.settings, venv=venv, supervisor=self.supervisor, durable=True)
        self.run("manage.py", "migrate", "--noinput", "--verbosity", "0", env=self.settings.owner())
        self.newcomer = self.run("-c", _PEOPLE, PASSWORD).strip()
        for program in web_programs(state=self.state, settings=self.settings, venv=venv):
            self.supervisor.start(program)
        assert until(self.is_ready, seconds=READY_SECONDS), self.log("web")

    def close(self) -> None:
        self.supervisor.stop_now()
        self.state.remove()
        self.state.unlock()

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        """A Python program in the bank's environment; returns what it printed."""
        done = subprocess.run(  # noqa: S603 -- our own programs
            [sys.executable, *arguments],
            cwd=ROOT,
            env=env or self.settings.runtime(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def program(self, name: str) -> Program:
        return next(program for program in self.supervisor.programs if program.name == name)

    def kill(self, name: str) -> None:
        """kill -9 to all of a program's processes."""
        program = self.program(name)
        assert program.popen is not None
        process.send(process.session_members(program.popen.pid), signal.SIGKILL)
        program.stop()

    def start(self, name: str) -> None:
        self.program(name).start()

    @contextmanager
    def no_storage(self) -> Iterator[None]:
        """A file stands where the folder of the documents should be: not even root can write into that."""
        aside = self.state.storage.with_name("storage.aside")
        self.state.storage.rename(aside)
        self.state.storage.touch()
        try:
            yield
        finally:
            self.state.storage.unlink()
            aside.rename(self.state.storage)

    def log(self, name: str) -> str:
        return self.state.log(name).read_text()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows as the superuser sees them."""
        connection = psycopg2.connect(self.settings.url(SUPERUSER))
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def name_of(self, email: str) -> str:
        return str(self.query("SELECT full_name FROM identity_user WHERE email = %s", [email])[0][0])

    def customer(self, email: str) -> Customer:
        answer = requests.post(
            f"{self.url}/api/v1/auth/token", json={"email": email, "password": PASSWORD}, timeout=ANSWER_SECONDS
        )
        assert answer.status_code == 200, answer.text
        return Customer(self, email, {"Authorization": f"Bearer {answer.json()['access']}"})

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=ANSWER_SECONDS)

    def readiness(self) -> tuple[int, dict[str, Any]]:
        answer = self.get("/readyz")
        return answer.status_code, json.loads(answer.text)

    def is_ready(self) -> bool:
        """Whether every part answers."""
        return fetch(f"{self.url}/readyz")[0] == 200

    def waiting(self) -> int:
        return int(self.query("SELECT count(*) FROM notifications_outboxevent WHERE relayed_at IS NULL")[0][0])
