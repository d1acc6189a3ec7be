"""Importing, matching and unmatching against the settlement account, and the desk where staff do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.models import Account
from audit.models import AuditEvent
from identity.models import User
from identity.services import PermissionMissing
from ledger import queries as ledger_queries
from ledger import services as ledger
from reconciliation import queries, services
from reconciliation.admin import lines as desk
from reconciliation.models import Line, Match, OutsideStatement
from reconciliation.services import Source
from tests.accounts.factories import open_test_account

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def account(alice: User) -> Account:
    return open_test_account(alice, amount="1000.00", now=datetime(2026, 1, 5, tzinfo=UTC))


def settle(account: Account, amount: int, day: int, source_id: str = "", text: str = "Deposit") -> tuple[int, int]:
    """Money that came from outside (positive) or went there; its posting's key on the settlement account."""
    outside = queries.settlement_account(account.currency)
    pair = (outside, account.ledger_account_id) if amount > 0 else (account.ledger_account_id, outside)
    with transaction.atomic():
        entry = ledger.post_transfer(
            external_ref=uuid4(),
            debit_account_id=pair[0],
            credit_account_id=pair[1],
            amount_minor=abs(amount),
            kind="deposit",
            description=text,
            source_kind="payment",
            source_id=source_id or str(uuid4()),
            booked_at=datetime(2026, 3, day, 9, tzinfo=UTC),
        )
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    lines = ledger_queries.internal_lines(outside, start, end)
    return next((line.entry_id, line.no) for line in lines if line.entry_id == entry.entry_id)


def csv(*rows: str) -> bytes:
    return ("Date,Amount,Reference,Description\n" + "\n".join(rows)).encode()


def bring(actor: User, data: bytes, **changes: Any) -> services.Imported:
    facts = {"source": Source.CSV, "currency": "EUR", "file_name": "march.csv", "now": NOW}
    return services.import_statement(actor=actor, data=data, **{**facts, **changes})


def test_matches_what_is_sure_and_queues_the_rest(administrator: User, account: Account) -> None:
    settle(account, 250_00, 5)
    settle(account, -40_00, 6)
    for part in (10_00, 20_00, 30_00):
        settle(account, part, 9)
    done = bring(
        administrator,
        csv("2026-03-06,250.00,,Deposit", "2026-03-06,-40.00,,Paid", "2026-03-09,60.00,,Batch", "2026-03-10,7.77,,Odd"),
    )
    assert (done.matched, done.statement.line_count) == (3, 4)
    assert [line.description for line in queries.open_lines(done.statement.ledger_account_id)] == ["Odd"]
    assert sorted(Match.objects.values_list("rule", flat=True)) == ["AMOUNT", "AMOUNT", "SUM"]
    assert Match.objects.get(rule="SUM").postings.count() == 3


def test_the_same_file_again_changes_nothing(administrator: User, account: Account) -> None:
    settle(account, 250_00, 5)
    data = csv("2026-03-06,250.00,,Deposit")
    first = bring(administrator, data)
    again = bring(administrator, data, file_name="renamed.csv")
    assert (again.again, again.statement.pk) == (True, first.statement.pk)
    assert (Line.objects.count(), Match.objects.count()) == (1, 1)


def test_matches_by_the_payments_reference(administrator: User, account: Account) -> None:
    payment = str(uuid4())
    settle(account, 50_00, 5)
    wanted = settle(account, 50_00, 6, source_id=payment)
    bring(administrator, csv(f"2026-03-07,50.00,{payment},Deposit"))
    match = Match.objects.get()
    assert (match.rule, match.postings.get().entry_id) == ("REFERENCE", wanted[0])


def test_reads_our_own_camt_export_from_the_other_side(administrator: User, account: Account) -> None:
    from accounts.queries import statements
    from accounts.rules.periods import Period
    from accounts.rules.statements.formats import Format

    settle(account, 250_00, 5)
    period = Period(datetime(2026, 3, 1, tzinfo=UTC).date(), datetime(2026, 4, 1, tzinfo=UTC).date())
    for form, source in ((Format.CAMT053, Source.CAMT053), (Format.OFX, Source.OFX)):
        data = b"".join(statements.export(statements.statement(account, period=period), form=form, now=NOW).chunks)
        assert bring(administrator, data, source=source, file_name="own").statement.line_count == 1
    assert Match.objects.count() == 1


def test_matches_again_when_the_posting_comes_later(administrator: User, account: Account) -> None:
    assert bring(administrator, csv("2026-03-06,250.00,,Deposit")).matched == 0
    settle(account, 250_00, 6)
    assert services.match_open_lines(actor=administrator, currency="EUR", now=NOW) == 1
    assert services.match_open_lines(actor=administrator, currency="EUR", now=NOW) == 0


def test_a_person_matches_takes_back_and_matches_again(administrator: User, account: Account) -> None:
    keys = [settle(account, 100_00, 5), settle(account, 100_00, 7)]
    bring(administrator, csv("2026-03-06,100.00,,Which one?"))
    line = Line.objects.get()
    made = services.match_by_hand(
        actor=administrator, line_ids=[line.pk], postings=[keys[0]], reason="Seen on paper", now=NOW
    )
    assert not queries.is_open(line)
    with pytest.raises(services.AlreadyMatched):
        services.match_by_hand(actor=administrator, line_ids=[line.pk], postings=[keys[1]], reason="Again", now=NOW)
    services.undo_match(actor=administrator, match_id=made.pk, reason="The other one", now=NOW)
    with pytest.raises(services.UnknownMatch):
        services.undo_match(actor=administrator, match_id=made.pk, reason="Twice", now=NOW)
    services.match_by_hand(actor=administrator, line_ids=[line.pk], postings=[keys[1]], reason="This one", now=NOW)
    events = AuditEvent.objects.filter(action__startswith="reconciliation.").order_by("pk")
    actions = list(events.values_list("action", "reason"))
    assert [action for action, _ in actions] == [
        "reconciliation.imported",
        "reconciliation.matched",
        "reconciliation.unmatched",
        "reconciliation.matched",
    ]
    assert actions[2][1] == "The other one"


def test_sums_that_differ_and_missing_reasons_are_refused(administrator: User, account: Account) -> None:
    key = settle(account, 99_00, 5)
    bring(administrator, csv("2026-03-06,100.00,,Deposit"))
    line = Line.objects.get()
    with pytest.raises(services.NotBalanced) as caught:
        services.match_by_hand(actor=administrator, line_ids=[line.pk], postings=[key], reason="Near", now=NOW)
    assert caught.value.data == {"lines_minor": 100_00, "postings_minor": 99_00}
    with pytest.raises(services.ReasonRequired):
        services.match_by_hand(actor=administrator, line_ids=[line.pk], postings=[key], reason="  ", now=NOW)
    with pytest.raises(services.UnknownLine):
        services.match_by_hand(actor=administrator, line_ids=[uuid4()], postings=[key], reason="None", now=NOW)
    with pytest.raises(services.AlreadyMatched):
        services.match_by_hand(actor=administrator, line_ids=[line.pk], postings=[(1, 99)], reason="None", now=NOW)
    assert not Match.objects.exists()


def test_two_lines_for_one_posting_by_hand(administrator: User, account: Account) -> None:
    key = settle(account, 100_00, 5)
    rows = [f"2026-03-06,{amount}.00,,Part of {amount}" for amount in (70, 30, 60, 40)]
    assert bring(administrator, csv(*rows)).matched == 0
    chosen = Line.objects.filter(amount_minor__in=[60_00, 40_00])
    made = services.match_by_hand(
        actor=administrator, line_ids=[line.pk for line in chosen], postings=[key], reason="Two", now=NOW
    )
    assert (made.lines.count(), made.amount.plain) == (2, "100.00")
    assert queries.open_lines(made.ledger_account_id).count() == 2


@pytest.mark.parametrize(
    ("data", "changes", "code"),
    [
        (b"", {}, "unreadable_statement"),
        (csv(), {}, "unreadable_statement"),
        (csv("2026-03-06,0.00,,Nothing"), {}, "unreadable_statement"),
        (b"x" * (5 * 1024 * 1024 + 1), {}, "outside_statement_too_large"),
        (
            b"<OFX><CURDEF>USD<BANKTRANLIST><STMTTRN><DTPOSTED>20260305<TRNAMT>1.00<FITID>1</BANKTRANLIST></OFX>",
            {"source": Source.OFX},
            "currency_mismatch",
        ),
    ],
)
def test_refuses_bad_files_and_keeps_nothing(
    administrator: User, data: bytes, changes: dict[str, Any], code: str
) -> None:
    from common.errors import DomainError

    with pytest.raises(DomainError) as caught:
        bring(administrator, data, **changes)
    assert caught.value.error_code == code
    assert not OutsideStatement.objects.exists()


def test_only_some_roles_may_reconcile(alice: User, teller: User, auditor: User, account: Account) -> None:
    for actor in (alice, teller, auditor):
        with pytest.raises(PermissionMissing):
            bring(actor, csv("2026-03-06,250.00,,Deposit"))
        with pytest.raises(PermissionMissing):
            services.undo_match(actor=actor, match_id=uuid4(), reason="No", now=NOW)


@pytest.mark.parametrize("deed", ["UPDATE reconciliation_line SET amount_minor = 1", "DELETE FROM reconciliation_line"])
def test_nobody_changes_what_was_imported(administrator: User, account: Account, deed: str) -> None:
    bring(administrator, csv("2026-03-06,250.00,,Deposit"))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed)


def test_staff_import_match_and_take_back_in_the_back_office(
    administrator: User, account: Account, login: Callable[[User], Client]
) -> None:
    keys = [settle(account, 100_00, 5), settle(account, 100_00, 7)]
    client = login(administrator)
    page = "/admin/reconciliation/outsidestatement/import/"
    assert 'enctype="multipart/form-data"' in client.get(page).content.decode()
    upload = SimpleUploadedFile("march.csv", csv("2026-03-06,100.00,,Which one?"))
    sent = client.post(page, {"file": upload, "source": "csv", "currency": "EUR"}, follow=True)
    assert "1 wait for you" in sent.content.decode()
    assert "Which one?" in sent.content.decode()
    line = Line.objects.get()
    desk = f"/admin/reconciliation/line/{line.pk}/match/"
    assert f"{keys[0][0]}/{keys[0][1]}" in client.get(desk).content.decode()
    chosen = {"postings_chosen": [f"{keys[0][0]}/{keys[0][1]}"], "reason": "Seen on paper"}
    assert client.post(desk, {**chosen, "reason": ""}).status_code == 422
    assert client.post(desk, chosen).status_code == 302
    match = Match.objects.get()
    assert client.get(f"/admin/reconciliation/match/{match.pk}/change/").status_code == 200
    assert client.get(desk).status_code in {302, 403}
    assert client.post(f"/admin/reconciliation/match/{match.pk}/undo/", {"reason": "Wrong one"}).status_code == 302
    assert queries.is_open(line)


def test_a_matched_line_leads_to_its_match_and_the_match_to_its_entries(
    administrator: User, account: Account, login: Callable[[User], Client]
) -> None:
    entry, _ = settle(account, 250_00, 6)
    assert bring(administrator, csv("2026-03-06,250.00,,Deposit")).matched == 1
    client, match = login(administrator), Match.objects.get()
    page = client.get(f"/admin/reconciliation/line/{Line.objects.get().pk}/change/").content.decode()
    assert f"/admin/reconciliation/match/{match.pk}/change/" in page
    assert (
        f"/admin/ledger/entry/{entry}/change/"
        in client.get(f"/admin/reconciliation/match/{match.pk}/change/").content.decode()
    )
    assert (
        "Every line of the statements that were imported is matched."
        in client.get("/admin/reconciliation/line/?matched=no").content.decode()
    )


def test_the_page_says_when_it_does_not_list_every_posting(
    administrator: User, account: Account, login: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "MOST_CHOICES", 1)
    keys = [settle(account, 100_00, day) for day in (5, 7)]
    bring(administrator, csv("2026-03-06,55.00,,Which one?"))
    page = login(administrator).get(f"/admin/reconciliation/line/{Line.objects.get().pk}/match/").content.decode()
    assert "The nearest 1 of 2 open postings within" in page
    assert sum(f"entry {entry}" in page for entry, _ in keys) == 1


def test_a_bad_file_is_explained_on_the_page(administrator: User, login: Callable[[User], Client]) -> None:
    upload = SimpleUploadedFile("bomb.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>')
    answer = login(administrator).post(
        "/admin/reconciliation/outsidestatement/import/", {"file": upload, "source": "camt053", "currency": "EUR"}
    )
    assert answer.status_code == 422
    assert "We cannot read this file" in answer.content.decode()


def test_staff_try_the_rules_again_when_more_was_booked(
    administrator: User, auditor: User, account: Account, login: Callable[[User], Client]
) -> None:
    assert bring(administrator, csv("2026-03-06,250.00,,Deposit")).matched == 0
    settle(account, 250_00, 5)
    page = "/admin/reconciliation/line/match-again/"
    assert login(auditor).post(page, {"currency": "EUR"}).status_code == 403
    client = login(administrator)
    assert "Try the rules again" in client.get("/admin/reconciliation/line/").content.decode()
    assert client.post(page, {"currency": "XXX"}).status_code == 422
    assert "1 line has found its posting" in client.post(page, {"currency": "EUR"}, follow=True).content.decode()
    assert not queries.is_open(Line.objects.get())
    assert "nothing new" in client.post(page, {"currency": "EUR"}, follow=True).content.decode()
    assert AuditEvent.objects.filter(action="reconciliation.matched_again", actor=administrator).count() == 2
