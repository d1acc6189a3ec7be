"""What every test may use: a database as production has it (runtime role), people, clients."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.db import connection
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from bankportal.celery import app as celery_app
from common import throttle
from fraud.services import gateway
from identity import middleware as session_middleware
from identity.models import User
from identity.permissions import Role
from kyc.rules import limits as document_limits
from payments.services import orders
from tests.dice import SEED
from tests.patience import PATIENCE

# Also without `run.py test`: where there is no browser, the last lines say so.
pytest_plugins = ["runner.pytest_plugin"]
PASSWORD = "correct horse battery staple 9"
# The same examples in every run, however long one of them takes. `--hypothesis-profile=others` draws other ones.
_UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
hypothesis_settings.register_profile("same", derandomize=True, **_UNHURRIED)
hypothesis_settings.register_profile("others", **_UNHURRIED)
hypothesis_settings.load_profile("same")
# Longer than any test that looks at the day.
_END_OF_A_DAY_SECONDS = 90


@contextmanager
def owner_rights() -> Iterator[Any]:
    """A cursor with the owner's rights on the test's own connection."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        try:
            yield cursor
        finally:
            if connection.connection and not connection.connection.closed and not connection.needs_rollback:
                cursor.execute(f'SET ROLE "{settings.DATABASE_RUNTIME_ROLE}"')


def _flush_as_owner(original: Callable[[TransactionTestCase], None]) -> Callable[[TransactionTestCase], None]:
    """Flushing truncates, which triggers and grants forbid to everybody but a superuser in replica mode."""

    def teardown(self: TransactionTestCase) -> None:
        with owner_rights() as cursor:
            cursor.execute("SET session_replication_role = replica")
            try:
                original(self)
            finally:
                cursor.execute("SET session_replication_role = origin")

    return teardown


def pytest_configure(config: pytest.Config) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.WHITENOISE_AUTOREFRESH = True
    # A limit is off where its server does not answer: on a machine that stands still it would now and then be off.
    throttle.ANSWERS_WITHIN_SECONDS = PATIENCE
    settings.CACHES["default"]["OPTIONS"]["socket_timeout"] = PATIENCE
    document_limits.PROCESS_WALL_SECONDS = PATIENCE
    # A request twenty seconds after the one before writes the session: one query more where queries are counted.
    session_middleware.GRAIN_SECONDS = settings.SESSION_IDLE_SECONDS * 2 // 3
    celery_app.loader.import_default_modules()
    TransactionTestCase._fixture_teardown = _flush_as_owner(TransactionTestCase._fixture_teardown)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Green or red: whoever wants the same run again knows what to throw."""
    terminalreporter.write_line(f"Dice of the tests: TEST_SEED={SEED}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test ends on the day on which it began: what is due today, or counted for today, is so until its end."""
    left = 86_400 - time.time() % 86_400
    if left < _END_OF_A_DAY_SECONDS:
        time.sleep(left + 0.1)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Between the owner's migrations and clean-up, every connection of the tests speaks as the runtime role."""
    options = (settings.DATABASES["default"]["OPTIONS"], connection.settings_dict["OPTIONS"])
    with django_db_blocker.unblock():
        connection.close()
        for each in options:
            each["assume_role"] = settings.DATABASE_RUNTIME_ROLE
    yield
    with django_db_blocker.unblock():
        connection.close()
        for each in options:
            each.pop("assume_role", None)


@pytest.fixture
def as_owner(db: None) -> Callable[[], Any]:
    """`with as_owner() as cursor:` runs SQL with the owner's rights."""
    return owner_rights


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Any) -> None:
    """Uploads of a test stay in its own folder."""
    settings.STORAGE_ROOT = str(tmp_path / "storage")
    settings.SEALS_ROOT = str(tmp_path / "seals")
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "storage")},
        },
    }


@pytest.fixture(autouse=True)
def own_limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate limits of a test are its own, allauth's in the cache too; those of an earlier one do not reach it."""
    settings.THROTTLE_SCOPE = uuid.uuid4().hex
    monkeypatch.setattr(caches["default"], "key_prefix", settings.THROTTLE_SCOPE)


@pytest.fixture(autouse=True)
def unhurried() -> Iterator[None]:
    """No check of a payment comes too late because the machine stood still; tests of the budgets set their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "SCREENING_BUDGET_SECONDS", PATIENCE)
        patch.setattr(gateway, "BUDGET_SECONDS", PATIENCE)
        patch.setattr(gateway, "BATCH_CHUNK_SECONDS", PATIENCE)
        yield


def make_user(email: str, *roles: Role, name: str = "", **fields: Any) -> User:
    """A user with a verified address, `PASSWORD` and the given roles; staff roles make staff."""
    from allauth.account.models import EmailAddress

    staff = any(role is not Role.CUSTOMER for role in roles)
    fields.setdefault("is_staff", staff)
    user = User.objects.create_user(email, PASSWORD, full_name=name or email.split("@")[0].title(), **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    user.groups.set(Group.objects.filter(name__in=[role.value for role in roles]))
    return user


@pytest.fixture
def alice(db: None) -> User:
    """A customer who owns things."""
    return make_user("alice@example.com", Role.CUSTOMER, name="Alice Archer")


@pytest.fixture
def bob(db: None) -> User:
    """Another customer, with things of his own."""
    return make_user("bob@example.com", Role.CUSTOMER, name="Bob Baker")


@pytest.fixture
def charlie(db: None) -> User:
    """A customer who owns nothing: the stranger of every test."""
    return make_user("charlie@example.com", Role.CUSTOMER, name="Charlie Cole")


@pytest.fixture
def teller(db: None) -> User:
    return make_user("teller@bank.example", Role.TELLER, name="Tess Teller")


@pytest.fixture
def officer(db: None) -> User:
    """A compliance officer."""
    return make_user("compliance@bank.example", Role.COMPLIANCE, name="Carla Compliance")


@pytest.fixture
def second_officer(db: None) -> User:
    return make_user("compliance2@bank.example", Role.COMPLIANCE, name="Conrad Compliance")


@pytest.fixture
def auditor(db: None) -> User:
    return make_user("auditor@bank.example", Role.AUDITOR, name="Audrey Auditor")


@pytest.fixture
def administrator(db: None) -> User:
    return make_user("admin@bank.example", Role.ADMINISTRATOR, name="Adam Admin")


@pytest.fixture
def login() -> Callable[[User], Client]:
    """A browser session of a user."""

    def log_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


@pytest.fixture
def api() -> Callable[[User | None], APIClient]:
    """An API client authenticated as a user (or nobody)."""

    def client(user: User | None = None) -> APIClient:
        made = APIClient()
        if user is not None:
            made.force_authenticate(user=user)
        return made

    return client
