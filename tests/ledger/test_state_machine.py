"""The bank against a plain model in memory: any sequence of operations, refusals included, ends in the same state.

What can be done to the ledger, and above it standing orders that the clock pays and ends of days with expiry and interest.
500 runs of 50 steps; `LEDGER_MACHINE_RUNS=5000` for more, `TEST_SEED=7` for other ones. Every run commits, so that
`verify_ledger` can prove all of them together at the end.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from accounts.models import Account as BankAccount
from accounts.models import InterestPosting
from accounts.rules import numbers
from bankportal import end_of_day
from bankportal.models import EndOfDayRun, EndOfDayStep
from common.db import use_case
from common.money import Money
from fraud.rules.facts import Outcome
from identity.models import User
from ledger import queries, services, verification
from payments import services as payments
from payments.models import StandingOrder, StandingRun
from tests.dice import SEED
from tests.ledger.machine import START, Account, LedgerMachine, amounts, index
from tests.payments.factories import verdict

RUNS = int(os.environ.get("LEDGER_MACHINE_RUNS", "500"))
STEPS = 50
# One per cent a day, by ACT/365: a day or two of it shows in minor units.
RATE = 365
# The end of a day can post the interest of the month in which every run begins.
APRIL = datetime(2026, 4, 1, 1, tzinfo=UTC)
KEPT_FOR = timedelta(hours=72)


@dataclass
class Terms:
    """An account as the bank knows it: what it earns since when, and what it could not pay of what it owes."""

    row: BankAccount
    since: date
    unpaid: int = 0


@dataclass
class Order:
    """The standing order of a run. `waiting` has (tried, next try) of each due date that is not paid yet."""

    id: UUID
    debit: Account
    credit: Account
    amount: int
    next_date: date | None
    weekly: bool
    waiting: list[tuple[int, datetime]]
    paid: int = 0
    failed: int = 0


class BankMachine(LedgerMachine):
    """Every ledger account is an account of one customer, and time does its work when it is asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.owner = User.objects.create_user(f"{uuid4()}@example.com", None, full_name="Ada Machine")
        self.terms: dict[int, Terms] = {}
        self.order: Order | None = None
        self.ticked = START
        self.kept: list[tuple[Account, int, datetime]] = []
        self.ends_after = START
        self.ended: date | None = None

    @initialize(after=st.sampled_from([START, APRIL, APRIL]))
    def days_begin_anew(self, after: datetime) -> None:
        """The runs of this machine may end the same day; its checks begin at the newest seal, as after the day before."""
        self.ends_after = after
        EndOfDayStep.objects.all().delete()
        EndOfDayRun.objects.all().delete()
        head = queries.seal_heads().last()
        EndOfDayRun.objects.create(
            day=START.date() - timedelta(days=90), started_at=START, finished_at=START, seal=head and head.number
        )

    # --- What can be done -------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.order is None)
    @rule(debit=index, credit=index, amount=amounts, days=st.sampled_from([0, 0, 1]), weekly=st.booleans())
    def order_payments(self, debit: int, credit: int, amount: int, days: int, weekly: bool) -> None:
        payer, payee = self.account(debit), self.account(credit)
        if payer is payee or not payer.status == payee.status == "ACTIVE":
            return
        first = self.now.date() + timedelta(days=days)
        draft = payments.draft_standing_order(
            actor=self.owner,
            debit_account_id=self.terms[payer.id].row.pk,
            credit_account_id=self.terms[payee.id].row.pk,
            amount=Money(amount, "EUR").plain,
            unit="WEEK" if weekly else "ONCE",
            first_date=first,
            now=self.now,
        )
        with use_case():
            made = payments.make_standing_order_within(draft=draft, now=self.now)
        self.order = Order(made.pk, payer, payee, amount, first, weekly, [])

    @precondition(lambda self: self.order is not None and self.now >= self.ticked)
    @rule(flagged=st.sampled_from([False, False, True]))
    def the_clock_pays(self, flagged: bool) -> None:
        """The task twice in a row: what the first made, the second does not make again."""
        order, self.ticked = self.order, self.now
        assert order is not None
        with verdict(Outcome.FLAGGED if flagged else Outcome.APPROVED):
            payments.run_due(now=self.now)
            assert payments.run_due(now=self.now) == 0
        while order.next_date is not None and order.next_date <= self.now.date():
            order.waiting.append((0, self.now))
            order.next_date = order.next_date + timedelta(weeks=1) if order.weekly else None
        self.try_what_waits(order, flagged=flagged)
        runs = StandingRun.objects.filter(order=order.id)
        assert runs.filter(status="DONE").count() == order.paid
        assert runs.filter(status="FAILED").count() == order.failed
        assert runs.filter(status="WAITING").count() == len(order.waiting)
        if order.next_date is None and not order.waiting:
            self.order = None

    @precondition(lambda self: self.order is not None and self.order.next_date is not None)
    @rule()
    def cancel_the_order(self) -> None:
        assert self.order is not None
        payments.cancel_standing_order(actor=self.owner, order_id=self.order.id, now=self.now)
        assert payments.run_due(now=max(self.now, self.ticked) + timedelta(days=1)) == 0
        self.order = None

    @precondition(lambda self: self.ended is None and self.now >= self.ends_after)
    @rule()
    def a_day_ends(self) -> None:
        """Twice: what was held too long comes back, interest of a month that ended is posted, and that only once."""
        if self.order is not None and self.now >= self.ticked:
            self.the_clock_pays(flagged=False)
        self.ended = day = (self.now - end_of_day.GRACE).date() - timedelta(days=1)
        for _ in range(2):
            run = end_of_day.run(day=day, now=self.now)
            assert run.finished_at is not None, [(step.name, step.note) for step in run.steps.all()]
        for account, amount, until in self.kept:
            if until <= self.now:
                account.held -= amount
        self.kept = [each for each in self.kept if each[2] > self.now]
        for account in self.accounts:
            self.earn(account, until=(day + timedelta(days=1)).replace(day=1))

    # --- What must hold -----------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        super().teardown()
        for account in self.accounts:
            last = InterestPosting.objects.filter(account=self.terms[account.id].row).order_by("-until").first()
            if last is not None:
                assert (last.until, last.unpaid_minor) == (self.terms[account.id].since, self.terms[account.id].unpaid)
        # Nothing of this run is due in the next one.
        StandingRun.objects.filter(order__customer=self.owner, status="WAITING").update(
            status="SKIPPED", next_attempt_at=None
        )
        StandingOrder.objects.filter(customer=self.owner, status="ACTIVE").update(status="CANCELLED", next_date=None)
        BankAccount.objects.filter(owner=self.owner).update(interest_rate=0, overdraft_rate=0)

    # --- The model --------------------------------------------------------------------------------------------------------------

    def opened(self, account: Account) -> None:
        row = BankAccount.objects.create(
            number=numbers.from_uuid(uuid4()),
            owner=self.owner,
            product_id="CUR-EUR",
            currency="EUR",
            ledger_account_id=account.id,
            client_id=uuid4(),
            opening_minor=1,
            opening_source="SANDBOX",
            opened_by=self.owner,
            opened_at=self.now,
            active_at=self.now,
            interest_rate=RATE,
            overdraft_rate=RATE,
        )
        self.terms[account.id] = Terms(row, since=self.now.date())

    def status_set(self, account: Account) -> None:
        rows = BankAccount.objects.filter(ledger_account=account.id)
        if account.status == "CLOSED":
            rows.filter(status="FROZEN").update(status="ACTIVE")
            rows.exclude(status="CLOSED").update(status="CLOSED", closed_at=self.now)
        else:
            rows.update(status=account.status)

    def try_what_waits(self, order: Order, *, flagged: bool) -> None:
        waiting, order.waiting = sorted(order.waiting, key=lambda each: each[1]), []
        for tried, at in waiting:
            if at > self.now:
                order.waiting.append((tried, at))
            elif not order.debit.status == order.credit.status == "ACTIVE":
                order.failed += 1
                if "CLOSED" in self.reason(order):
                    order.next_date = None
            elif order.debit.takes(order.amount):
                order.paid += 1
                self.pay(order, flagged=flagged)
            elif tried + 1 < django_settings.STANDING_ORDER_ATTEMPTS:
                minutes = django_settings.STANDING_ORDER_RETRY_MINUTES
                order.waiting.append((tried + 1, self.now + timedelta(minutes=minutes)))
            else:
                order.failed += 1

    def reason(self, order: Order) -> str:
        """The account that pays is looked at first."""
        return order.debit.status if order.debit.status != "ACTIVE" else order.credit.status

    def pay(self, order: Order, *, flagged: bool) -> None:
        if flagged:
            order.debit.held += order.amount
            self.kept.append((order.debit, order.amount, self.now + KEPT_FOR))
        else:
            self.move([(order.debit, -order.amount), (order.credit, order.amount)])

    def earn(self, account: Account, *, until: date) -> None:
        """One rounding for what was earned and one for what is owed, of the balances of each day by value date."""
        terms = self.terms[account.id]
        opened = terms.row.opened_at
        if account.status != "ACTIVE" or terms.since >= until or opened >= datetime.combine(until, time.min, UTC):
            return
        days = [terms.since + timedelta(days=n) for n in range((until - terms.since).days)]
        balances = [sum(amount for _, value, amount in account.moved if value <= day) for day in days]
        earned = round(sum(max(each, 0) for each in balances) * Fraction(RATE, 36_500))
        owed = terms.unpaid + round(sum(max(-each, 0) for each in balances) * Fraction(RATE, 36_500))
        charged = owed
        if account.floor is not None:
            charged = min(owed, max(account.posted - account.held - account.floor + earned, 0))
        terms.since, terms.unpaid = until, owed - charged
        for amount in (earned, -charged):
            if amount:
                self.move([(account, amount)], until)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_any_sequence_of_operations_ends_as_the_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # Few tries, soon after each other: so that a run sees the last of them too.
    monkeypatch.setattr(django_settings, "STANDING_ORDER_ATTEMPTS", 2)
    monkeypatch.setattr(django_settings, "STANDING_ORDER_RETRY_MINUTES", 60)
    services.make_months(since=START - timedelta(days=92), until=START + timedelta(days=184))
    run_state_machine_as_test(
        seed(SEED)(BankMachine),
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    while services.take_daily_balances():
        pass
    assert list(verification.verify(jobs=2)) == []
