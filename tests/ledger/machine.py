"""A plain model of the ledger in memory: what can be done to both, and what each must say. `test_state_machine.py` runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ledger import queries, services
from ledger.services import Leg

START = datetime(2026, 3, 30, 20, 0, tzinfo=UTC)
SOURCE = {"source_kind": "machine", "source_id": "1"}

index = st.integers(0, 7)
amounts = st.integers(1, 900)


@dataclass
class Account:
    """One account as the model knows it. `moved` has (effective time, value date, amount) for each posting."""

    id: int
    floor: int | None
    posted: int = 0
    held: int = 0
    status: str = "ACTIVE"
    latest: datetime | None = None
    moved: list[tuple[datetime, date, int]] = field(default_factory=list)

    def takes(self, amount: int) -> bool:
        """Whether a debit of `amount` leaves it at or above its floor."""
        return self.floor is None or self.posted - self.held - amount >= self.floor


@dataclass
class Hold:
    id: UUID
    account: Account
    amount: int
    expires_at: datetime
    ended: bool = False


@dataclass
class Entry:
    id: int
    ref: UUID
    legs: list[tuple[Account | None, int]]
    is_reversal: bool = False
    reversed: bool = False


class LedgerMachine(RuleBasedStateMachine):
    """Each rule does one thing to the ledger and to the model, and both must agree whether it is allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.accounts: list[Account] = []
        self.holds: list[Hold] = []
        self.entries: list[Entry] = []
        self.bank_moved = 0

    @initialize()
    def two_accounts(self) -> None:
        self.cash = queries.internal_account("1000", "EUR")
        self.bank_before = queries.balance(self.cash).posted
        for floor in (0, -300):
            self.open(floor)
            self.deposit(len(self.accounts) - 1, 700)

    # --- What can be done -------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.accounts) < 5)
    @rule(floor=st.sampled_from([0, 0, -300, None]))
    def open(self, floor: int | None) -> None:
        account = services.open_account(gl_code="2100", currency="EUR", name="x", floor=floor, external_ref=uuid4())
        self.accounts.append(Account(account, floor))
        self.opened(self.accounts[-1])

    @rule(to=index, amount=amounts)
    def deposit(self, to: int, amount: int) -> None:
        self.post([(None, -amount), (self.account(to), amount)])

    @rule(debit=index, credit=index, amount=amounts, value_days=st.integers(-4, 4))
    def transfer(self, debit: int, credit: int, amount: int, value_days: int) -> None:
        legs = [(self.account(debit), -amount), (self.account(credit), amount)]
        self.post(legs, value_date=self.now.date() + timedelta(days=value_days))

    @rule(debit=index, credit=index, other=index, amount=amounts)
    def split(self, debit: int, credit: int, other: int, amount: int) -> None:
        """Four legs, in which an account may appear twice."""
        legs = [
            (self.account(debit), -amount),
            (self.account(credit), amount - amount // 3),
            (self.account(other), amount // 3 + 5),
            (self.account(debit), -5),
        ]
        self.post(legs, by_entry=True)

    @precondition(lambda self: self.entries)
    @rule(which=st.integers(0, 60))
    def say_again(self, which: int) -> None:
        """The same reference with the same content changes nothing."""
        entry = self.entries[which % len(self.entries)]
        if entry.is_reversal or len(entry.legs) != 2:
            return
        again = self.call_transfer(entry.ref, entry.legs)
        assert (again.entry_id, again.replayed) == (entry.id, True)

    @precondition(lambda self: self.entries)
    @rule(which=st.integers(0, 60))
    def reverse(self, which: int) -> None:
        entry = self.entries[which % len(self.entries)]
        back = [(account, -amount) for account, amount in entry.legs]
        refusal = (
            services.NotReversible
            if entry.is_reversal
            else services.AlreadyReversed
            if entry.reversed
            else self.refusal(back)
        )
        ref = uuid4()
        posted = self.expect(
            refusal,
            lambda: services.reverse_entry(
                entry_id=entry.id, external_ref=ref, description="x", booked_at=self.now, **SOURCE
            ),
        )
        if posted is not None:
            entry.reversed = True
            self.book(posted.entry_id, ref, back, None, is_reversal=True)

    @rule(of=index, amount=amounts, hours=st.integers(1, 90))
    def hold(self, of: int, amount: int, hours: int) -> None:
        account, expires_at = self.account(of), self.now + timedelta(hours=hours)
        placed = self.expect(
            self.refusal([(account, -amount)]),
            lambda: services.place_hold(
                external_ref=uuid4(),
                account_id=account.id,
                amount_minor=amount,
                expires_at=expires_at,
                now=self.now,
                **SOURCE,
            ),
        )
        if placed is not None:
            account.held += amount
            self.holds.append(Hold(placed.hold_id, account, amount, expires_at))

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 20), to=index, part=st.integers(1, 110))
    def post_hold(self, which: int, to: int, part: int) -> None:
        """A part of it in per cent, now and then more than there is."""
        hold = self.holds[which % len(self.holds)]
        payee, amount = self.account(to), max(hold.amount * part // 100, 1)
        if payee is hold.account:
            return
        legs = [(hold.account, -amount), (payee, amount)]
        refusal: type[Exception] | None = None
        if hold.ended or hold.expires_at <= self.now:
            refusal = services.HoldNotActive
        if amount > hold.amount and not hold.ended:
            refusal = services.HoldExceeded
        if refusal is None:
            hold.account.held -= hold.amount
            refusal = self.refusal(legs)
            hold.account.held += hold.amount
        ref = uuid4()
        posted = self.expect(
            refusal,
            lambda: services.post_hold(
                hold_id=hold.id,
                external_ref=ref,
                legs=self.as_legs(legs),
                kind="x",
                description="x",
                booked_at=self.now,
                **SOURCE,
            ),
        )
        if posted is not None:
            hold.ended = True
            hold.account.held -= hold.amount
            self.book(posted.entry_id, ref, legs, None)

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 20))
    def void(self, which: int) -> None:
        hold = self.holds[which % len(self.holds)]
        refusal = services.HoldNotActive if hold.ended else None
        self.expect(refusal, lambda: services.void_hold(hold_id=hold.id, now=self.now))
        self.release(hold)

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 20))
    def expire(self, which: int) -> None:
        hold = self.holds[which % len(self.holds)]
        early = hold.expires_at > self.now
        refusal = services.HoldNotActive if hold.ended else services.HoldNotDue if early else None
        self.expect(refusal, lambda: services.expire_hold(hold_id=hold.id, now=self.now))
        if refusal is None:
            self.release(hold)

    @rule(which=index, status=st.sampled_from(["FROZEN", "ACTIVE", "ACTIVE", "ACTIVE", "CLOSED"]))
    def set_status(self, which: int, status: str) -> None:
        account = self.account(which)
        refusal: type[Exception] | None = None
        if account.status == "CLOSED" and status != "CLOSED":
            refusal = services.StatusNotAllowed
        elif status == "CLOSED" and account.status != "CLOSED" and (account.posted or account.held):
            refusal = services.AccountNotEmpty
        self.expect(refusal, lambda: services.set_status(account_id=account.id, status=status))
        if refusal is None:
            account.status = status
            self.status_set(account)

    @rule(which=index, floor=st.sampled_from([0, -100, -1_000, None]))
    def set_floor(self, which: int, floor: int | None) -> None:
        account = self.account(which)
        above = floor is not None and account.posted - account.held < floor
        refusal = services.FloorNotCovered if above else None
        self.expect(refusal, lambda: services.set_floor(account_id=account.id, floor=floor))
        if refusal is None:
            account.floor = floor

    @rule(hours=st.integers(-30, 60))
    def the_clock_jumps(self, hours: int) -> None:
        """Forwards, over the end of a month, and backwards, which no account's history follows."""
        self.now += timedelta(hours=hours)

    @rule()
    def housekeeping(self) -> None:
        """What the beat does meanwhile changes no balance."""
        services.take_snapshots()
        services.take_daily_balances()

    # --- What is built on it hears ------------------------------------------------------------------------------------------

    def opened(self, account: Account) -> None:
        """An account was opened."""

    def status_set(self, account: Account) -> None:
        """An account's status was set."""

    # --- What must hold -----------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not self.accounts:
            return
        read = queries.balances([account.id for account in self.accounts])
        for account in self.accounts:
            balance = read[account.id]
            assert (balance.posted, balance.held, balance.floor) == (account.posted, account.held, account.floor)
            if account.moved:
                at = account.moved[len(account.moved) // 2][0]
                assert queries.balance_at(account.id, at) == sum(
                    amount for when, _, amount in account.moved if when <= at
                )
                day = account.moved[len(account.moved) // 3][1]
                assert queries.balance_on(account.id, day) == sum(
                    amount for _, on, amount in account.moved if on <= day
                )
        assert queries.balance(self.cash).posted == self.bank_before + self.bank_moved

    # --- The model --------------------------------------------------------------------------------------------------------------

    def account(self, which: int) -> Account:
        return self.accounts[which % len(self.accounts)]

    def refusal(self, legs: list[tuple[Account | None, int]]) -> type[Exception] | None:
        """What the ledger should say to these legs; None: nothing."""
        sums: dict[int, int] = {}
        for account, amount in legs:
            if account is not None:
                sums[account.id] = sums.get(account.id, 0) + amount
        # Accounts are looked at in order of their numbers, so the first that refuses decides.
        for account in sorted({id(a): a for a, _ in legs if a is not None}.values(), key=lambda each: each.id):
            if account.status != "ACTIVE":
                return services.AccountNotUsable
            if sums[account.id] < 0 and not account.takes(-sums[account.id]):
                return services.InsufficientFunds
        return None

    def post(
        self, legs: list[tuple[Account | None, int]], *, value_date: date | None = None, by_entry: bool = False
    ) -> None:
        refusal = self.refusal(legs)
        ref = uuid4()
        if by_entry:
            posted = self.expect(
                refusal,
                lambda: services.post_entry(
                    external_ref=ref,
                    legs=self.as_legs(legs),
                    kind="x",
                    description="x",
                    booked_at=self.now,
                    value_date=value_date,
                    **SOURCE,
                ),
            )
        else:
            if legs[0][0] is legs[1][0]:
                refusal = services.SameAccount
            posted = self.expect(refusal, lambda: self.call_transfer(ref, legs, value_date=value_date))
        if posted is not None:
            self.book(posted.entry_id, ref, legs, value_date)

    def call_transfer(
        self, ref: UUID, legs: list[tuple[Account | None, int]], *, value_date: date | None = None
    ) -> services.PostedEntry:
        (debit, _), (credit, amount) = legs
        return services.post_transfer(
            external_ref=ref,
            debit_account_id=debit.id if debit else self.cash,
            credit_account_id=credit.id if credit else self.cash,
            amount_minor=amount,
            kind="x",
            description="x",
            booked_at=self.now,
            value_date=value_date,
            **SOURCE,
        )

    def as_legs(self, legs: list[tuple[Account | None, int]]) -> list[Leg]:
        return [Leg(account.id if account else self.cash, amount) for account, amount in legs]

    def book(
        self,
        entry_id: int,
        ref: UUID,
        legs: list[tuple[Account | None, int]],
        value_date: date | None,
        *,
        is_reversal: bool = False,
    ) -> None:
        self.move(legs, value_date)
        for account, amount in legs:
            if account is None:
                self.bank_moved += amount
        self.entries.append(Entry(entry_id, ref, legs, is_reversal=is_reversal))

    def move(self, legs: Sequence[tuple[Account | None, int]], value_date: date | None = None) -> None:
        """Every leg takes the latest time that any of its accounts has seen."""
        at = max([self.now, *(account.latest for account, _ in legs if account is not None and account.latest)])
        for account, amount in legs:
            if account is not None:
                account.posted += amount
                account.latest = at
                account.moved.append((at, value_date or self.now.date(), amount))

    def release(self, hold: Hold) -> None:
        if not hold.ended:
            hold.ended = True
            hold.account.held -= hold.amount

    def expect(self, refusal: type[Exception] | None, act: Any) -> Any:
        """Do it: with a refusal expected nothing else may come, and without one nothing at all. None: it was refused."""
        if refusal is None:
            return act() or True
        with pytest.raises(refusal):
            act()
        return None
