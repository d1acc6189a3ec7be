"""gunicorn as it is shipped, started for a measurement."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL

from django.conf import settings

from runner.supervisor import Program

START_SECONDS = 60.0


@contextmanager
def gunicorn(name: str, *, settings_module: str, folder: Path, env: Mapping[str, str]) -> Iterator[int]:
    """Serve until the block ends; gives the port. Raises RuntimeError with the end of the log when it does not start."""
    port = _free_port()
    log = folder / f"{name}.log"
    program = Program(
        name=name,
        argv=[sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "bankportal.wsgi:application"],
        env={
            **os.environ,
            **env,
            "DJANGO_SETTINGS_MODULE": settings_module,
            "WEB_HOST": "127.0.0.1",
            "PORT": str(port),
            "ALLOWED_HOSTS": "127.0.0.1",
        },
        log=log,
        death_signal=SIGKILL,
        cwd=settings.BASE_DIR,
    )
    program.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(port):
            if program.exit_code() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)
        yield port
    finally:
        program.stop()


def as_in_production() -> dict[str, str]:
    """The bank serves with its own login, not with that of a benchmark that makes tables."""
    url = os.environ.get("BENCH_RUNTIME_URL")
    return {"DATABASE_URL": url} if url else {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
