"""The demo bank: everything up, then either probed once (`--check`) or served until Ctrl-C."""

from __future__ import annotations

import hashlib
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from signal import SIGKILL

from runner.console import Problem, Progress, Task, run_step, say, tail
from runner.environment import Settings
from runner.outside import check_servers, why_closed
from runner.services import start_services
from runner.signals import Stop, listen
from runner.state import ROOT, State
from runner.supervisor import Program, Supervisor, wait_for_leftovers
from runner.venv import RUNTIME, Venv, lock_hash

PROBES = ("/", "/admin/login/", "/api/schema/", "/readyz")
START_SECONDS = 90.0
# For so long the portal may answer that a part is missing before we believe it.
PATIENCE_SECONDS = 10.0


def check_port(number: int, *, seconds: float = 5.0) -> None:
    """Raise `Problem` when the web port is taken; a socket of an earlier run may need a moment."""
    deadline = time.monotonic() + seconds
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
                return
            except PermissionError as error:
                raise Problem(f"Port {number} needs more rights than this user has; set PORT to another.") from error
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Problem(
                        f"Port {number} is in use by another program; set PORT to another, "
                        f"for example PORT={number + 1}."
                    ) from error
        time.sleep(0.2)


def web_programs(*, state: State, settings: Settings, venv: Venv) -> list[Program]:
    """The web server, the task worker and the clock, in starting order."""
    python, env = str(venv.python), settings.runtime()
    celery = [python, "-m", "celery", "--app", "bankportal"]
    # When run.py is killed the servers below go down at the same moment, and a worker that tries to say goodbye to its
    # broker hangs. PostgreSQL and the outbox make sure that nothing half done counts, so these three just end.
    return [
        Program(
            name="web",
            argv=[python, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "bankportal.wsgi:application"],
            env=env | {"WEB_HOST": "127.0.0.1"},
            log=state.log("web"),
            death_signal=SIGKILL,
            stop_seconds=12.0,
        ),
        Program(
            name="worker",
            argv=[
                *celery,
                "worker",
                "--concurrency",
                "2",
                "--loglevel",
                "INFO",
                "--without-gossip",
                "--without-mingle",
            ],
            env=env,
            log=state.log("worker"),
            death_signal=SIGKILL,
        ),
        Program(
            name="beat",
            argv=[*celery, "beat", "--loglevel", "INFO", "--pidfile=", f"--schedule={state.beat / 'schedule'}"],
            env=env,
            log=state.log("beat"),
            death_signal=SIGKILL,
        ),
    ]


def static_fingerprint(root: Path) -> str:
    """Changes whenever a static file or a package changes, so that files are collected only then."""
    digest = hashlib.sha256(lock_hash(root, RUNTIME).encode())
    for folder in sorted([root / "static", *root.glob("[!.]*/static")]):
        for path in sorted(folder.rglob("*")):
            seen = path.stat()
            digest.update(f"{path.relative_to(root)} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def prepare_database(*, state: State, settings: Settings, venv: Venv) -> list[str]:
    """Migrate, collect static files beside it, seed the demo bank; returns what the seeding printed."""
    manage = [str(venv.python), "manage.py"]
    print_of_now = static_fingerprint(ROOT)
    mark = state.folder / "static.sha256"
    collect = None
    if not mark.exists() or mark.read_text() != print_of_now:
        mark.unlink(missing_ok=True)
        collect = Task(
            title="Collecting static files",
            argv=[*manage, "collectstatic", "--noinput", "--clear", "--verbosity", "0"],
            env=settings.runtime(),
            log=state.log("collectstatic"),
            cwd=ROOT,
        )
    try:
        run_step(
            "Migrating the database",
            [*manage, "migrate", "--noinput"],
            env=settings.owner(),
            log=state.log("migrate"),
            cwd=ROOT,
        )
        printed = run_step(
            "Seeding the demo bank",
            [*manage, "seed_demo"],
            env=settings.runtime(),
            log=state.log("seed_demo"),
            cwd=ROOT,
            show_stderr=True,
        )
        if collect:
            # It ran beside the others; only what is still to wait for counts.
            collect.progress = Progress(collect.title)
            collect.finish("beside the others")
            mark.write_text(print_of_now)
    finally:
        if collect:
            collect.stop()
    return printed


class Opening:
    """Asks the portal whether the bank is open; raises `Problem` when it keeps on saying that a part is missing."""

    def __init__(self, address: str) -> None:
        self.url = f"{address}/readyz"
        self.refused_at = 0.0

    def __call__(self) -> bool:
        status, _, body = fetch(self.url)
        if status == 200:
            return True
        if status:
            self.refused_at = self.refused_at or time.monotonic()
            if time.monotonic() - self.refused_at > PATIENCE_SECONDS:
                raise Problem(why_closed(status, body))
        return False


def fetch(url: str, *, seconds: float = 20.0) -> tuple[int, float, str]:
    """Status, seconds and the start of the answer; status 0 and the reason when there is none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    started = time.monotonic()
    try:
        with opener.open(url, timeout=seconds) as answer:
            body = answer.read().decode(errors="replace")
            status = answer.status
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read().decode(errors="replace")
    except OSError as error:
        status, body = 0, str(error)
    return status, time.monotonic() - started, body[:500]


def probe(settings: Settings, web_log: Path) -> None:
    """Ask every part once, as a visitor would; raises `Problem` naming those that failed."""
    failed = []
    for path in PROBES:
        status, seconds, body = fetch(settings.web_address + path)
        say(f"  GET {path:<24} {status or 'no answer'}  {seconds * 1000:5.0f} ms")
        if status != 200:
            failed.append(f"{path} answered {status or 'nothing'}: {body.strip()[:200]}")
    if failed:
        raise Problem("\n".join(["The check failed.", *failed, f"The end of {web_log}:", tail(web_log)]))


def announce(settings: Settings, printed: list[str], seconds: float) -> None:
    """Addresses and logins."""
    site = settings.runtime()["BASE_URL"].rstrip("/")
    say()
    say(f"The bank is open, {seconds:.1f} s after the start.")
    for name, path in (("Portal", "/"), ("Back office", "/admin/"), ("API", "/api/docs/"), ("Health", "/health")):
        say(f"  {name:<14} {site}{path}")
    logins = [line.split("\t")[1:] for line in printed if line.startswith("LOGIN\t")]
    if logins:
        say()
        say(f"  Demo logins, password {settings.demo_password}")
        for role, email, *note in logins:
            say(f"  {role:<14} {email:<36} {' '.join(note)}".rstrip())
    say()


def demo(environ: Mapping[str, str], *, check: bool) -> int:
    """Run `demo` or `demo --check`; returns the exit code."""
    started = time.monotonic()
    state = State.from_environment(environ)
    state.create()
    state.lock()
    try:
        settings = Settings(state=state, environ=environ)
        state.note(f"{settings.web_address}/")
        wait_for_leftovers(state)
        check_port(settings.port)
        check_servers(environ)
        venv = Venv()
        venv.ensure(RUNTIME, environ)
        return _serve(state=state, settings=settings, venv=venv, check=check, started=started)
    finally:
        state.unlock()


def _serve(*, state: State, settings: Settings, venv: Venv, check: bool, started: float) -> int:
    supervisor = Supervisor(state)
    code = 0
    try:
        start_services(state=state, settings=settings, venv=venv, supervisor=supervisor)
        printed = prepare_database(state=state, settings=settings, venv=venv)
        programs = web_programs(state=state, settings=settings, venv=venv)
        for program in programs:
            supervisor.start(program)
        supervisor.wait_until(
            "Opening the bank",
            Opening(settings.web_address),
            programs=programs,
            seconds=START_SECONDS,
        )
        announce(settings, printed, time.monotonic() - started)
        if check:
            probe(settings, programs[0].log)
            supervisor.watch()
            say(f"The check passed in {time.monotonic() - started:.1f} s.")
        else:
            say("Ctrl-C stops it.")
            while True:
                supervisor.watch()
                time.sleep(0.5)
    except Stop as stop:
        say("\nStopping." if not check else "\nInterrupted.")
        code = stop.exit_code if check else 0
    finally:
        _stop(supervisor)
    return code


def _stop(supervisor: Supervisor) -> None:
    """Stop in order; a second Ctrl-C means at once."""
    listen()
    try:
        supervisor.stop()
    except Stop:
        supervisor.stop_now()
