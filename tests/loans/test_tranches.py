"""Loans paid out in parts: the plan, four eyes for each later part, and books that are right to the cent afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, InternalError, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import Account
from identity.models import User
from identity.services import PermissionMissing
from loans import queries, services, verification
from loans.models import Application, Loan, LoanProduct, Tranche
from loans.rules.events import parse_events
from loans.rules.parsing import parse_terms
from loans.rules.servicing import service
from notifications.models import OutboxEvent
from tests.accounts.factories import open_test_account
from tests.loans.factories import TODAY, books, customer_with_a_past, end_of, live_until, noon
from tests.payments.factories import PIN, give_pin, posted

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
MAY = date(2026, 5, 11)
WHY = "Photographs of the roof seen"


def right() -> list[str]:
    return [str(found) for found in verification.verify()]


def asked(
    user: User,
    parts: list[tuple[int, str]],
    *,
    now: datetime | None = None,
    account: Account | None = None,
    **wish: Any,
) -> Application:
    """A home loan over 60 months, handed in: 24,000.00 unless told otherwise."""
    account, now = account or customer_with_a_past(user), now or noon()
    application = services.save_wish(
        actor=user,
        product_code=wish.get("product", "HOME"),
        amount=wish.get("amount", "24000"),
        instalments=wish.get("instalments", 60),
        purpose="A roof",
        parts=parts,
        now=now,
    )
    services.save_means(
        actor=user,
        application_id=application.pk,
        account_id=account.pk,
        employment="EMPLOYED",
        income="3000.00",
        obligations="500.00",
        now=now,
    )
    return services.submit(actor=user, application_id=application.pk, now=now)


def in_parts(user: User) -> Loan:
    """12,000.00 at once, 8,000.00 planned for May and 4,000.00 for August."""
    application = asked(user, [(2, "8000.00"), (5, "4000")])
    assert application.status == Application.Status.APPROVED, queries.last_decision(application).reasons
    return services.accept_offer(actor=user, application_id=application.pk, pin=PIN, now=noon())


def pay_out(loan: Loan, first: User, second: User, *, on: date) -> Tranche:
    services.ask_payout(actor=first, loan_id=loan.pk, reason=WHY, now=noon(on))
    return services.answer_payout(actor=second, loan_id=loan.pk, approved=True, reason="Agreed", now=noon(on))


def by_command(loan: Loan, path: Path, *disbursements: tuple[str, str]) -> list[tuple[str, str, str]]:
    """Due date, principal and interest of each row, as `manage.py loan_schedule` says for these days and amounts."""
    terms = {name: value for name, value in loan.terms.items() if name not in ("principal", "start_date")}
    terms["disbursements"] = [{"date": on, "amount": amount} for on, amount in disbursements]
    file, told = path / "terms.json", StringIO()
    file.write_text(json.dumps(terms))
    call_command("loan_schedule", "--terms", str(file), "--format", "json", stdout=told)
    return [(row["due_date"], row["principal"], row["interest"]) for row in json.loads(told.getvalue())["rows"]]


def rows_of(loan: Loan) -> list[tuple[str, str, str]]:
    def plain(minor: int) -> str:
        return f"{minor // 100}.{minor % 100:02}"

    return [
        (row.due_date.isoformat(), plain(row.principal_minor), plain(row.interest_minor))
        for row in queries.instalments_of(loan)
    ]


def test_a_part_paid_out_later_gives_the_schedule_of_the_command_and_books_that_agree(
    alice: User, lender: User, second_lender: User, tmp_path: Path
) -> None:
    loan = in_parts(alice)
    assert (loan.principal_minor, loan.disbursed_minor) == (24_000_00, 12_000_00)
    assert books() == {"1200": -12_000_00, "4110": 60_00}
    assert rows_of(loan) == by_command(loan, tmp_path, ("2026-03-02", "12000"))
    planned = [(part.number, part.planned_date, part.status) for part in queries.tranches_of(loan)]
    assert planned == [(2, date(2026, 5, 2), "PLANNED"), (3, date(2026, 8, 2), "PLANNED")]

    live_until(date(2026, 5, 10))
    before = posted(loan.account)
    part = pay_out(loan, lender, second_lender, on=MAY)

    loan.refresh_from_db()
    assert posted(loan.account) - before == 8_000_00 - 40_00
    assert (loan.disbursed_minor, part.status, part.paid_date) == (20_000_00, "PAID", MAY)
    as_planned = by_command(loan, tmp_path, ("2026-03-02", "12000"), ("2026-05-11", "8000"))
    assert rows_of(loan) == as_planned
    assert right() == []

    live_until(date(2026, 6, 2), since=MAY)

    loan.refresh_from_db()
    paid = [row for row in queries.instalments_of(loan) if not row.unpaid_minor]
    assert [row.due_date for row in paid] == [date(2026, 4, 2), date(2026, 5, 2), date(2026, 6, 2)]
    assert loan.principal_balance_minor == 20_000_00 - sum(row.principal_minor for row in paid)
    assert books()["4210"] == sum(row.interest_minor for row in paid)
    assert books()["4110"] == 100_00
    assert rows_of(loan) == as_planned
    assert right() == []
    assert OutboxEvent.objects.filter(user=alice, kind="loan_part_disbursed").count() == 1


def test_the_rows_of_a_loan_in_parts_follow_by_hand() -> None:
    """Equal principal, 12,000.00 over 12 months at 12 %, 6,000.00 more on the due date of the second instalment.

    By hand: 1,000.00 a month and 1 % of what is owed, then (10,000.00 + 6,000.00) / 10 = 1,600.00 a month.
    """
    terms = parse_terms(
        {
            "principal": "12000",
            "start_date": "2026-01-01",
            "method": "EQUAL_PRINCIPAL",
            "annual_rate": "12",
            "instalments": 12,
        }
    )
    event = {"date": "2026-03-01", "type": "DISBURSEMENT", "amount": "6000"}
    loan = service(terms=terms, events=parse_events([event], currency="EUR"), as_of=date(2026, 3, 1))

    assert [(row.due.principal, row.due.interest) for row in loan.rows[:5]] == [
        (1_000_00, 120_00),
        (1_000_00, 110_00),
        (1_600_00, 160_00),
        (1_600_00, 144_00),
        (1_600_00, 128_00),
    ]
    assert [row.due.principal for row in loan.rows[2:]] == [1_600_00] * 10
    assert loan.rows[-1].outstanding == 0


def test_each_part_takes_two_officers_and_a_reason(alice: User, bob: User, lender: User, second_lender: User) -> None:
    loan = in_parts(alice)
    ask = {"loan_id": loan.pk, "reason": WHY, "now": noon(MAY)}
    with pytest.raises(services.NotPossibleNow):
        services.answer_payout(actor=second_lender, approved=True, **ask)
    with pytest.raises(PermissionMissing):
        services.ask_payout(actor=bob, **ask)
    with pytest.raises(services.ReasonRequired):
        services.ask_payout(actor=lender, **{**ask, "reason": " "})

    services.ask_payout(actor=lender, **ask)
    with pytest.raises(services.NotPossibleNow, match="second officer"):
        services.ask_payout(actor=second_lender, **ask)
    with pytest.raises(services.SecondOfficerNeeded):
        services.answer_payout(actor=lender, approved=True, **ask)
    assert books()["1200"] == -12_000_00

    refused = services.answer_payout(actor=second_lender, approved=False, **ask)
    assert (refused.status, refused.maker) == ("PLANNED", None)
    assert pay_out(loan, second_lender, lender, on=MAY).number == 2
    with pytest.raises(services.NotPossibleNow):
        services.answer_payout(actor=lender, approved=True, **ask)
    assert books()["1200"] == -20_000_00
    assert pay_out(loan, lender, second_lender, on=MAY).number == 3
    with pytest.raises(services.NotPossibleNow, match="left"):
        services.ask_payout(actor=lender, **ask)
    loan.refresh_from_db()
    assert loan.disbursed_minor == loan.principal_minor
    assert right() == []


def test_nothing_more_is_paid_out_of_a_loan_in_default(alice: User, lender: User, second_lender: User) -> None:
    loan = in_parts(alice)
    services.ask_payout(actor=lender, loan_id=loan.pk, reason=WHY, now=noon(MAY))
    late = date(2026, 7, 15)

    # Ninety days after the first due date, whether or not the end of the day has said so.
    with pytest.raises(services.NotPossibleNow, match="non-performing"):
        services.answer_payout(actor=second_lender, loan_id=loan.pk, approved=True, reason="Agreed", now=noon(late))

    assert books()["1200"] == -12_000_00
    assert services.cancel_rest(actor=lender, loan_id=loan.pk, reason="In default", now=noon(late)) == loan
    assert {part.status for part in loan.tranches.all()} == {"CANCELLED"}
    assert right() == []


def test_what_is_not_paid_out_ends_with_the_loan(alice: User, lender: User) -> None:
    loan = in_parts(alice)
    services.ask_payout(actor=lender, loan_id=loan.pk, reason=WHY, now=noon())
    owed = services.payoff_quote(loan=loan, day=TODAY).total

    services.pay_off(actor=alice, loan_id=loan.pk, quoted_minor=owed, client_id=uuid4(), now=noon())

    loan.refresh_from_db()
    assert (loan.status, owed) == (Loan.Status.CLOSED, 12_000_00)
    assert {part.status for part in loan.tranches.all()} == {"CANCELLED"}
    with pytest.raises(services.NotPossibleNow):
        services.ask_payout(actor=lender, loan_id=loan.pk, reason=WHY, now=noon())
    assert right() == []


def test_cancelling_the_rest_keeps_the_instalments_and_tells_the_customer(
    alice: User, lender: User, second_lender: User
) -> None:
    loan = in_parts(alice)
    pay_out(loan, lender, second_lender, on=MAY)
    before = rows_of(loan)

    services.cancel_rest(actor=lender, loan_id=loan.pk, reason="The customer asked for it", now=noon(MAY))

    assert rows_of(loan) == before
    assert [part.status for part in queries.tranches_of(loan)] == ["PAID", "CANCELLED"]
    told = OutboxEvent.objects.get(user=alice, kind="loan_rest_cancelled")
    assert "4,000" in told.data["amount"]
    assert right() == []


def test_withdrawing_gives_the_fees_of_every_part_back(alice: User, lender: User, second_lender: User) -> None:
    loan = in_parts(alice)
    before = posted(loan.account)
    pay_out(loan, lender, second_lender, on=TODAY)
    assert services.arrangement_fee(loan).amount_minor == 100_00

    services.cancel(actor=alice, loan_id=loan.pk, now=noon())

    # The first part and its fee came before; all of it is gone again.
    assert posted(loan.account) == before - 12_000_00 + 60_00
    assert books() == {}
    assert {part.status for part in loan.tranches.all()} == {"PAID", "CANCELLED"}
    assert right() == []


def test_an_account_that_is_frozen_gets_nothing(alice: User, lender: User, second_lender: User) -> None:
    loan = in_parts(alice)
    services.ask_payout(actor=lender, loan_id=loan.pk, reason=WHY, now=noon())
    loan.account.__class__.objects.filter(pk=loan.account_id).update(status="FROZEN")

    with pytest.raises(accounts.AccountFrozen):
        services.answer_payout(actor=second_lender, loan_id=loan.pk, approved=True, reason="Agreed", now=noon())

    assert books()["1200"] == -12_000_00
    assert loan.tranches.get(number=2).status == "ASKED"


@pytest.mark.parametrize(
    ("parts", "wish", "message"),
    [
        ([(2, "24000")], {}, "first part"),
        ([(2, "0")], {}, "later part"),
        ([(2, "-5")], {}, "later part"),
        ([(0, "100")], {}, "a month after"),
        ([(3, "100"), (3, "100")], {}, "a month after"),
        ([(60, "100")], {}, "before the last instalment"),
        ([(1, "1"), (2, "1"), (3, "1"), (4, "1")], {}, "at most 4 parts"),
        ([(2, "1000")], {"product": "PERSONAL", "amount": "6000"}, "at once"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    alice: User, parts: list[tuple[int, str]], wish: dict[str, Any], message: str
) -> None:
    with pytest.raises(services.InvalidTranches, match=message) as refusal:
        asked(alice, parts, **wish)

    assert refusal.value.field == "tranches"
    assert not Application.objects.filter(customer=alice).exists()


def test_the_database_keeps_payouts_within_what_was_agreed(alice: User, lender: User) -> None:
    loan = in_parts(alice)
    for change in ({"disbursed_minor": 24_000_01}, {"disbursed_minor": 11_999_99}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Loan.objects.filter(pk=loan.pk).update(**change)
    part = loan.tranches.get(number=2)
    for wrong in ({"amount_minor": 9_000_00}, {"planned_date": TODAY}, {"status": "PAID"}):
        with pytest.raises(InternalError), transaction.atomic():
            Tranche.objects.filter(pk=part.pk).update(**wrong)
    services.ask_payout(actor=lender, loan_id=loan.pk, reason=WHY, now=noon())
    with pytest.raises(IntegrityError), transaction.atomic():
        Tranche.objects.filter(pk=part.pk).update(checker=lender)


def test_the_check_of_the_loan_book_sees_a_part_that_nobody_booked(alice: User) -> None:
    loan = in_parts(alice)
    Loan.objects.filter(pk=loan.pk).update(disbursed_minor=13_000_00)

    assert any(found.startswith("parts: ") for found in right())
    assert any("the engine has" in found for found in right())


def test_a_flat_product_is_not_paid_out_in_parts() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        LoanProduct.objects.filter(code="HOME").update(method="FLAT")


def test_the_customer_asks_for_parts_and_sees_them_on_offer_and_loan(alice: User, login: Login) -> None:
    customer_with_a_past(alice)
    client = login(alice)
    wish = {"product": "HOME", "amount": "24000", "instalments": "60", "purpose": "A roof"}
    missing = client.post("/loans/apply/", {**wish, "part_2": "8000"})
    assert missing.status_code == 422
    assert "Say after how many months." in missing.content.decode()
    too_much = client.post("/loans/apply/", {**wish, "part_2": "24000", "months_2": "2"})
    assert "Leave something for the first part" in too_much.content.decode()

    sent = client.post("/loans/apply/", {**wish, "part_2": "8000", "months_2": "2", "part_3": "4000", "months_3": "5"})

    assert sent.status_code == 302
    assert Application.objects.get(customer=alice).tranches == [
        {"after_months": 2, "amount": "8000.00"},
        {"after_months": 5, "amount": "4000.00"},
    ]
    assert 'value="8000.00"' in client.get("/loans/apply/").content.decode()


def test_offer_and_loan_show_the_parts(bob: User, login: Login) -> None:
    application = asked(bob, [(2, "8000.00"), (5, "4000")])
    client = login(bob)
    offer = client.get(f"/loans/applications/{application.pk}/").content.decode()
    assert "Part 3" in offer
    assert "once all of it is paid out" in offer
    # 12,000.00 less half a per cent.
    assert "11,940.00" in offer

    loan = services.accept_offer(actor=bob, application_id=application.pk, pin=PIN, now=noon())
    page = client.get(f"/loans/{loan.pk}/").content.decode()

    assert "Paid out in parts" in page
    assert "planned for" in page
    assert client.get(f"/loans/{loan.pk}/key-facts.pdf").status_code == 200
    assert queries.agreed_offer(loan).apr == loan.apr


def test_the_back_office_pays_out_under_four_eyes(alice: User, lender: User, second_lender: User, login: Login) -> None:
    now = timezone.now()
    give_pin(alice)
    application = asked(alice, [(2, "8000.00"), (5, "4000")], now=now, account=open_test_account(alice))
    services.approve(actor=lender, application_id=application.pk, reason="Pay slips seen", now=now)
    loan = services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=now)
    page, client, colleague = f"/admin/loans/loan/{loan.pk}", login(lender), login(second_lender)
    assert "Pay out the next part" in client.get(f"{page}/change/").content.decode()
    assert "8,000.00" in client.get(f"{page}/payout/").content.decode()

    assert client.post(f"{page}/payout/", {"reason": ""}).status_code == 422
    assert client.post(f"{page}/payout/", {"reason": WHY}).status_code == 302
    assert client.post(f"{page}/payout/agree/", {"reason": "Mine"}).status_code == 422
    assert WHY in colleague.get(f"{page}/change/").content.decode()
    assert colleague.post(f"{page}/payout/refuse/", {"reason": "Not yet"}).status_code == 302
    assert client.post(f"{page}/payout/", {"reason": WHY}).status_code == 302
    before = posted(loan.account)
    assert colleague.post(f"{page}/payout/agree/", {"reason": "Agreed"}).status_code == 302

    assert posted(loan.account) == before + 8_000_00 - 40_00
    assert client.post(f"{page}/cancel-rest/", {"reason": "No longer needed"}).status_code == 302
    assert list(loan.tranches.order_by("number").values_list("status", flat=True)) == ["PAID", "CANCELLED"]
    assert "Pay out the next part" not in client.get(f"{page}/change/").content.decode()
    assert right() == []


def test_the_api_quotes_asks_and_shows_parts(bob: User, api: Callable[[User | None], APIClient]) -> None:
    later = [{"after_months": 3, "amount": "60000.00"}, {"after_months": 8, "amount": "40000.00"}]
    wish = {"product": "HOME", "amount": "200000.00", "instalments": 240, "later_parts": later}
    quote = api(None).post("/api/v1/loans/quote", wish, format="json").json()
    rows = [row["total"] for row in quote["schedule"]]
    assert float(rows[0]) < float(rows[3]) < float(rows[8])
    assert quote["schedule"][-1]["outstanding"] == "0.00"
    wrong = api(None).post("/api/v1/loans/quote", {**wish, "product": "PERSONAL", "amount": "5000", "instalments": 12},
                           format="json")  # fmt: skip
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_tranches")
    assert api(None).get("/api/v1/loans/products").json()[0].get("max_parts")

    body = {
        **wish,
        "account": str(open_test_account(bob).pk),
        "employment": "EMPLOYED",
        "income": "3000.00",
        "obligations": "0",
    }
    client = api(bob)
    answer = client.post("/api/v1/loans/applications", body, format="json", headers={"Idempotency-Key": uuid4().hex})
    assert (answer.status_code, answer.json()["later_parts"]) == (201, later)


def test_the_api_shows_which_parts_are_paid_out(
    alice: User, lender: User, second_lender: User, api: Callable[[User | None], APIClient]
) -> None:
    loan = in_parts(alice)
    pay_out(loan, lender, second_lender, on=MAY)

    shown = api(alice).get(f"/api/v1/loans/{loan.pk}").json()

    assert (shown["principal"], shown["disbursed"]) == ("24000.00", "20000.00")
    assert shown["later_parts"] == [
        {"number": 2, "amount": "8000.00", "status": "PAID", "planned_date": "2026-05-02", "paid_date": "2026-05-11"},
        {"number": 3, "amount": "4000.00", "status": "PLANNED", "planned_date": "2026-08-02", "paid_date": None},
    ]
    assert api(alice).get("/api/v1/loans/").json() == [shown]


def test_a_day_done_again_after_a_part_changes_nothing(alice: User, lender: User, second_lender: User) -> None:
    loan = in_parts(alice)
    pay_out(loan, lender, second_lender, on=TODAY)
    end_of(TODAY)
    before = (books(), Loan.objects.get(pk=loan.pk).accruals)

    end_of(TODAY)

    assert (books(), Loan.objects.get(pk=loan.pk).accruals) == before
    assert right() == []
