"""Statements in portal and API: formats, periods, refusals, limits, and nobody else's account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.api.statements import AccountStatement
from accounts.models import Account
from accounts.queries import statements
from accounts.views import statements as pages
from common import throttle
from identity.models import User
from tests.accounts.factories import open_test_account
from tests.accounts.test_statements import post

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
Api = Callable[[User | None], APIClient]
TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "ofx": "application/x-ofx",
    "camt053": "application/xml",
}


@pytest.fixture
def account(alice: User) -> Account:
    return open_test_account(alice, amount="1234.56")


def url_of(account: Account) -> str:
    return f"/api/v1/accounts/{account.pk}/statement"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize(("form", "content_type"), TYPES.items())
def test_the_api_gives_a_file_by_parameter(
    api: Api, alice: User, account: Account, form: str, content_type: str
) -> None:
    answer = api(alice).get(url_of(account), {"format": form})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="statement-')
    assert b"1234.56" in body(answer) or form == "pdf"


@pytest.mark.parametrize(("form", "content_type"), TYPES.items())
def test_the_api_gives_a_file_by_accept(api: Api, alice: User, account: Account, form: str, content_type: str) -> None:
    answer = api(alice).get(url_of(account), headers={"Accept": content_type.partition(";")[0]})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)


def test_the_parameter_comes_before_accept(api: Api, alice: User, account: Account) -> None:
    answer = api(alice).get(url_of(account), {"format": "csv"}, headers={"Accept": "application/pdf, */*"})
    assert answer.headers["Content-Type"] == TYPES["csv"]


@pytest.mark.parametrize("asked", [{"format": "docx"}, {"format": "../csv"}, {"format": "xml"}])
def test_an_unknown_format_is_not_acceptable(api: Api, alice: User, account: Account, asked: dict[str, str]) -> None:
    answer = api(alice).get(url_of(account), asked)
    assert (answer.status_code, answer.headers["Content-Type"]) == (406, "application/problem+json")
    assert api(alice).get(url_of(account), headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("form", ["json", *TYPES])
def test_a_stranger_gets_404_in_every_format(
    api: Api, charlie: User, auditor: User, account: Account, form: str
) -> None:
    for stranger in (charlie, auditor):
        answer = api(stranger).get(url_of(account), {"format": form})
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["code"] == "unknown_account"
    assert api(None).get(url_of(account), {"format": form}).status_code == 401


@pytest.mark.parametrize("form", ["json", *TYPES])
@pytest.mark.parametrize(
    ("period", "status", "field"),
    [
        ({"from": "2026-02-02", "to": "2026-01-01"}, 422, "to"),
        ({"from": "2020-01-01", "to": "2026-01-01"}, 422, "to"),
        ({"from": "1999-12-31", "to": "2000-01-02"}, 422, "from"),
        ({"from": "9999-12-31"}, 422, "from"),
        ({"to": "9999-12-31"}, 422, "from"),
        ({"from": "2026-02-29"}, 400, "from"),
        ({"to": "yesterday"}, 400, "to"),
        ({"to": "2026-01-01T00:00:00"}, 400, "to"),
    ],
)
def test_refuses_bad_periods_as_problems(
    api: Api, alice: User, account: Account, form: str, period: dict[str, str], status: int, field: str
) -> None:
    answer = api(alice).get(url_of(account), {"format": form, **period})
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["errors"][0]["field"] == field


def test_tomorrow_is_refused_and_a_leap_day_is_a_day(api: Api, alice: User, account: Account) -> None:
    tomorrow = (timezone.now().date() + timedelta(days=1)).isoformat()
    assert api(alice).get(url_of(account), {"to": tomorrow}).data["data"]["reason"] == "future"
    leap = api(alice).get(url_of(account), {"from": "2024-02-29", "to": "2024-02-29"})
    assert (leap.status_code, leap.data["opening"], leap.data["lines"]) == (200, "0.00", [])


def test_json_has_a_limit_that_the_streamed_formats_do_not_have(
    api: Api, alice: User, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "LONGEST_IN_MEMORY", 0)
    answer = api(alice).get(url_of(account))
    assert (answer.status_code, answer.data["code"]) == (422, "statement_too_long")
    assert api(alice).get(url_of(account), {"format": "csv"}).status_code == 200


def test_lines_are_read_in_portions(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        post(account, 1_00, timezone.now())
    monkeypatch.setattr(statements, "LINES_AT_ONCE", 3)
    today = timezone.now().date()
    found = statements.statement(account, period=pages.periods.Period(today, today + timedelta(days=1)))
    assert [line.seq for line in found.iterate()] == [1, 2, 3, 4, 5, 6, 7]


def test_the_portal_offers_usual_periods_and_files(login: Login, alice: User, account: Account) -> None:
    client = login(alice)
    page = client.get(f"/accounts/{account.pk}/statement/").content.decode()
    for label in ("This month", "Last month", "This quarter", "Last quarter", "This year", "Last year"):
        assert label in page
    for suffix in ("pdf", "csv", "ofx", "xml"):
        assert f"/accounts/{account.pk}/statement.{suffix}?since=" in page
    last = client.get(f"/accounts/{account.pk}/statement/?period=last-year").content.decode()
    assert "There are no postings in this period" in last
    assert client.get(f"/accounts/{account.pk}/statement/?period=next-year").status_code == 404


def test_the_page_shows_a_hundred_postings_at_a_time(
    login: Login, alice: User, account: Account, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(pages, "LINES_PER_PAGE", 2)
    for number in range(4):
        post(account, 1_00, timezone.now(), f"Deposit number {number}")
    client = login(alice)
    # A day: on the last of a month the usual period is a whole month, which may have a statement of its own.
    day = account.opened_at.date()
    url = f"/accounts/{account.pk}/statement/?since={day}&until={day}"
    client.get(url)
    with django_assert_num_queries(10):
        first = client.get(url).content.decode()
    assert "1 to 2 of 5" in first
    assert "Deposit number 3" not in first
    last = client.get(f"{url}&page=3").content.decode()
    assert "Deposit number 3" in last
    assert "€1,238.56" in last
    assert client.get(f"{url}&page=nonsense").status_code == 200


def test_a_portal_file_is_an_attachment_that_no_cache_keeps(login: Login, alice: User, account: Account) -> None:
    for suffix, content_type in zip(("pdf", "csv", "ofx", "xml"), TYPES.values(), strict=True):
        answer = login(alice).get(f"/accounts/{account.pk}/statement.{suffix}")
        assert answer.headers["Content-Type"] == content_type
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="statement-')
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer.headers["Cache-Control"]


def test_the_page_says_what_a_format_cannot_hold(
    login: Login, alice: User, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.rules.statements import as_pdf

    monkeypatch.setattr(as_pdf, "LONGEST", 0)
    answer = login(alice).get(f"/accounts/{account.pk}/statement.pdf")
    assert answer.status_code == 422
    assert "A PDF holds up to 0 postings" in answer.content.decode()


def test_bad_days_are_explained_beside_the_field(login: Login, alice: User, account: Account) -> None:
    client = login(alice)
    for query, words in {
        "since=2026-02-29&until=2026-03-01": "Enter a valid date",
        "since=2026-03-02&until=2026-03-01": "The first day lies after the last day",
        "since=2020-01-01&until=2026-03-01": "at most 366 days",
        "since=2026-01-01&until=9999-12-31": "ends today at the latest",
        "since=2026-01-01": "This field is required",
    }.items():
        for page in ("statement/", "statement.pdf"):
            answer = client.get(f"/accounts/{account.pk}/{page}?{query}")
            assert answer.status_code == 422
            assert words in answer.content.decode(), query


def test_exports_are_limited_in_portal_and_api_together(
    login: Login, api: Api, alice: User, bob: User, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = throttle.Limit("statement-exports", count=3, seconds=600)
    monkeypatch.setattr(pages, "STATEMENT_EXPORTS", few)
    monkeypatch.setattr(AccountStatement, "throttle_classes", [throttle.by_user(few)])
    page, file = f"/accounts/{account.pk}/statement/", f"/accounts/{account.pk}/statement.csv"
    assert [login(alice).get(file).status_code for _ in range(2)] == [200, 200]
    assert api(alice).get(url_of(account), {"format": "csv"}).status_code == 200
    for stopped in (login(alice).get(file), api(alice).get(url_of(account), {"format": "pdf"})):
        assert stopped.status_code == 429
        assert 0 < int(stopped.headers["Retry-After"]) <= 200
    assert stopped.headers["Content-Type"] == "application/problem+json"
    assert login(alice).get(page).status_code == 200
    other = open_test_account(bob, amount="10.00")
    assert login(bob).get(f"/accounts/{other.pk}/statement.csv").status_code == 200


def test_a_monthly_file_counts_as_an_export(
    login: Login, alice: User, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = account.opened_at.date().replace(day=1)
    services.issue_statement(account=account, month=month, now=account.opened_at + timedelta(days=40))
    monkeypatch.setattr(pages, "STATEMENT_EXPORTS", throttle.Limit("statement-exports", count=1, seconds=600))
    url = f"/accounts/{account.pk}/statements/{account.opened_at:%Y-%m}/"
    assert url in login(alice).get(f"/accounts/{account.pk}/").content.decode()
    assert [login(alice).get(url).status_code for _ in range(2)] == [200, 429]


def test_a_statement_today_includes_today(account: Account) -> None:
    today = timezone.now().date()
    found = statements.statement(account, period=pages.periods.Period(today, today + timedelta(days=1)))
    assert len(found.lines) == 1


def test_the_schema_documents_every_format(api: Api) -> None:
    import json

    answer = api(None).get("/api/schema/", {"format": "json"})
    operation = json.loads(answer.content)["paths"]["/api/v1/accounts/{account_id}/statement"]["get"]
    assert set(operation["responses"]["200"]["content"]) == {
        "application/json",
        "application/pdf",
        "text/csv",
        "application/x-ofx",
        "application/xml",
    }
    assert operation["responses"]["200"]["content"]["text/csv"]["examples"]
    form = next(parameter for parameter in operation["parameters"] if parameter["name"] == "format")
    assert set(form["schema"]["enum"]) == {"json", "pdf", "csv", "ofx", "camt053"}


def test_old_moments_are_utc_days(alice: User) -> None:
    account = open_test_account(alice, amount="10.00", now=datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=UTC))
    april = pages.periods.Period(datetime(2026, 4, 1).date(), datetime(2026, 5, 1).date())
    assert statements.statement(account, period=april).opening.plain == "10.00"
