"""Programs that live and die together, tried on real processes and on the real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from runner import process
from runner.console import Problem
from runner.environment import OWNER_ROLE, RUNTIME_ROLE, SUPERUSER, Settings
from runner.services import Postgres, services_answer, start_services
from runner.state import ROOT, State
from runner.supervisor import Program, Supervisor, leftovers, wait_for_leftovers
from runner.venv import Venv
from tests.patience import PATIENCE

SLEEPER = "import time; time.sleep(3600)"


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def has_said(log: Path, text: str) -> bool:
    return text in log.read_text()


@pytest.fixture
def state() -> Iterator[State]:
    made = State.throwaway()
    made.create()
    made.lock()
    yield made
    made.remove()
    made.unlock()


def program(state: State, name: str, code: str = SLEEPER, *arguments: str, is_service: bool = False) -> Program:
    return Program(
        name=name,
        argv=[sys.executable, "-c", code, *arguments],
        env=dict(os.environ),
        log=state.log(name),
        is_service=is_service,
    )


def test_stops_in_reverse_order_and_services_last(state: State) -> None:
    note = state.folder / "order"
    code = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    time.sleep(0.2)\n"
        f"    open({str(note)!r}, 'a').write(sys.argv[1] + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('up', flush=True)\n"
        "time.sleep(3600)\n"
    )
    supervisor = Supervisor(state)
    for name, service in (("database", True), ("broker", True), ("web", False)):
        supervisor.start(program(state, name, code, name, is_service=service))
        assert until(partial(has_said, state.log(name), "up"))

    supervisor.stop(quiet=True)

    assert note.read_text() == "web broker database "


def test_a_stop_takes_grandchildren_along(state: State) -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"
    supervisor = Supervisor(state)
    made = program(state, "parent", code)
    supervisor.start(made)
    assert made.popen is not None
    session = made.popen.pid
    assert until(lambda: len(process.session_members(session)) == 2)

    supervisor.stop(quiet=True)

    # A killed process stays in the table until somebody has fetched its end.
    assert until(lambda: process.session_members(session) == [])


def test_restarts_a_crashed_program_once_and_then_gives_up(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor(state)
    made = program(state, "worker", "print('broken pipe'); raise SystemExit(3)")
    supervisor.start(made)
    assert until(lambda: made.exit_code() is not None)

    supervisor.watch()
    said = capsys.readouterr().out
    assert "worker ended with code 3" in said
    assert "broken pipe" in said
    assert until(lambda: made.exit_code() is not None)

    with pytest.raises(Problem, match="just been restarted"):
        supervisor.watch()
    supervisor.stop(quiet=True)


def test_a_program_that_ends_while_starting_is_reported_with_its_log(state: State) -> None:
    supervisor = Supervisor(state)
    made = program(state, "web", "print('no such module'); raise SystemExit(1)")
    supervisor.start(made)

    with pytest.raises(Problem, match="no such module"):
        supervisor.wait_until("Opening", lambda: False, programs=[made], seconds=PATIENCE)
    supervisor.stop(quiet=True)


def test_finds_what_an_earlier_run_left_and_waits_for_it(state: State) -> None:
    supervisor = Supervisor(state)
    gone = state.folder / "gone"
    made = program(state, "web", f"import os, time\nwhile not os.path.exists({str(gone)!r}): time.sleep(0.05)")
    supervisor.start(made)
    assert made.popen is not None

    assert leftovers(state) == [made.popen.pid]
    threading.Timer(0.5, gone.touch).start()
    # Raises where it does not end by itself.
    wait_for_leftovers(state)
    assert gone.exists()
    assert leftovers(state) == []
    supervisor.stop(quiet=True)


def test_takes_no_stranger_with_a_reused_number_for_its_own(state: State) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
    state.record_children({"web": (stranger.pid, 1)})

    assert leftovers(state) == []

    stranger.kill()
    stranger.wait()


@pytest.fixture
def services(state: State) -> Iterator[tuple[State, Settings, Venv]]:
    supervisor = Supervisor(state)
    settings, venv = Settings(state=state, environ={}), Venv()
    start_services(state=state, settings=settings, venv=venv, supervisor=supervisor, durable=False)
    yield state, settings, venv
    supervisor.stop(quiet=True)


def test_starts_both_servers_with_roles_of_different_power(services: tuple[State, Settings, Venv]) -> None:
    state, settings, venv = services
    import psycopg2

    assert services_answer(state=state, settings=settings, venv=venv)
    with psycopg2.connect(settings.url(SUPERUSER)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone() == ("",)
    with psycopg2.connect(settings.url(OWNER_ROLE)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (i int); SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
    with psycopg2.connect(settings.url(RUNTIME_ROLE)) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("CREATE TABLE u (i int)")
        connection.rollback()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT i FROM t")
    wrong = settings.url(RUNTIME_ROLE).replace(settings.password(RUNTIME_ROLE), "guess")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(wrong)


def test_a_killed_supervisor_leaves_no_process_and_loses_no_row(state: State) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from runner.state import State; from runner.supervisor import Supervisor\n"
        "from runner.services import start_services; from runner.environment import Settings\n"
        "from runner.venv import Venv\n"
        "state = State(Path(sys.argv[1]))\n"
        "start_services(state=state, settings=Settings(state=state, environ={}), venv=Venv(),\n"
        "               supervisor=Supervisor(state))\n"
        "print('up', flush=True); time.sleep(3600)\n"
    )
    runner = subprocess.Popen(
        [sys.executable, "-c", script, str(state.folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert runner.stdout is not None
    assert any(line == "up\n" for line in runner.stdout)
    settings = Settings(state=state, environ={})
    import psycopg2

    connection = psycopg2.connect(settings.url(OWNER_ROLE))
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (i int); INSERT INTO kept VALUES (42)")
    assert len(leftovers(state)) > 2

    runner.send_signal(signal.SIGKILL)
    runner.wait()
    runner.stdout.close()

    assert until(lambda: leftovers(state) == []), leftovers(state)
    # A power cut also leaves this file, and its number may belong to somebody else by now.
    (state.pg_data / "postmaster.pid").write_text(f"{os.getpid()}\n{state.pg_data}\n1\n5432\n\n\n")
    supervisor = Supervisor(state)
    start_services(state=state, settings=settings, venv=Venv(), supervisor=supervisor)
    with psycopg2.connect(settings.url(OWNER_ROLE)) as again, again.cursor() as cursor:
        cursor.execute("SELECT i FROM kept")
        assert cursor.fetchone() == (42,)
    supervisor.stop(quiet=True)


def test_an_interrupted_initdb_is_started_over(state: State) -> None:
    partial = state.folder / "pg.partial"
    partial.mkdir()
    (partial / "PG_VERSION").write_text("18\n")
    postgres = Postgres(state=state, settings=Settings(state=state, environ={}), venv=Venv(), durable=False)

    postgres.make_cluster()

    assert (state.pg_data / "global" / "pg_control").exists()
    assert not partial.exists()
    assert not (state.folder / "initdb-password").exists()


def test_refuses_the_data_of_another_postgresql(state: State) -> None:
    state.pg_data.mkdir()
    (state.pg_data / "PG_VERSION").write_text("16\n")
    postgres = Postgres(state=state, settings=Settings(state=state, environ={}), venv=Venv(), durable=False)

    with pytest.raises(Problem, match="made by PostgreSQL 16; this is 18"):
        postgres.make_cluster()
