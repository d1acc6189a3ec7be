"""What Django's settings get to see."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.console import Problem
from runner.environment import Settings, broker_for, port
from runner.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "s")
    made.create()
    return made


def user_of(url: str) -> str | None:
    return urlsplit(url).username


def test_serves_as_the_runtime_role_and_migrates_as_the_owner(state: State) -> None:
    settings = Settings(state=state, environ={})

    assert user_of(settings.runtime()["DATABASE_URL"]) == "bankportal_app"
    assert user_of(settings.owner()["DATABASE_URL"]) == "bankportal_owner"
    assert user_of(settings.for_command("migrate")["DATABASE_URL"]) == "bankportal_owner"
    assert user_of(settings.for_command("seed_demo")["DATABASE_URL"]) == "bankportal_app"


def test_what_serves_people_never_learns_the_owner_s_password(state: State) -> None:
    environment = Settings(state=state, environ={"DATABASE_OWNER_URL": "postgresql://o@/x"}).runtime()

    known = " ".join(environment.values())
    assert state.secrets()["POSTGRES_OWNER_PASSWORD"] not in known
    assert state.secrets()["POSTGRES_SUPERUSER_PASSWORD"] not in known
    assert "DATABASE_OWNER_URL" not in environment


def test_reaches_the_embedded_parts_through_unix_sockets_only(state: State) -> None:
    environment = Settings(state=state, environ={}).runtime()

    database = urlsplit(environment["DATABASE_URL"])
    assert database.hostname is None
    assert parse_qs(database.query)["host"] == [str(state.sockets())]
    assert environment["REDIS_URL"].startswith("unix:///")
    assert environment["CELERY_BROKER_URL"].startswith("redis+socket:///")


def test_a_database_of_the_user_s_replaces_the_embedded_one(state: State) -> None:
    given = {"DATABASE_URL": "postgresql://app@db/bank", "PGSSLMODE": "require"}
    settings = Settings(state=state, environ=given)

    assert settings.external.database
    assert settings.runtime()["DATABASE_URL"] == given["DATABASE_URL"]
    assert settings.runtime()["PGSSLMODE"] == "require"
    assert settings.owner()["DATABASE_URL"] == given["DATABASE_URL"]
    assert "unix://" in settings.runtime()["REDIS_URL"]


def test_migrations_use_the_owner_s_address_where_the_user_gives_one(state: State) -> None:
    given = {"DATABASE_URL": "postgresql://app@db/bank", "DATABASE_OWNER_URL": "postgresql://owner@db/bank"}
    settings = Settings(state=state, environ=given)

    assert settings.owner()["DATABASE_URL"] == given["DATABASE_OWNER_URL"]
    assert "DATABASE_OWNER_URL" not in settings.runtime()


def test_a_redis_of_the_user_s_carries_the_tasks_too(state: State) -> None:
    environment = Settings(state=state, environ={"REDIS_URL": "redis://cache:6379/0"}).runtime()

    assert environment["CELERY_BROKER_URL"] == "redis://cache:6379/0"


def test_a_broker_of_the_user_s_leaves_the_cache_embedded(state: State) -> None:
    settings = Settings(state=state, environ={"CELERY_BROKER_URL": "amqp://rabbit//"})

    assert settings.runtime()["CELERY_BROKER_URL"] == "amqp://rabbit//"
    assert not settings.external.redis


def test_keeps_a_foreign_postgresql_setting_away_from_the_embedded_server(state: State) -> None:
    environment = Settings(state=state, environ={"PGSERVICE": "elsewhere", "PGUSER": "me"}).runtime()

    assert "PGSERVICE" not in environment
    assert "PGUSER" not in environment


def test_settings_of_the_user_s_win_over_generated_ones(state: State) -> None:
    given = {"SECRET_KEY": "k" * 60, "DEMO_PASSWORD": "a demo password", "SANDBOX": "false", "STORAGE_ROOT": "/x"}
    environment = Settings(state=state, environ=given).runtime()

    assert {name: environment[name] for name in given} == given


def test_passes_the_object_storage_s_settings_on(state: State) -> None:
    environment = Settings(state=state, environ={"AWS_STORAGE_BUCKET_NAME": "documents"}).runtime()

    assert environment["AWS_STORAGE_BUCKET_NAME"] == "documents"


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "80.5", "8_000", "٨٠"])
def test_refuses_a_port_that_is_none(text: str) -> None:
    with pytest.raises(Problem, match="PORT must be a number"):
        port({"PORT": text})


def test_the_port_is_8000_unless_told_otherwise() -> None:
    assert port({}) == 8000
    assert port({"PORT": " "}) == 8000
    assert port({"PORT": "8765"}) == 8765


def test_spells_a_redis_socket_as_celery_wants_it() -> None:
    assert broker_for("unix:///run/v.sock?db=0") == "redis+socket:///run/v.sock?virtual_host=1"
    assert broker_for("rediss://h:6380/2") == "rediss://h:6380/2"
