"""What the ledger is compared with: pgbench on the same server, and other ledgers for Django in an environment of their own."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from bankportal.bench.posting import SCHEMA


class Pgbench:
    """pgbench's TPC-B in the bench schema of the same server."""

    def __init__(self, *, folder: str, scale: int) -> None:
        database: dict[str, Any] = settings.DATABASES["default"]
        self._program = os.path.join(folder, "pgbench") if folder else "pgbench"
        self._database = str(database["NAME"])
        self._environment = {
            **os.environ,
            "PGHOST": str(database.get("HOST") or database.get("OPTIONS", {}).get("host") or ""),
            "PGPORT": str(database.get("PORT") or ""),
            "PGUSER": str(database.get("USER") or ""),
            "PGPASSWORD": str(database.get("PASSWORD") or ""),
            "PGOPTIONS": f"-c search_path={SCHEMA}",
        }
        self._environment = {key: value for key, value in self._environment.items() if value}
        self._call("-i", "-q", "-I", "dtgvp", "-s", str(scale))

    def tps(self, *, clients: int, seconds: float) -> float:
        """Transactions per second, prepared statements, without the time to connect."""
        output = self._call("-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds))))
        found = re.search(r"tps = ([0-9.]+)", output)
        if found is None:
            raise RuntimeError(f"pgbench gave no figure:\n{output}")
        return float(found.group(1))

    def _call(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 (our own arguments, no shell)
            [self._program, *arguments, self._database],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pgbench failed: {done.stderr.strip()}")
        return done.stdout


class Rival:
    """Another ledger for Django, run by the interpreter of an environment that has requirements-bench.txt."""

    def __init__(self, ledger: str, *, python: str) -> None:
        database: dict[str, Any] = settings.DATABASES["default"]
        self._python = python
        self._ledger = ledger
        self._name = f"{SCHEMA}_{ledger}"
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "DATABASE_NAME": self._name,
            "PGHOST": str(database.get("HOST") or database.get("OPTIONS", {}).get("host") or ""),
            "PGPORT": str(database.get("PORT") or ""),
            "PGUSER": str(database.get("USER") or ""),
            "PGPASSWORD": str(database.get("PASSWORD") or ""),
        }
        self.drop()
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {self._name}")
        self._call("prepare")

    def per_second(self, *, clients: int, seconds: float) -> float:
        """Transfers per second."""
        return float(self._call("run", str(clients), str(seconds)))

    def drop(self) -> None:
        """Drop its database."""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {self._name}")

    def _call(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 (our own arguments, no shell)
            [self._python, str(Path(__file__).with_name("rivals.py")), self._ledger, *arguments],
            env={key: value for key, value in self._environment.items() if value},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self._ledger} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout
