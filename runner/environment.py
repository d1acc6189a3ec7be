"""The environment that Django's settings read, put together from generated parts and what the user gave."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from runner.console import Problem
from runner.state import State

RUNTIME_ROLE = "bankportal_app"
OWNER_ROLE = "bankportal_owner"
SUPERUSER = "postgres"
DATABASE = "bankportal"
DEFAULT_PORT = 8000
# Only these commands change the schema, so only they get the owner's login.
OWNER_COMMANDS = frozenset({"migrate", "flush", "sqlflush", "pgtrigger", "createcachetable"})


@dataclass(frozen=True)
class External:
    """Which parts the user brings, so that the embedded ones stay off."""

    database: bool
    redis: bool

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> External:
        """Read it from DATABASE_URL and REDIS_URL; a broker alone replaces the broker but not the cache."""
        return cls(database=bool(environ.get("DATABASE_URL")), redis=bool(environ.get("REDIS_URL")))


def port(environ: Mapping[str, str]) -> int:
    """The web port from `PORT`; raises `Problem` when it is not one."""
    text = environ.get("PORT", "").strip() or str(DEFAULT_PORT)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Problem(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def database_url(*, role: str, password: str, sockets: Path, database: str = DATABASE) -> str:
    """An address through the Unix socket that django-environ and libpq both understand."""
    return f"postgresql://{role}:{quote(password, safe='')}@/{database}?host={quote(str(sockets))}"


def broker_for(redis_url: str) -> str:
    """Celery's spelling of a Redis address."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host=1"
    return redis_url


def base(environ: Mapping[str, str]) -> dict[str, str]:
    """What every program gets: the user's environment, less what would lead embedded PostgreSQL's clients elsewhere."""
    external = External.from_environment(environ).database
    env = {name: value for name, value in environ.items() if external or not name.startswith("PG")}
    env.pop("PYTHONHOME", None)
    env.pop("DATABASE_OWNER_URL", None)
    env |= {
        "DJANGO_SETTINGS_MODULE": "bankportal.settings",
        "PYTHONUNBUFFERED": "1",
        # Two web workers and two task workers share the cores; a thread pool in each would only fight over them.
        "OMP_NUM_THREADS": environ.get("OMP_NUM_THREADS", "1"),
        "OPENBLAS_NUM_THREADS": environ.get("OPENBLAS_NUM_THREADS", "1"),
    }
    return env


class Settings:
    """Environments for the programs of one state: as runtime role, as owner, as superuser."""

    def __init__(self, *, state: State, environ: Mapping[str, str], superuser: bool = False) -> None:
        self.state = state
        self.environ = environ
        self.external = External.from_environment(environ)
        self.port = port(environ)
        self._secrets = state.secrets()
        self._superuser = superuser

    @property
    def web_address(self) -> str:
        """Where the web server listens, for people and probes."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def demo_password(self) -> str:
        """The password of every demo login."""
        return self.environ.get("DEMO_PASSWORD") or self._secrets["DEMO_PASSWORD"]

    def password(self, role: str) -> str:
        """The generated password of an embedded database role."""
        names = {
            SUPERUSER: "POSTGRES_SUPERUSER_PASSWORD",
            OWNER_ROLE: "POSTGRES_OWNER_PASSWORD",
            RUNTIME_ROLE: "POSTGRES_RUNTIME_PASSWORD",
        }
        return self._secrets[names[role]]

    def url(self, role: str, database: str = DATABASE) -> str:
        """Address of the embedded database for a role."""
        return database_url(role=role, password=self.password(role), sockets=self.state.sockets(), database=database)

    def owner_url(self) -> str:
        """The address for migrations."""
        if self.external.database:
            return self.environ.get("DATABASE_OWNER_URL") or self.environ["DATABASE_URL"]
        return self.url(SUPERUSER if self._superuser else OWNER_ROLE)

    def runtime(self) -> dict[str, str]:
        """Environment of everything that serves people: the login without power over the schema."""
        env = base(self.environ)
        sockets = self.state.sockets()
        if not self.external.database:
            env["DATABASE_URL"] = self.url(SUPERUSER if self._superuser else RUNTIME_ROLE)
            env["PGHOST"] = str(sockets)
        if not self.external.redis:
            env["REDIS_URL"] = f"unix://{sockets}/valkey.sock?db=0"
        defaults = {
            "CELERY_BROKER_URL": broker_for(env["REDIS_URL"]),
            "DATABASE_RUNTIME_ROLE": RUNTIME_ROLE,
            "SECRET_KEY": self._secrets["SECRET_KEY"],
            "DEMO_PASSWORD": self._secrets["DEMO_PASSWORD"],
            "SANDBOX": "true",
            "BASE_URL": self.web_address,
            "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
            "STORAGE_ROOT": str(self.state.storage),
            "STATIC_ROOT": str(self.state.static),
            "PORT": str(self.port),
        }
        for name, value in defaults.items():
            if not env.get(name):
                env[name] = value
        return env

    def owner(self) -> dict[str, str]:
        """Environment of migrations."""
        return self.runtime() | {"DATABASE_URL": self.owner_url()}

    def for_command(self, command: str) -> dict[str, str]:
        """Environment of `manage.py <command>`."""
        return self.owner() if command in OWNER_COMMANDS else self.runtime()


def current() -> dict[str, str]:
    """This process's own environment."""
    return dict(os.environ)
