"""`run.py manage` and `run.py bench`: Django's commands in the bank's environment."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner import process, signals
from runner.console import Problem, Progress, make_way, run_step, say
from runner.environment import RUNTIME_ROLE, SUPERUSER, Settings
from runner.services import postgres_bin, services_answer, start_services
from runner.state import ROOT, AlreadyRunning, State
from runner.supervisor import Supervisor, wait_for_leftovers
from runner.venv import BENCH, DEV, RUNTIME, Venv

_BOOT_SECONDS = 30.0


def foreground(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a program on this terminal; Ctrl-C is its own affair. Returns its exit code."""
    child = process.spawn(argv, env=env, cwd=ROOT, new_session=False)
    signals.pass_on(child)
    try:
        code = child.wait()
    finally:
        signals.listen()
    return code if code >= 0 else 128 - code


def manage(environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run `manage.py`, with the running bank's services or with services of its own for the time it takes."""
    make_way()
    state = State.from_environment(environ)
    state.create()
    venv = Venv()
    venv.ensure(RUNTIME if venv.is_current(RUNTIME) else DEV if venv.is_current(DEV) else RUNTIME, environ)
    settings = Settings(state=state, environ=environ)
    argv = [str(venv.python), "manage.py", *arguments]
    command = arguments[0] if arguments else "help"

    def run() -> int:
        env = settings.for_command(command)
        env["BANKPORTAL_PG_BIN"] = str(postgres_bin(venv))
        env["PATH"] = f"{env['BANKPORTAL_PG_BIN']}:{env.get('PATH', '')}"
        return foreground(argv, env)

    try:
        state.lock()
    except AlreadyRunning:
        progress = Progress("Waiting for the running bank")
        while not services_answer(state=state, settings=settings, venv=venv):
            if progress.seconds > _BOOT_SECONDS:
                raise Problem("A bank runs in this state folder, but its services do not answer.") from None
            progress.tick()
            time.sleep(0.2)
        progress.clear()
        return run()
    supervisor = Supervisor(state)
    try:
        wait_for_leftovers(state)
        start_services(state=state, settings=settings, venv=venv, supervisor=supervisor)
        return run()
    finally:
        supervisor.stop(quiet=True)
        state.unlock()


def benchmarks(root: Path = ROOT) -> list[str]:
    """The names that `bench` knows: every management command called `bench_<name>`."""
    found = root.glob("*/management/commands/bench_*.py")
    return sorted({path.stem.removeprefix("bench_") for path in found})


def _rivals(environ: Mapping[str, str]) -> str:
    """The interpreter of an environment with what benchmarks compare with; empty, and said so, where that cannot be had."""
    if given := environ.get("BENCH_RIVALS"):
        return given
    venv = Venv(folder=".venv.bench")
    try:
        venv.ensure(BENCH, environ)
    except Problem as problem:
        say(f"Measuring without other projects beside ours: {problem}")
        return ""
    return str(venv.python)


def bench(environ: Mapping[str, str], *, name: str, json_file: str | None) -> int:
    """Run one benchmark on throwaway services that write to the disk as a real bank does."""
    known = benchmarks()
    if name not in known:
        raise Problem(f"There is no benchmark {name!r}. There are: {', '.join(known) or 'none yet'}.")
    target = Path(json_file).absolute() if json_file else None
    if target and not target.parent.is_dir():
        raise Problem(f"There is no folder {target.parent} for the results.")
    # Not in the temp folder: that may be memory, and then no figure would include the disk.
    state = State.throwaway(State.from_environment(environ).folder)
    supervisor = Supervisor(state)
    try:
        state.create()
        state.lock()
        venv = Venv()
        # Some drive the bank over HTTP, with the client that the tests use.
        venv.ensure(DEV, environ)
        settings = Settings(state=state, environ=environ)
        start_services(state=state, settings=settings, venv=venv, supervisor=supervisor)
        manage_py = [str(venv.python), "manage.py"]
        run_step(
            "Migrating the database",
            [*manage_py, "migrate", "--noinput"],
            env=settings.owner(),
            log=state.log("migrate"),
            cwd=ROOT,
        )
        env = settings.runtime() | {"BANKPORTAL_PG_BIN": str(postgres_bin(venv)), "BENCH_RIVALS": _rivals(environ)}
        if not settings.external.database:
            # It makes tables of its own to compare with, and takes the runtime role for what it measures.
            env["DATABASE_URL"] = settings.url(SUPERUSER)
            # What serves people is measured with its own login.
            env["BENCH_RUNTIME_URL"] = settings.url(RUNTIME_ROLE)
        code = foreground([*manage_py, f"bench_{name}", *(["--json", str(target)] if target else [])], env)
        if code:
            say(f"bench_{name} ended with code {code}.")
        return code
    finally:
        supervisor.stop(quiet=True)
        state.remove()
