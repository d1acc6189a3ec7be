"""Does the loan book equal the ledger, and each loan its own story? Reads only; each finding says what and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.db.models import Sum

from ledger import queries as ledger
from loans import queries
from loans.models import Loan, Movement
from loans.rules import allotting
from loans.rules.servicing import Amounts

# What a movement's columns come to on each account, credit positive; charges share one.
_COLUMNS: dict[str, tuple[tuple[str, int], ...]] = {
    allotting.PRINCIPAL: (("principal_minor", -1),),
    allotting.INTEREST: (("interest_minor", -1),),
    allotting.CHARGES: (("fee_minor", -1), ("penalty_minor", -1)),
    allotting.IN_SUSPENSE: (("suspended_minor", 1),),
    allotting.ALLOWANCE: (("allowance_minor", 1),),
}
_BALANCES = {
    "principal_minor": "principal_balance_minor",
    "interest_minor": "interest_balance_minor",
    "fee_minor": "fee_balance_minor",
    "penalty_minor": "penalty_balance_minor",
    "suspended_minor": "suspended_minor",
    "allowance_minor": "allowance_minor",
}
_SUMS = {f"sum_{name}": Sum(name) for columns in _COLUMNS.values() for name, _ in columns}
# Whatever was booked, also by a clock that was ahead of today's.
_BEGINNING, _END = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up; amounts in minor units."""

    check: str
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: {self.text}"


def verify(*, replayed: bool = True) -> Iterator[Finding]:
    """All checks over every loan; `replayed` also runs each loan's story through the engine again."""
    yield from _totals()
    yield from _entries()
    yield from _loans()
    yield from _tranches()
    if replayed:
        for loan in Loan.objects.filter(status=Loan.Status.ACTIVE).order_by("pk").iterator(chunk_size=200):
            yield from _replay(loan)


def _currencies() -> list[str]:
    return list(Loan.objects.order_by("currency").values_list("currency", flat=True).distinct())


def _totals() -> Iterator[Finding]:
    """The movements of a currency add up to its loan accounts in the ledger."""
    for currency in _currencies():
        row = Movement.objects.filter(loan__currency=currency).aggregate(**_SUMS)
        for code, columns in _COLUMNS.items():
            ours = sum((row[f"sum_{name}"] or 0) * sign for name, sign in columns)
            theirs = ledger.balance(ledger.internal_account(code, currency)).posted
            if ours != theirs:
                yield Finding("totals", f"{code} {currency}", f"the loans say {ours}, the ledger {theirs}")


def _entries() -> Iterator[Finding]:
    """Each entry on a loan account is explained by the movements that name it, and the other way round."""
    for currency in _currencies():
        sums = Movement.objects.filter(loan__currency=currency).values_list("entry_id").annotate(**_SUMS)
        booked = {entry: dict(zip(_SUMS, amounts, strict=True)) for entry, *amounts in sums.order_by("entry_id")}
        for code, columns in _COLUMNS.items():
            posted: dict[int, int] = defaultdict(int)
            for line in ledger.internal_lines(ledger.internal_account(code, currency), _BEGINNING, _END):
                posted[line.entry_id] += line.amount_minor
            for entry in sorted(posted.keys() | booked.keys()):
                row = booked.get(entry)
                ours = sum(row[f"sum_{name}"] * sign for name, sign in columns) if row else 0
                if ours != posted.get(entry, 0):
                    text = f"the loans say {ours}, the ledger {posted.get(entry, 0)}"
                    yield Finding("entries", f"entry {entry} on {code} {currency}", text)


def _loans() -> Iterator[Finding]:
    """Each loan's balances are the sums of its movements."""
    sums = ", ".join(f"coalesce(sum(m.{name}), 0)" for name in _BALANCES)
    kept = ", ".join(f"l.{name}" for name in _BALANCES.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT l.id, ARRAY[{kept}]::bigint[], ARRAY[{sums}]::bigint[] FROM loans_loan l"  # noqa: S608 (our own names)
            " LEFT JOIN loans_movement m ON m.loan_id = l.id GROUP BY l.id"
            f" HAVING ARRAY[{kept}]::bigint[] <> ARRAY[{sums}]::bigint[] ORDER BY l.id"
        )
        for loan_id, have, moved in cursor.fetchall():
            yield Finding("balances", f"loan {loan_id}", f"kept {have}, its movements come to {moved}")


def _tranches() -> Iterator[Finding]:
    """What is paid out is what the movements say, and with what is not it comes to what was agreed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.id, l.principal_minor, l.disbursed_minor, coalesce(m.paid, 0), coalesce(t.paid, 0),
                   coalesce(t.other, 0)
              FROM loans_loan l
              LEFT JOIN (SELECT loan_id, sum(principal_minor) AS paid FROM loans_movement
                          WHERE kind = 'DISBURSEMENT' GROUP BY loan_id) m ON m.loan_id = l.id
              LEFT JOIN (SELECT loan_id, sum(amount_minor) FILTER (WHERE status = 'PAID') AS paid,
                                sum(amount_minor) FILTER (WHERE status <> 'PAID') AS other
                           FROM loans_tranche GROUP BY loan_id) t ON t.loan_id = l.id
             WHERE l.disbursed_minor <> coalesce(m.paid, 0)
                OR l.principal_minor <> l.disbursed_minor + coalesce(t.other, 0)
             ORDER BY l.id
            """
        )
        for loan_id, agreed, paid, moved, later, other in cursor.fetchall():
            text = f"agreed {agreed}, paid out {paid}, its movements say {moved}; later parts {later}, not paid out {other}"
            yield Finding("parts", f"loan {loan_id}", text)


def _replay(loan: Loan) -> Iterator[Finding]:
    """The engine, given terms and events, says what is booked, and shows the schedule that is stored."""
    day = loan.accrued_to
    run = queries.engine(loan, day)
    owed, booked = run.owed(day), queries.balances(loan)
    paid_out = sum(part.amount_minor for part in run.account.disbursements)
    if paid_out != loan.disbursed_minor:
        text = f"the engine has {paid_out} paid out, the loan {loan.disbursed_minor}"
        yield Finding("replay", f"loan {loan.pk}", text)
    if owed != booked:
        yield Finding("replay", f"loan {loan.pk}", f"on {day} the engine says {tuple(owed)}, booked is {tuple(booked)}")
    paid = Amounts(*(sum(column) for column in zip(*(row.paid for row in run.result(day).rows), strict=True)))
    stored = loan.instalments.aggregate(
        principal=Sum("paid_principal_minor"),
        interest=Sum("paid_interest_minor"),
        fees=Sum("paid_fee_minor"),
        penalties=Sum("paid_penalty_minor"),
    )
    if paid != Amounts(**stored):
        yield Finding(
            "replay", f"loan {loan.pk}", f"the engine has {tuple(paid)} paid, the rows {tuple(stored.values())}"
        )
