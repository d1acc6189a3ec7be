"""Customers with a past, applications and running loans. The bank's day is a fixed one: 2 March 2026."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

from accounts.models import Account
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger
from loans import queries, services
from loans.models import Application, Loan
from tests.accounts.factories import open_test_account
from tests.payments.factories import PIN, give_pin

TODAY = date(2026, 3, 2)


def noon(day: date = TODAY) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def post(account: Account, minor: int, *, on: date, text: str, kind: str = "deposit") -> None:
    """Money from outside (positive) or to outside, on a day."""
    outside = ledger_queries.internal_account("1100", account.currency)
    debit, credit = (outside, account.ledger_account_id) if minor > 0 else (account.ledger_account_id, outside)
    ledger.post_transfer(
        external_ref=uuid4(),
        debit_account_id=debit,
        credit_account_id=credit,
        amount_minor=abs(minor),
        kind=kind,
        description=text,
        source_kind="test",
        source_id="1",
        booked_at=noon(on),
    )


def customer_with_a_past(user: User, *, salary: int = 3_000_00, rent: int = 500_00, months: int = 3) -> Account:
    """An account opened two years ago, with pay and rent in the last months, and a PIN."""
    account = open_test_account(user, "CUR-EUR", "2000.00", now=noon(date(2024, 1, 15)))
    for back in range(months, 0, -1):
        month = (TODAY.replace(day=1) - timedelta(days=30 * back - 15)).replace(day=1)
        if rent:
            post(account, -rent, on=month.replace(day=3), text="Rent", kind="withdrawal")
        if salary:
            post(account, salary, on=month.replace(day=25), text=f"Salary {month:%m/%Y}")
    give_pin(user)
    return account


def draft(
    user: User,
    account: Account,
    *,
    amount: str = "6000.00",
    instalments: int = 12,
    product: str = "PERSONAL",
    **answers: str,
) -> Application:
    application = services.save_wish(
        actor=user, product_code=product, amount=amount, instalments=instalments, purpose="A bicycle", now=noon()
    )
    said = {"employment": "EMPLOYED", "income": "3000.00", "obligations": "500.00", **answers}
    return services.save_means(actor=user, application_id=application.pk, account_id=account.pk, now=noon(), **said)


def applied(user: User, account: Account, **wishes: str | int) -> Application:
    return services.submit(actor=user, application_id=draft(user, account, **wishes).pk, now=noon())


def running_loan(user: User, account: Account | None = None, **wishes: str | int) -> Loan:
    """A personal loan of 6,000.00 over twelve months, paid out on `TODAY`."""
    account = account or customer_with_a_past(user)
    application = applied(user, account, **wishes)
    assert application.status == Application.Status.APPROVED, queries.last_decision(application).reasons
    return services.accept_offer(actor=user, application_id=application.pk, pin=PIN, now=noon())


def referred(
    user: User, account: Account, *, now: datetime, amount: str = "2000.00", product: str = "PERSONAL"
) -> Application:
    """An application of today by a customer we know little of: a person has to look at it."""
    application = services.save_wish(
        actor=user, product_code=product, amount=amount, instalments=12, purpose="A bicycle", now=now
    )
    services.save_means(
        actor=user,
        application_id=application.pk,
        account_id=account.pk,
        employment="EMPLOYED",
        income="5000.00",
        obligations="500.00",
        now=now,
    )
    application = services.submit(actor=user, application_id=application.pk, now=now)
    assert application.status == Application.Status.REFERRED
    return application


def granted(user: User, account: Account, lender: User, *, now: datetime, amount: str = "2000.00") -> Loan:
    """A loan of today that a lending officer approved; the customer's PIN is that of the tests."""
    application = referred(user, account, now=now, amount=amount)
    services.approve(actor=lender, application_id=application.pk, reason="Pay slips seen", now=now)
    return services.accept_offer(actor=user, application_id=application.pk, pin=PIN, now=now)


def end_of(day: date) -> None:
    """The loans' part of the end of a day, an hour after midnight."""
    now = datetime.combine(day + timedelta(days=1), time(1), tzinfo=UTC)
    services.collect(day=day, now=now)
    services.accrue(day=day, now=now)
    services.classify(day=day, now=now)
    services.remind(day=day, now=now)


def live_until(day: date, *, since: date = TODAY) -> None:
    """The end of every day from `since` up to and with `day`."""
    while since <= day:
        end_of(since)
        since += timedelta(days=1)


def books(currency: str = "EUR") -> dict[str, int]:
    """What stands on the loan accounts of the ledger, credit positive, zeros left out."""
    codes = ("1200", "1210", "1220", "1290", "2310", "4110", "4120", "4210", "4290", "5200", "5210")
    found = {code: ledger_queries.balance(ledger_queries.internal_account(code, currency)).posted for code in codes}
    return {code: amount for code, amount in found.items() if amount}
