"""Monthly statements: issued once, in order, by a task that may run twice; never changed; read back only when intact."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts import services, tasks
from accounts.models import Account, MonthlyStatement, StatementFile
from accounts.queries import statements
from accounts.rules.periods import Period
from accounts.rules.statements import as_pdf
from accounts.rules.statements.formats import Format
from identity.models import User
from notifications.models import OutboxEvent
from tests.accounts.factories import open_test_account
from tests.accounts.test_statements import from_pdf, post, text_of_pdf

pytestmark = pytest.mark.django_db
FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
EARLY_APRIL = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)


@pytest.fixture
def account(alice: User) -> Account:
    """1,000.00 in February, 300.00 out and 20.00 in in March."""
    made = open_test_account(alice, amount="1000.00", now=datetime(2026, 2, 20, tzinfo=UTC))
    post(made, -300_00, datetime(2026, 3, 5, tzinfo=UTC))
    post(made, 20_00, datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
    return made


def bytes_of(issued: MonthlyStatement) -> bytes:
    return b"".join(statements.issued_file(issued).chunks)


def path_of(issued: MonthlyStatement, settings: Any) -> Path:
    return Path(settings.STORAGES["default"]["OPTIONS"]["location"]) / issued.file.name


def test_issues_each_month_since_the_opening_once(account: Account) -> None:
    assert services.issue_due_statements(now=EARLY_APRIL) == 2
    february, march = MonthlyStatement.objects.order_by("month")
    assert [(row.month, row.number) for row in (february, march)] == [(FEBRUARY, 1), (MARCH, 2)]
    assert (february.opening_minor, february.closing_minor) == (0, 1000_00)
    assert (march.opening_minor, march.paid_in_minor, march.paid_out_minor) == (1000_00, 20_00, 300_00)
    assert march.closing_minor == 720_00
    assert services.issue_due_statements(now=EARLY_APRIL + timedelta(days=20)) == 0


def test_the_file_is_the_pdf_with_these_figures(account: Account) -> None:
    services.issue_due_statements(now=EARLY_APRIL)
    march = MonthlyStatement.objects.get(month=MARCH)
    data = bytes_of(march)
    assert (sha256(data).hexdigest(), len(data)) == (march.sha256, march.size)
    assert str(from_pdf(data)["closing"]) == "720.00"
    text = text_of_pdf(data)
    assert "Statement number" in text
    assert "1 Apr 2026" in text


def test_waits_until_an_hour_after_the_month(account: Account) -> None:
    assert services.issue_due_statements(now=EARLY_APRIL - timedelta(seconds=1)) == 1
    assert not MonthlyStatement.objects.filter(month=MARCH).exists()
    with pytest.raises(services.PeriodNotAllowed):
        services.issue_statement(account=account, month=MARCH, now=EARLY_APRIL - timedelta(seconds=1))


def test_tells_the_owner_about_the_month_that_has_just_ended(account: Account) -> None:
    services.issue_due_statements(now=EARLY_APRIL)
    services.issue_due_statements(now=EARLY_APRIL)
    told = OutboxEvent.objects.get(user=account.owner, kind="statement_ready")
    assert (told.data["month"], told.data["url"]) == ("March 2026", f"/accounts/{account.pk}/statements/")


def test_goes_on_where_the_budget_ended(account: Account) -> None:
    assert services.issue_due_statements(now=EARLY_APRIL, seconds=-1) == 0
    assert services.issue_due_statements(now=EARLY_APRIL) == 2


def test_leaves_no_month_out(account: Account) -> None:
    assert services.issue_statement(account=account, month=MARCH, now=EARLY_APRIL) is None
    assert services.issue_statement(account=account, month=FEBRUARY, now=EARLY_APRIL) is not None
    assert services.issue_statement(account=account, month=FEBRUARY, now=EARLY_APRIL) is None
    assert services.issue_statement(account=account, month=MARCH, now=EARLY_APRIL) is not None
    assert StatementFile.objects.count() == 2


def test_a_closed_account_gets_its_last_statement_and_no_more(account: Account, alice: User) -> None:
    other = open_test_account(alice, amount="10.00", now=datetime(2026, 3, 1, tzinfo=UTC))
    services.close_account(
        actor=alice, account_id=account.pk, payout_account_id=other.pk, now=datetime(2026, 4, 2, tzinfo=UTC)
    )
    services.issue_due_statements(now=datetime(2026, 8, 1, 2, tzinfo=UTC))
    months = list(account.monthly_statements.order_by("month").values_list("month", "closing_minor"))
    assert months == [(FEBRUARY, 1000_00), (MARCH, 720_00), (APRIL, 0)]
    assert services.issue_due_statements(now=datetime(2026, 8, 1, 2, tzinfo=UTC)) == 0


def test_the_next_one_takes_what_was_booked_late(account: Account, as_owner: Callable[[], Any]) -> None:
    services.issue_due_statements(now=EARLY_APRIL)
    post(account, 5_00, datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=UTC), "Late")
    march = statements.statement(account, period=Period(MARCH, APRIL))
    assert (march.closing.amount_minor, march.number) == (720_00, 2)
    services.issue_due_statements(now=datetime(2026, 5, 1, 2, tzinfo=UTC))
    april = MonthlyStatement.objects.get(month=APRIL)
    assert (april.opening_minor, april.paid_in_minor, april.closing_minor) == (720_00, 5_00, 725_00)
    first, second = (MonthlyStatement.objects.get(number=number) for number in (2, 3))
    assert first.last_seq == second.after_seq


def test_a_month_with_too_many_postings_is_kept_as_csv(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_pdf, "LONGEST", 1)
    services.issue_due_statements(now=EARLY_APRIL)
    march = MonthlyStatement.objects.get(month=MARCH)
    assert march.form == "csv"
    assert b"Closing balance,,EUR,720.00" in bytes_of(march)
    assert statements.issued_file(march).name.endswith("2026-03.csv")


@pytest.mark.parametrize(
    "deed", ["UPDATE accounts_monthlystatement SET closing_minor = 0", "DELETE FROM accounts_monthlystatement"]
)
def test_nobody_changes_an_issued_statement(account: Account, as_owner: Callable[[], Any], deed: str) -> None:
    services.issue_due_statements(now=EARLY_APRIL)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed)
    with pytest.raises(DatabaseError), transaction.atomic(), as_owner() as cursor:
        cursor.execute(deed)


def test_a_changed_file_is_not_handed_out(account: Account, settings: Any) -> None:
    services.issue_due_statements(now=EARLY_APRIL)
    march = MonthlyStatement.objects.get(month=MARCH)
    path = path_of(march, settings)
    path.write_bytes(path.read_bytes().replace(b"%PDF", b"%PDX"))
    with pytest.raises(services.StatementDamaged):
        statements.issued_file(march)
    path.unlink()
    with pytest.raises(services.StatementDamaged):
        statements.issued_file(march)


def test_one_account_that_fails_keeps_no_other_from_its_statement(
    account: Account, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts import storage
    from accounts.errors import StoreDown

    other = open_test_account(bob, amount="10.00", now=datetime(2026, 3, 1, tzinfo=UTC))
    save = storage.save

    def sometimes(name: str, content: Any) -> None:
        if str(account.pk) in name:
            raise StoreDown
        save(name, content)

    monkeypatch.setattr(storage, "save", sometimes)
    assert services.issue_due_statements(now=EARLY_APRIL) == 1
    assert MonthlyStatement.objects.get().account_id == other.pk
    monkeypatch.undo()
    assert services.issue_due_statements(now=EARLY_APRIL) == 2


def test_the_sweep_takes_only_old_files_that_nobody_names(account: Account, settings: Any) -> None:
    from django.core.files.base import ContentFile

    from accounts import storage

    services.issue_due_statements(now=EARLY_APRIL)
    storage.save("statements/orphan.pdf", ContentFile(b"x"))
    StatementFile.objects.create(name="statements/orphan.pdf", created_at=EARLY_APRIL)
    assert services.sweep_statement_files(now=EARLY_APRIL + timedelta(hours=23)) == 0
    assert services.sweep_statement_files(now=EARLY_APRIL + timedelta(days=1)) == 1
    assert StatementFile.objects.count() == 2
    assert bytes_of(MonthlyStatement.objects.get(month=MARCH)).startswith(b"%PDF")


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_issue_one_statement_each_month(account: Account) -> None:
    start = threading.Barrier(2)
    results: list[int] = []

    def work() -> None:
        start.wait()
        try:
            results.append(services.issue_due_statements(now=EARLY_APRIL))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(results) == 2
    assert sorted(MonthlyStatement.objects.values_list("number", flat=True)) == [1, 2]
    assert StatementFile.objects.filter(statement=None).count() == 0


def test_the_tasks_run(account: Account) -> None:
    tasks.issue_statements()
    assert MonthlyStatement.objects.filter(month=MARCH).count() == 1
    tasks.sweep_statement_files()


def test_the_owner_downloads_and_a_stranger_gets_404(
    account: Account, alice: User, charlie: User, login: Callable[[User], Client]
) -> None:
    services.issue_due_statements(now=EARLY_APRIL)
    url = f"/accounts/{account.pk}/statements/2026-03/"
    answer = login(alice).get(url)
    assert answer.status_code == 200
    assert (
        answer.headers["Content-Disposition"] == f'attachment; filename="statement-{account.number[-4:]}-2026-03.pdf"'
    )
    assert b"".join(answer.streaming_content) == bytes_of(MonthlyStatement.objects.get(month=MARCH))
    assert login(charlie).get(url).status_code == 404
    for month in ("2026-04", "2026-13", "march", "2026-3"):
        assert login(alice).get(f"/accounts/{account.pk}/statements/{month}/").status_code == 404


def test_the_portal_lists_them(account: Account, alice: User, login: Callable[[User], Client]) -> None:
    client = login(alice)
    assert "None yet" in client.get(f"/accounts/{account.pk}/statements/").content.decode()
    services.issue_due_statements(now=datetime(2026, 11, 1, 2, tzinfo=UTC))
    newest = client.get(f"/accounts/{account.pk}/statement/").content.decode()
    assert "October 2026" in newest
    assert "February 2026" not in newest
    assert "All 9" in newest
    every = client.get(f"/accounts/{account.pk}/statements/").content.decode()
    assert "February 2026" in every
    assert "€1,000.00" in every


def test_the_api_lists_and_gives_them(
    account: Account, alice: User, charlie: User, api: Callable[[User | None], APIClient]
) -> None:
    services.issue_due_statements(now=EARLY_APRIL)
    url = f"/api/v1/accounts/{account.pk}/statements/"
    listed = api(alice).get(url).data["results"]
    assert [(row["month"], row["number"], row["closing"]) for row in listed] == [
        ("2026-03", 2, "720.00"),
        ("2026-02", 1, "1000.00"),
    ]
    for accept in ("*/*", "application/pdf"):
        answer = api(alice).get(f"{url}2026-03", headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/pdf"
        assert sha256(b"".join(answer.streaming_content)).hexdigest() == listed[0]["sha256"]
    missing = api(alice).get(f"{url}2026-04")
    assert (missing.status_code, missing.data["code"]) == (404, "unknown_statement")
    for path in (url, f"{url}2026-03"):
        assert api(charlie).get(path).status_code == 404
        assert api(None).get(path).status_code == 401


def test_other_formats_of_an_issued_month_carry_its_number(account: Account) -> None:
    services.issue_due_statements(now=EARLY_APRIL)
    statement = statements.statement(account, period=Period(MARCH, APRIL))
    data = b"".join(statements.export(statement, form=Format.CAMT053, now=EARLY_APRIL).chunks)
    assert b"<ElctrncSeqNb>2</ElctrncSeqNb><LglSeqNb>2</LglSeqNb>" in data
