"""A missing or bad value in the environment stops the start with one line that names it."""

from __future__ import annotations

import pytest

from bankportal import env


def stops(capsys: pytest.CaptureFixture[str], read: object) -> str:
    assert callable(read)
    with pytest.raises(SystemExit) as stop:
        read()
    sentence = str(stop.value)
    assert sentence.startswith("bankportal: setting")
    assert "\n" not in sentence
    assert capsys.readouterr().out == ""
    return sentence


@pytest.mark.parametrize(
    "value",
    ["", "nonsense", "sqlite:///x", "mysql://h/x", "postgres://h:notaport/x", "postgres://h/", "postgres://", "/etc"],
)
def test_refuses_a_database_that_is_not_one(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", value)
    assert "DATABASE_URL" in stops(capsys, lambda: env.database("DATABASE_URL"))


def test_reads_databases_over_the_network_and_over_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:secret@db.example:5433/bank?sslmode=require")
    config = env.database("DATABASE_URL")
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db.example", 5433, "bank")
    assert config["OPTIONS"] == {"sslmode": "require"}
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@/bank?host=/run/bank")
    assert env.database("DATABASE_URL")["NAME"] == "bank"


@pytest.mark.parametrize("value", ["", "nonsense", "http://h", "redis://", "redis://h:port/0", "redis://h:99999/0"])
def test_refuses_an_address_that_is_not_one(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", value)
    read = lambda: env.address("REDIS_URL", schemes=("redis", "unix"), kind="an address such as redis://host/0")  # noqa: E731
    assert "REDIS_URL" in stops(capsys, read)
    assert "redis://host/0" in stops(capsys, read)


def test_a_missing_value_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    assert "SECRET_KEY is missing" in stops(capsys, lambda: env.secret("SECRET_KEY", length=50))
    monkeypatch.setenv("SECRET_KEY", "a" * 60)
    assert "SECRET_KEY is too weak" in stops(capsys, lambda: env.secret("SECRET_KEY", length=50))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert "DATABASE_URL is missing" in stops(capsys, lambda: env.database("DATABASE_URL"))


def test_a_choice_names_what_there_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    sentence = stops(capsys, lambda: env.choice("LOG_LEVEL", options=("DEBUG", "INFO"), default="INFO"))
    assert sentence.endswith("should be one of DEBUG, INFO")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"AWS_S3_ENDPOINT_URL": "https://s3.example"}, "AWS_STORAGE_BUCKET_NAME"),
        ({"AWS_STORAGE_BUCKET_NAME": "b", "AWS_ACCESS_KEY_ID": "k"}, "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_STORAGE_BUCKET_NAME": "b", "AWS_SECRET_ACCESS_KEY": "k"}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_STORAGE_BUCKET_NAME": "b", "AWS_S3_ENDPOINT_URL": "s3.example"}, "AWS_S3_ENDPOINT_URL"),
    ],
)
def test_refuses_half_an_s3(
    given: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert named in stops(capsys, env.s3_bucket)


def test_keys_of_other_programs_do_not_move_the_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody else's")
    assert env.s3_bucket() is None


def test_a_mail_server_that_is_none_is_called_unreadable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMAIL_URL", "nonsense")
    assert "EMAIL_URL cannot be read" in stops(capsys, lambda: env.email("EMAIL_URL"))
