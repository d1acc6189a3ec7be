"""`run.py test`: every check of the project, on throwaway services. pytest has the last word and the closing line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.commands import foreground
from runner.console import Task, say
from runner.environment import Settings
from runner.services import postgres_bin, start_services
from runner.state import ROOT, State
from runner.supervisor import Supervisor
from runner.venv import DEV, Venv

STAGES_FILE = "BANKPORTAL_STAGES"
NO_BROWSER = "BANKPORTAL_NO_BROWSER"
CHROMIUM = "BANKPORTAL_CHROMIUM"
MAX_SHOWN_LINES = 120
_PARALLEL = 2
_BROWSERS = ("chromium", "chromium-browser")
_SPREAD_OPTIONS = ("-n", "--numprocesses", "--dist", "--pdb", "--collect-only", "--co")


@dataclass(frozen=True)
class Stage:
    """One static check: what it is called and how it is run."""

    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """How a stage ended."""

    name: str
    passed: bool
    seconds: float
    output: str


def stages(python: str) -> list[Stage]:
    """All static checks, the slow one first."""
    contracts = "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"
    return [
        Stage("types (mypy)", (python, "-m", "mypy", ".")),
        Stage("lint (ruff)", (python, "-m", "ruff", "check", "--output-format", "concise", ".")),
        Stage("format (ruff)", (python, "-m", "ruff", "format", "--check", "--output-format", "concise", ".")),
        Stage("templates (djlint)", (python, "-m", "djlint", ".", "--lint", "--quiet")),
        Stage("import contracts", (python, "-c", contracts)),
        Stage("system check", (python, "manage.py", "check", "--fail-level", "WARNING")),
        Stage("missing migrations", (python, "manage.py", "makemigrations", "--check", "--dry-run")),
    ]


def run_stages(wanted: Sequence[Stage], *, env: Mapping[str, str], logs: Path) -> list[Result]:
    """Run every stage, two at a time, whatever the others say; prints each result."""
    waiting = list(wanted)
    running: dict[str, Task] = {}
    results = []
    try:
        while waiting or running:
            while waiting and len(running) < _PARALLEL:
                stage = waiting.pop(0)
                running[stage.name] = Task(
                    title=stage.name,
                    argv=stage.argv,
                    env=env,
                    log=logs / f"stage-{len(waiting)}.log",
                    cwd=ROOT,
                )
            for name, task in list(running.items()):
                task.pump(0.05)
                task.progress.tick()
                if task.finished:
                    results.append(_report(name, task))
                    del running[name]
    finally:
        for task in running.values():
            task.stop()
    return results


def _report(name: str, task: Task) -> Result:
    task.wait()
    passed = task.popen.returncode == 0
    task.progress.clear()
    output = "\n".join(task.lines)
    say(f"  {'ok  ' if passed else 'FAIL'} {name:<24} {task.progress.seconds:5.1f} s")
    if not passed:
        shown = task.lines[-MAX_SHOWN_LINES:]
        if len(shown) < len(task.lines):
            say(f"       ... {len(task.lines) - len(shown)} lines left out")
        for line in shown:
            say(f"       {line}")
    return Result(name=name, passed=passed, seconds=task.progress.seconds, output=output)


def find_browser(environ: Mapping[str, str], *, log: Path) -> tuple[str, str]:
    """Path of Chromium, or an empty path and the reason why there is none. Installs it where apt can."""
    if environ.get(NO_BROWSER):
        return "", environ[NO_BROWSER]
    if chosen := environ.get(CHROMIUM):
        return (chosen, "") if shutil.which(chosen) else ("", f"{CHROMIUM}={chosen} is no program")
    if found := _installed_browser():
        return found, ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "", "Chromium is not installed, and only root with apt-get could install it"
    env = {**environ, "DEBIAN_FRONTEND": "noninteractive"}
    for argv in (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]):
        task = Task(title="Installing Chromium", argv=argv, env=env, log=log, cwd=ROOT)
        if task.wait() != 0:
            task.progress.clear()
            return "", f"Chromium could not be installed ({' '.join(argv[:2])}: {task.lines[-1:] or ['no output']})"
        task.progress.done()
    found = _installed_browser()
    return found, "" if found else "apt-get installed no program called chromium"


def _installed_browser() -> str:
    for name in _BROWSERS:
        if found := shutil.which(name):
            done = subprocess.run([found, "--version"], check=False, capture_output=True)
            if done.returncode == 0:
                return found
    return ""


def pytest_argv(python: str, arguments: Sequence[str]) -> list[str]:
    """pytest with our plugin, on two cores unless the user decided about that."""
    decided = any(argument.startswith(option) for argument in arguments for option in _SPREAD_OPTIONS)
    spread = [] if decided else ["-n", "2", "--dist", "loadfile"]
    return [python, "-m", "pytest", "-p", "runner.pytest_plugin", *spread, *arguments]


def test(environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run everything; the exit code is that of pytest, or 1 when a stage failed."""
    started = time.monotonic()
    state = State.throwaway()
    supervisor = Supervisor(state)
    # Addresses of real services are for the bank; tests would write into them.
    foreign = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CELERY_BROKER_URL")
    own = {k: v for k, v in environ.items() if k not in foreign and not k.startswith(("AWS_", "KAFKA_"))}
    try:
        state.create()
        state.lock()
        venv = Venv()
        venv.ensure(DEV, environ)
        settings = Settings(state=state, environ=own, superuser=True)
        start_services(state=state, settings=settings, venv=venv, supervisor=supervisor, durable=False)
        browser, reason = find_browser(environ, log=state.log("apt"))
        env = settings.runtime() | {"BANKPORTAL_PG_BIN": str(postgres_bin(venv))}
        env |= {CHROMIUM: browser} if browser else {NO_BROWSER: reason}
        if reason:
            say(f"  !!!! BROWSER TESTS WILL BE SKIPPED: {reason}")
        results = run_stages(stages(str(venv.python)), env=env, logs=state.logs)
        summary = state.folder / "stages.json"
        summary.write_text(json.dumps([asdict(result) for result in results]))
        failed = [result.name for result in results if not result.passed]
        seconds = time.monotonic() - started
        say(f"  Static checks: {len(results) - len(failed)} passed, {len(failed)} failed, in {seconds:.0f} s.")
        sys.stdout.flush()
        code = foreground(pytest_argv(str(venv.python), arguments), env | {STAGES_FILE: str(summary)})
        return code or int(bool(failed))
    finally:
        # Nothing is said here: pytest's closing line stays the last one.
        supervisor.stop(quiet=True)
        state.remove()
        state.unlock()
