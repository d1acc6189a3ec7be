"""Arguments, and errors as one clear line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runner import checks, cli, commands, demo
from runner.console import Problem, explain
from runner.state import ROOT


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "run.py", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((), False), (("demo",), False), (("--check",), True), (("demo", "--check"), True)],
)
def test_starts_the_demo(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], expected: bool) -> None:
    seen = []

    def note(environ: object, *, check: bool) -> int:
        seen.append(check)
        return 0

    monkeypatch.setattr(demo, "demo", note)

    assert cli.dispatch(arguments) == 0
    assert seen == [expected]


def test_hands_every_argument_to_pytest_and_to_django(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def note(environ: object, arguments: list[str]) -> int:
        seen.append(arguments)
        return 0

    monkeypatch.setattr(checks, "test", note)
    monkeypatch.setattr(commands, "manage", note)

    cli.dispatch(["test", "-k", "--check", "tests/ledger"])
    cli.dispatch(["manage", "migrate", "--plan"])

    assert seen == [["-k", "--check", "tests/ledger"], ["migrate", "--plan"]]


@pytest.mark.parametrize("arguments", [("fly",), ("--fly",), ("demo", "now"), ("bench", "a", "b")])
def test_a_wrong_argument_is_one_line(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)

    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("run.py: ")


def test_an_unknown_benchmark_lists_those_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "benchmarks", lambda: ["http", "ledger"])

    with pytest.raises(Problem, match=r"no benchmark 'x'\. There are: http, ledger\."):
        commands.bench({}, name="x", json_file=None)


def test_finds_benchmarks_by_the_name_of_their_command(tmp_path: Path) -> None:
    folder = tmp_path / "ledger" / "management" / "commands"
    folder.mkdir(parents=True)
    (folder / "bench_ledger.py").write_text("")
    (folder / "verify_ledger.py").write_text("")

    assert commands.benchmarks(tmp_path) == ["ledger"]


def test_a_bad_port_stops_the_start_before_anything_else(tmp_path: Path) -> None:
    done = run(PORT="eight", BANKPORTAL_STATE=str(tmp_path / "state"))

    assert done.returncode == 1
    assert done.stderr == "run.py: PORT must be a number from 1 to 65535, not 'eight'.\n"
    assert done.stdout == ""


def test_a_bad_setting_is_told_in_its_own_words(tmp_path: Path) -> None:
    log = tmp_path / "migrate.log"
    log.write_text("Traceback\n  File x\ndjango.core.exceptions.ImproperlyConfigured: Set SECRET_KEY.\n")
    assert str(explain("Migrating", log)) == "Migrating stopped: Set SECRET_KEY."

    log.write_text("bankportal: setting SECRET_KEY is missing\n")
    assert str(explain("Migrating", log)) == "setting SECRET_KEY is missing"


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    log = tmp_path / "migrate.log"
    refused = 'connection to server at "127.0.0.1", port 1 failed: Connection refused'
    log.write_text(f"Traceback\n  File x\ndjango.db.utils.OperationalError: {refused}\n\tIs the server running?\n")

    assert str(explain("Migrating", log)) == f"Migrating stopped: the database does not let us in: {refused}"


def test_another_failure_shows_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "migrate.log"
    log.write_text("\n".join(f"line {number}" for number in range(100)) + "\nKeyError: 'x'\n")

    text = str(explain("Migrating", log))

    assert str(log) in text
    assert text.endswith("KeyError: 'x'")
    assert "line 10\n" not in text


@pytest.mark.parametrize("arguments", [["-n", "0"], ["-n4"], ["--pdb"], ["--dist", "no"]])
def test_leaves_the_spreading_of_tests_to_a_user_who_decided(arguments: list[str]) -> None:
    assert checks.pytest_argv("python", arguments)[5:] == arguments


def test_spreads_tests_over_two_cores_by_default() -> None:
    assert checks.pytest_argv("python", ["-k", "x"])[5:] == ["-n", "2", "--dist", "loadfile", "-k", "x"]


def test_names_a_taken_port() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(Problem, match=f"Port {number} is in use"):
            demo.check_port(number, seconds=0.0)
