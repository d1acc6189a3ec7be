"""The running loan: its instalments with what is paid of them, and what is due of each as of a day."""

from __future__ import annotations

import itertools
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from operator import itemgetter

from loans.rules import calendar, fees, flat
from loans.rules.amounts import Factor, divide_to
from loans.rules.calendar import DayCount, Frequency
from loans.rules.periods import Span, annuity_factors, interest_of, periods_of, total_of, tranche_periods
from loans.rules.schedule import plan_parts
from loans.rules.terms import InterestBasis, Method, Part, SegmentRounding, Terms

# What changed the balance, by day: paid out above zero, repaid below.
Flow = tuple[date, int]
_DAY = itemgetter(0)
_BY_SHARE = (Method.FLAT, Method.EQUAL_PRINCIPAL)


_NOTHING = dict.fromkeys(Part, 0)


def nothing() -> dict[Part, int]:
    # Copying is many times as fast as walking the enumeration, and each row of a loan takes three.
    return _NOTHING.copy()


@dataclass(slots=True)
class Instalment:
    """One row while the loan runs. Amounts in minor units; `due_parts` is filled by `Account.look`.

    `target` is the instalment, or the share of principal; None pays no principal. `extra` is principal paid beyond it.
    `frozen` and `settled` are interest and principal that later days no longer change,
    `accrues_from` is where interest starts if not with the period, `residue` what was earned of that day's period before, but not
    paid because it is less than a minor unit. `balance` is what was owed on the way into the period,
    `flows` what changed it before the due date, as the last `look` found them.
    """

    number: int
    start: date
    due: date
    years: Factor
    target: int | None
    flat_interest: int = 0
    deferred: bool = False
    extra: int = 0
    frozen: int | None = None
    settled: int | None = None
    accrues_from: date | None = None
    residue: Factor = (0, 1)
    charges: dict[Part, int] = field(default_factory=nothing)
    paid: dict[Part, int] = field(default_factory=nothing)
    due_parts: dict[Part, int] = field(default_factory=nothing)
    fee_waived: bool = False
    open_principal: int = 0
    balance: int = 0
    flows: Sequence[Flow] = ()

    def unpaid(self, part: Part) -> int:
        return self.due_parts[part] - self.paid[part]

    @property
    def unpaid_total(self) -> int:
        return sum(self.due_parts.values()) - sum(self.paid.values())


class Account:
    """The state that events change. `look` computes what each instalment comes to."""

    def __init__(self, terms: Terms) -> None:
        periods = periods_of(terms)
        years = periods_of(replace(terms, annual_rate=Decimal(100))).factors
        tranches = tranche_periods(terms, periods)
        _, targets = plan_parts(terms=terms, periods=periods, tranches=tranches)
        flat_interest = flat.interest_rows(terms, periods) if terms.method is Method.FLAT else [0] * terms.instalments
        self.terms = terms
        self.disbursements = terms.disbursements
        self.rates: list[tuple[date, Factor]] = [(terms.start_date, terms.rate)]
        self.principal_flows: list[Flow] = []
        self._known = False
        self.seed_day = calendar.seed_of(
            start=terms.start_date,
            first_due=terms.first_due_date,
            seed_day=terms.seed_day,
            frequency=terms.frequency,
            every=terms.every,
        )
        self.regular_years = (terms.every, 12)
        self.rows = [
            Instalment(
                number=index + 1,
                start=periods.starts[index],
                due=periods.dues[index],
                years=years[index],
                target=targets[index] if index >= terms.principal_grace else None,
                flat_interest=flat_interest[index],
                deferred=index < terms.interest_grace,
            )
            for index in range(terms.instalments)
        ]

    @property
    def follows_balance(self) -> bool:
        """FLAT interest is fixed at the start, whatever the terms say of other methods."""
        return self.terms.interest_basis is InterestBasis.ACTUAL and self.terms.method is not Method.FLAT

    def touch(self) -> None:
        """Something changed that rows are computed from: the next `look` computes them."""
        self._known = False

    def look(self, as_of: date) -> None:
        """Fill every row's `due_parts` as they stand on `as_of`.

        Under ACTUAL what is overdue is taken to be paid on `as_of`, and what is not yet due on its due date. Under
        PLANNED each instalment's principal leaves on its due date, whatever is paid, so that most days change nothing.
        """
        if self._known and not self.follows_balance:
            return
        self._known = True
        flows, since = sorted(self._flows(), key=_DAY), self._since()
        owed = carried = balance = gone = 0
        last = len(self.rows) - 1
        for index, row in enumerate(self.rows):
            while gone < len(flows) and flows[gone][0] <= since[index]:
                balance += flows[gone][1]
                gone += 1
            row.balance, row.flows = balance, _before(row.due, flows, gone)
            owed += sum(part.amount_minor for part in self.disbursements if row.start <= part.on < row.due)
            row.open_principal = owed
            own = self._interest(index, row.due, balance, row.flows)
            wanted = row.settled
            if wanted is None:
                wanted = max(self.wanted(row, own) + row.extra, row.paid[Part.PRINCIPAL])
            principal = owed if index == last else min(wanted, owed)
            interest = own + carried
            carried = interest if row.deferred else 0
            # Rounding in parts may come to less than was paid in advance; that is not paid back.
            interest = row.paid[Part.INTEREST] if row.deferred else max(interest, row.paid[Part.INTEREST])
            owed -= principal
            if self.follows_balance:
                left = max(row.due, as_of), row.paid[Part.PRINCIPAL] - principal
            else:
                left = row.due, row.extra - principal
            insort(flows, left, lo=gone, key=_DAY)
            self._fill(row, principal, interest)

    def _since(self) -> list[date]:
        """For each row the day before which no flow matters to it or to a later one."""
        found = [row.accrues_from or row.start for row in reversed(self.rows)]
        return list(itertools.accumulate(found, min))[::-1]

    def refill(self, row: Instalment) -> None:
        """After a charge: principal and interest stay as they are."""
        self._fill(row, row.due_parts[Part.PRINCIPAL], row.due_parts[Part.INTEREST])

    def wanted(self, row: Instalment, interest: int) -> int:
        """The principal a row asks for beside this interest."""
        if row.target is None:
            return 0
        return row.target if self.terms.method in _BY_SHARE else max(row.target - interest, 0)

    def _fill(self, row: Instalment, principal: int, interest: int) -> None:
        charged = 0
        if not row.fee_waived and principal + interest:
            charged = fees.of_instalment(self.terms, principal, interest)
        row.due_parts = {
            Part.PENALTY: row.charges[Part.PENALTY],
            # A share of interest that an early payment then lowered is not paid back.
            Part.FEE: max(row.charges[Part.FEE] + charged, row.paid[Part.FEE]),
            Part.PRINCIPAL: principal,
            Part.INTEREST: interest,
        }

    def accrued(self, index: int, until: date) -> int:
        """Interest of one row until a day of its period, in minor units, from what the last `look` knows."""
        if self.follows_balance:
            # What is owed in truth: an instalment that is overdue is not taken to be paid.
            return self._interest(index, until, 0, sorted(self._flows(), key=_DAY))
        return self._interest(index, until, self.rows[index].balance, self.rows[index].flows)

    def _interest(self, index: int, until: date, balance: int, flows: Sequence[Flow]) -> int:
        """Interest on `balance` and what changes it by `flows`, which come in the order of their days."""
        row = self.rows[index]
        if row.frozen is not None:
            return row.frozen
        if self.terms.method is Method.FLAT:
            return self._flat_interest(row, until)
        first = row.accrues_from or row.start
        if first >= until:
            return 0
        if first >= row.start or self.terms.segment_rounding is SegmentRounding.EACH:
            return interest_of(self.terms, self._balances(index, first, until, balance, flows))
        return self._carried(index, until, balance, flows)

    def _carried(self, index: int, until: date, balance: int, flows: Sequence[Flow]) -> int:
        """Interest of a row that earns since an earlier period: each period is rounded once, what is paid of it taken off.

        So a period of 0.4754, of which 0.2634 were paid as 0.26, leaves 0.22 (Fineract's progressive engine, C3811).
        """
        return sum(interest_of(self.terms, spans) for spans in self._by_period(index, until, balance, flows))

    def _by_period(self, index: int, until: date, balance: int, flows: Sequence[Flow]) -> list[list[Span]]:
        """What a row earns on until a day, period by period, from what was left of the first one."""
        row = self.rows[index]
        first = row.accrues_from or row.start
        days = [first, *(each.start for each in self.rows[: index + 1] if first < each.start < until), until]
        found = [self._balances(index, start, stop, balance, flows) for start, stop in itertools.pairwise(days)]
        return [[(1, row.residue), *found[0]], *found[1:]]

    def _left_over(self, index: int, on: date) -> Factor:
        """What of the interest of a day's period is below a minor unit (or was rounded up) when the row is paid on that day."""
        row = self.rows[index]
        if (row.accrues_from or row.start) >= on:
            return row.residue
        spans = self._by_period(index, on, 0, sorted(self._flows(), key=_DAY))[-1]
        numerator, denominator = total_of(spans)
        return numerator - interest_of(self.terms, spans) * denominator, denominator

    def _balances(self, index: int, first: date, until: date, balance: int, flows: Sequence[Flow]) -> list[Span]:
        """What is owed from one day to another, cut where it changes, with the factors of the days."""
        spans: list[Span] = []
        for on, amount in flows:
            if on >= until:
                break
            if on > first:
                spans.extend((max(balance, 0), share) for share in self._shares(index, first, on))
                first = on
            balance += amount
        spans.extend((max(balance, 0), share) for share in self._shares(index, first, until))
        return spans

    def _flows(self) -> list[Flow]:
        """What changed the balance: disbursements, and principal paid (under PLANNED only what was prepaid)."""
        return [
            *((part.on, part.amount_minor) for part in self.disbursements),
            *((on, -amount) for on, amount in self.principal_flows),
        ]

    def _flat_interest(self, row: Instalment, until: date) -> int:
        if until >= row.due:
            return row.flat_interest
        return divide_to(
            row.flat_interest * max((until - row.start).days, 0),
            (row.due - row.start).days,
            multiple=self.terms.amount_multiple_minor,
            rounding=self.terms.interest_rounding,
        )

    def _shares(self, index: int, first: date, end: date) -> list[Factor]:
        """The factors of a span, cut where a period or a rate begins; several rows' days when interest was carried."""
        if len(self.rates) == 1 and self.rows[index].start <= first:
            return [self._share(index, first, end)]
        cuts = [on for on, _ in self.rates if first < on < end]
        for row in reversed(self.rows[: index + 1]) if self.rows[index].start > first else ():
            if row.start <= first:
                break
            cuts.append(row.start)
        days = sorted({first, *(cut for cut in cuts if cut < end), end})
        return [self._share(index, start, stop) for start, stop in itertools.pairwise(days)]

    def _share(self, index: int, start: date, stop: date) -> Factor:
        rate = next(rate for on, rate in reversed(self.rates) if on <= start)
        if self.terms.day_count is not DayCount.THIRTY_360 or self.terms.frequency is not Frequency.MONTHS:
            return calendar.days_factor(rate=rate, day_count=self.terms.day_count, from_date=start, due_date=stop)
        while self.rows[index].start > start:
            index -= 1
        row = self.rows[index]
        days, length = (stop - start).days, (row.due - row.start).days
        return rate[0] * row.years[0] * days, rate[1] * row.years[1] * length

    def complete(self, index: int, on: date) -> None:
        """A row is paid before it is due: its interest stays as it is today, and the next row earns from today on."""
        row = self.rows[index]
        left_over = self._left_over(index, on)
        row.frozen = self.accrued(index, on)
        if index + 1 < len(self.rows):
            following = self.rows[index + 1]
            following.accrues_from, following.residue = max(on, row.accrues_from or row.start), left_over
        self.look(on)

    def earned(self, index: int, until: date) -> int:
        """Interest that a row asks for on a day not after its due date: its own, and what a grace held back for it."""
        row = self.rows[index]
        if row.deferred:
            return 0
        if until <= row.start and row.frozen is None and not (index and self.rows[index - 1].deferred):
            return 0
        total = self.accrued(index, min(until, row.due))
        for before in range(index - 1, -1, -1):
            if not self.rows[before].deferred:
                break
            total += self.accrued(before, min(until, self.rows[before].due))
        return total

    def annuity_factor(self) -> Factor:
        """The nominal period rate of today, as `terms.annuity_rate` says."""
        return annuity_factors(self.terms, [(0, 1)], rate=self.rates[-1][1])[0]

    def factors(self, first: int) -> list[Factor]:
        """The whole factors of the rows from `first` on, for a new instalment."""
        rows = range(first, len(self.rows))
        return [self._share(index, self.rows[index].start, self.rows[index].due) for index in rows]


def _before(day: date, flows: Sequence[Flow], first: int) -> Sequence[Flow]:
    """Those from place `first` on that come before a day."""
    end = first
    while end < len(flows) and flows[end][0] < day:
        end += 1
    return flows[first:end]
