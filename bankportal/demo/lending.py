"""Loans of the demo bank: some that run for weeks, one that is late, an offer to accept, and wishes that wait for an officer.

Each running loan is paid into a wallet of its own and paid back from there: the current accounts have their history
booked already, and no account is booked into the past.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from accounts import services as accounts
from accounts.models import Account
from bankportal.demo.bank import Books
from bankportal.demo.staff import stable_id
from common.db import use_case
from common.money import Money
from identity.models import User
from ledger import queries as ledger
from loans import services as loans
from loans.models import Application, Instalment, Loan
from notifications.models import OutboxEvent

LENDER = "lending@demo.example"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for so many days before the end; `wallet` in major units is what they put into it besides."""

    person: int
    product: str
    amount: str
    months: int
    days_ago: int
    wallet: str = "600.00"


RUNNING = (
    Wish(0, "PERSONAL", "9000.00", 48, 80),
    Wish(3, "VEHICLE", "14500.00", 60, 74),
    Wish(4, "EDUCATION", "12000.00", 60, 69),
    Wish(6, "PERSONAL", "3500.00", 24, 66),
    Wish(7, "HOME", "180000.00", 300, 61, "2500.00"),
    Wish(9, "PERSONAL", "6000.00", 36, 52),
    Wish(10, "VEHICLE", "8200.00", 48, 47),
    Wish(12, "PERSONAL", "2500.00", 12, 40),
    Wish(14, "PERSONAL", "4800.00", 36, 9),
)
# Moves the money out of the wallet on the next day: the instalments stay unpaid.
LATE = Wish(13, "PERSONAL", "5200.00", 36, 71, "1.00")
OFFERED = Wish(1, "VEHICLE", "8000.00", 48, 0)
# Above what the policy approves by itself.
WAITING = (
    Wish(15, "PERSONAL", "32000.00", 72, 0),
    Wish(16, "HOME", "210000.00", 300, 0),
    Wish(17, "VEHICLE", "41000.00", 84, 0),
)


def ensure(books: Books, *, end: datetime) -> None:
    """Make what is missing, then live the days of the running loans up to yesterday."""
    for wish in (*RUNNING, LATE):
        if wish.person in books.current:
            _lend(books, wish, end)
    if LATE.person in books.current:
        _empty(books.users[LATE.person], end)
    _live(end)
    for wish in (OFFERED, *WAITING):
        if wish.person in books.current:
            _ask(books, wish, books.current[wish.person], end)
    if OFFERED.person in books.current:
        _approve(books, books.users[OFFERED.person], end)
    # Instalments of weeks ago are no news; what is asked and offered today is.
    OutboxEvent.objects.filter(relayed_at=None, kind__in=["loan_disbursed", "loan_paid", "loan_overdue"]).delete()


def _lend(books: Books, wish: Wish, end: datetime) -> None:
    user, asked = books.users[wish.person], end - timedelta(days=wish.days_ago)
    if Loan.objects.filter(customer=user).exists():
        return
    wallet = _wallet(user, wish, asked - timedelta(hours=2))
    _ask(books, wish, wallet, asked)
    _approve(books, user, asked)
    application = Application.objects.filter(customer=user, status=Application.Status.APPROVED).first()
    if application is not None:
        with use_case():
            loans.accept_offer_within(actor=user, application_id=application.pk, now=asked)


def _wallet(user: User, wish: Wish, now: datetime) -> Account:
    with use_case():
        return accounts.open_account_within(
            actor=user,
            owner=user,
            product_code="WAL-EUR",
            opening=Money.parse(wish.wallet, "EUR"),
            source=accounts.sandbox(),
            client_id=stable_id("loan-wallet", user.email),
            now=now,
        ).account


def _ask(books: Books, wish: Wish, account: Account, now: datetime) -> None:
    user, person = books.users[wish.person], books.persons[wish.person]
    if Application.objects.filter(customer=user).exists():
        return
    with use_case():
        draft = loans.save_wish_within(
            actor=user,
            product_code=wish.product,
            amount=wish.amount,
            instalments=wish.months,
            purpose="",
            now=now,
        )
        loans.save_means_within(
            actor=user,
            application_id=draft.pk,
            account_id=account.pk,
            employment="EMPLOYED",
            income=Money(person.salary_minor, "EUR").plain,
            obligations=Money(person.salary_minor * 28 // 100, "EUR").plain,
            now=now,
        )
        loans.submit_within(actor=user, application_id=draft.pk, now=now)


def _approve(books: Books, user: User, now: datetime) -> None:
    """What the policy left to a person, an officer approves (a second one is not at hand in the demo's past)."""
    application = Application.objects.filter(customer=user, status=Application.Status.REFERRED).first()
    if application is not None and application.first_approver_id is None:
        loans.approve(
            actor=books.staff[LENDER],
            application_id=application.pk,
            reason="Pay slips and the estimate seen.",
            now=now,
        )


def _empty(user: User, end: datetime) -> None:
    """The late borrower moves what was lent into another account on the next day, so that nothing can be collected."""
    loan = Loan.objects.filter(customer=user).select_related("account").first()
    left = ledger.balance(loan.account.ledger_account_id).posted if loan is not None else 0
    if loan is None or not left:
        return
    with use_case():
        accounts.open_account_within(
            actor=user,
            owner=user,
            product_code="SAL-EUR",
            opening=Money(left, "EUR"),
            source=accounts.own_account(loan.account_id),
            client_id=stable_id("loan-moved", user.email),
            now=end - timedelta(days=LATE.days_ago - 1),
        )


def _live(end: datetime) -> None:
    """The loans' part of each day on which something fell due, and of yesterday."""
    last = end.astimezone(UTC).date() - timedelta(days=1)
    due = Instalment.objects.filter(due_date__lte=last).values_list("due_date", flat=True)
    for day in sorted({*due, last}):
        now = datetime.combine(day + timedelta(days=1), time(1), tzinfo=UTC)
        loans.collect(day=day, now=now)
        loans.accrue(day=day, now=now)
        loans.classify(day=day, now=now)
