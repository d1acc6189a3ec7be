"""The slow reference: schedules from the written rules alone, in fractions and day by day. Shares no code with the engine."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

DAYS = {"MONTHS": 30, "WEEKS": 7, "DAYS": 1}
YEAR = {"30/360": 360, "ACTUAL/365": 365, "ACTUAL/360": 360, "ACTUAL/364": 364}
Rows = list[tuple[date, int, int]]


def rounded(value: Fraction, mode: str, multiple: int = 1) -> int:
    scaled = value / multiple
    below = scaled.numerator // scaled.denominator
    over = scaled - below
    if mode == "CEILING":
        up = over > 0
    elif over == Fraction(1, 2):
        up = mode == "HALF_UP" or below % 2 == 1
    else:
        up = over > Fraction(1, 2)
    return (below + up) * multiple


def later(start: date, frequency: str, count: int, seed: int) -> date:
    if frequency != "MONTHS":
        return start + timedelta(days=count * DAYS[frequency])
    year, month = start.year, start.month
    for _ in range(count):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return date(year, month, min(seed, calendar.monthrange(year, month)[1]))


class Loan:
    """One loan from its JSON fields; `disbursed` in cents."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.rate = Fraction(values["annual_rate"]) / 100
        self.disbursed = [
            (date.fromisoformat(p["date"]), int(Fraction(p["amount"]) * 100)) for p in values["disbursements"]
        ]
        start, frequency, every = self.disbursed[0][0], values["frequency"], values["every"]
        usual = later(start, frequency, every, start.day)
        first = date.fromisoformat(values["first_due_date"]) if values.get("first_due_date") else usual
        seed = start.day if first == usual else first.day
        self.dues = [later(first, frequency, every * index, seed) for index in range(values["instalments"])]
        self.starts = [start, *self.dues[:-1]]
        self.broken = first != usual
        self.mode = values["interest_rounding"]

    def share(self, index: int, since: date, until: date) -> Fraction:
        """Rate times the share of the year that some days of a period stand for."""
        basis = self.values["day_count"]
        days = (until - since).days
        if basis == "ACTUAL/ACTUAL":
            leap = sum(calendar.isleap((since + timedelta(days=n + 1)).year) for n in range(days))
            return self.rate * leap / 366 + self.rate * (days - leap) / 365
        if basis == "30/360" and self.values["frequency"] == "MONTHS":
            start, due = self.starts[index], self.dues[index]
            if index == 0 and self.broken:
                thirty = 360 * (due.year - start.year) + 30 * (due.month - start.month)
                whole = Fraction(max(thirty + min(due.day, 30) - min(start.day, 30), 0), 360)
            else:
                whole = Fraction(self.values["every"], 12)
            return self.rate * whole * days / (due - start).days
        return self.rate * days / YEAR[basis]

    def interest(self, index: int, balance: int) -> int:
        """Interest of a period that starts with `balance`, each part of it rounded; a change counts from its day."""
        start, due = self.starts[index], self.dues[index]
        total, since = 0, start
        for on, amount in self.disbursed:
            if start <= on < due:
                total += rounded(balance * self.share(index, since, on), self.mode)
                balance, since = balance + amount, on
        return total + rounded(balance * self.share(index, since, due), self.mode)

    def rows(self) -> Rows:
        parts = self.flat() if self.values["method"] == "FLAT" else self.declining()
        carried, rows = 0, []
        for index, (principal, interest) in enumerate(parts):
            if index < self.values["interest_grace"]:
                carried, interest = carried + interest, 0
            else:
                carried, interest = 0, carried + interest
            rows.append((self.dues[index], principal, interest))
        while len(rows) > 1 and rows[-1][1:] == (0, 0):
            rows.pop()
        return rows

    def flat(self) -> list[tuple[int, int]]:
        (_, balance), count = self.disbursed[0], len(self.dues)
        years = sum((self.share(i, self.starts[i], self.dues[i]) for i in range(count)), Fraction(0))
        whole, each = rounded(balance * years, self.mode), rounded(balance * years / count, self.mode)
        paying = count - self.values["principal_grace"]
        share = rounded(Fraction(balance, paying), self.mode)
        interests, left = [], whole
        for index in range(count):
            interests.append(left if index == count - 1 else min(each, left))
            left -= interests[-1]
        if self.values.get("instalment_multiple"):
            exact = Fraction(balance, paying) + Fraction(whole, count)
            share = max(self.to_multiple(exact) - interests[0], 0)
        parts = []
        for index in range(count):
            principal = min(0 if index < self.values["principal_grace"] else share, balance)
            principal = balance if index == count - 1 else principal
            parts.append((principal, interests[index]))
            balance -= principal
        return parts

    def to_multiple(self, exact: Fraction) -> int:
        if not self.values.get("instalment_multiple"):
            return rounded(exact, self.mode)
        mode = {"NEAREST": "HALF_EVEN"}.get(self.values["instalment_rounding"], self.values["instalment_rounding"])
        return rounded(exact, mode, int(self.values["instalment_multiple"]) * 100)

    def declining(self) -> list[tuple[int, int]]:
        count, done, balance = len(self.dues), [], 0
        fresh: list[tuple[int, int]] = []
        for index in range(count):
            paid_out = [amount for on, amount in self.disbursed if self.starts[index] <= on < self.dues[index]]
            if paid_out:
                fresh = self.tail(index, balance, sum(paid_out))
            done.append(fresh.pop(0))
            balance += sum(paid_out) - done[-1][0]
        return done

    def tail(self, first: int, balance: int, paid_out: int) -> list[tuple[int, int]]:
        owed, method = balance + paid_out, self.values["method"]
        grace = max(self.values["principal_grace"] - first, 0)
        paying = len(self.dues) - first - grace
        if method == "EQUAL_PRINCIPAL":
            return self.walk(first, balance, owed, share=rounded(Fraction(owed, paying), self.mode))
        if method == "FIXED_INSTALMENT":
            return self.walk(first, balance, owed, instalment=int(Fraction(self.values["instalment_amount"]) * 100))
        worth, discount = Fraction(0), Fraction(1)
        for index in range(first + grace, len(self.dues)):
            discount /= 1 + self.annuity_share(index)
            worth += discount
        instalment = self.to_multiple(owed / worth)
        rows = self.walk(first, balance, owed, instalment=instalment)
        smooth = self.values["annuity_rate"] == "ACTUAL_PERIODS" and self.values["interest_grace"] != len(self.dues) - 1
        for _ in range(3 if smooth and paying > 1 else 0):
            off = sum(rows[-1]) - instalment
            tried = self.to_multiple(max(instalment + Fraction(off, paying), Fraction(0)))
            if abs(off) <= paying // 2 or tried == instalment:
                break
            attempt = self.walk(first, balance, owed, instalment=tried)
            if abs(sum(attempt[-1]) - tried) >= abs(off):
                break
            rows, instalment = attempt, tried
        return rows

    def annuity_share(self, index: int) -> Fraction:
        frequency, every = self.values["frequency"], self.values["every"]
        if self.values["annuity_rate"] == "TWELFTH":
            return self.rate * every / {"MONTHS": 12, "WEEKS": 52, "DAYS": 365}[frequency]
        if self.values["annuity_rate"] == "NOMINAL_DAYS":
            return self.rate * every * DAYS[frequency] / YEAR.get(self.values["day_count"], 365)
        return self.share(index, self.starts[index], self.dues[index])

    def walk(
        self, first: int, balance: int, owed: int, *, instalment: int | None = None, share: int = 0
    ) -> list[tuple[int, int]]:
        rows = []
        for index in range(first, len(self.dues)):
            interest = self.interest(index, balance) if index == first else self.plain_interest(index, balance)
            balance = owed if index == first else balance
            wanted = share if instalment is None else max(instalment - interest, 0)
            principal = min(0 if index < self.values["principal_grace"] else wanted, balance)
            principal = balance if index == len(self.dues) - 1 else principal
            rows.append((principal, interest))
            balance -= principal
        return rows

    def plain_interest(self, index: int, balance: int) -> int:
        return rounded(balance * self.share(index, self.starts[index], self.dues[index]), self.mode)
