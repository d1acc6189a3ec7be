"""More schedules with their source: tables of Fineract's public tests, and others worked out by hand, formula beside them."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from loans.rules.events import parse_events
from loans.rules.parsing import parse_terms
from loans.rules.servicing import service
from tests.loans.conftest import cents

# One row a line: due date, principal, interest, and the fee where there is one.
Table = str
EMI = {"method": "EQUAL_INSTALMENT", "annuity_rate": "ACTUAL_PERIODS"}
SHARES = {"method": "EQUAL_PRINCIPAL"}
YEAR_2024 = {"principal": "100", "start_date": "2024-01-01", "instalments": 6}
TWO_PARTS = {**EMI, "annual_rate": "9.4822", "instalments": 6}
IN_PERIODS = {**TWO_PARTS, "segment_rounding": "PERIOD"}
WINTER = {**EMI, "start_date": "2023-12-12", "day_count": "ACTUAL/ACTUAL"}

CASES: dict[str, tuple[dict[str, Any], Table]] = {
    # --- apache/fineract, EMICalculation-Part1.feature -----------------------------------------------------------
    "C3152, over New Year into a leap year": (
        {**WINTER, "principal": "10000", "annual_rate": "12", "instalments": 6},
        """2024-01-12 1623.75 101.81
           2024-02-12 1640.42 85.14
           2024-03-12 1661.51 64.05
           2024-04-12 1673.98 51.58
           2024-05-12 1692.11 33.45
           2024-06-12 1708.23 17.36""",
    ),
    "C3153, the same at 9.4822 %": (
        {**WINTER, "principal": "10000", "annual_rate": "9.4822", "instalments": 6},
        """2024-01-12 1632.67 80.45
           2024-02-12 1645.92 67.20
           2024-03-12 1662.62 50.50
           2024-04-12 1672.49 40.63
           2024-05-12 1686.80 26.32
           2024-06-12 1699.50 13.65""",
    ),
    "C3164, the last instalment spread over all": (
        {**WINTER, "principal": "331.77", "annual_rate": "10.65", "instalments": 5},
        """2024-01-12 65.14 3.00
           2024-02-12 65.73 2.41
           2024-03-12 66.44 1.70
           2024-04-12 66.93 1.21
           2024-05-12 67.53 0.59""",
    ),
    "C3165, the same in 30/360": (
        {**EMI, **YEAR_2024, "principal": "75", "annual_rate": "12.3", "instalments": 5},
        """2024-02-01 14.70 0.77
           2024-03-01 14.85 0.62
           2024-04-01 15.00 0.47
           2024-05-01 15.16 0.31
           2024-06-01 15.29 0.16""",
    ),
    "C3157, every second month": (
        {**EMI, **YEAR_2024, "annual_rate": "12", "instalments": 3, "every": 2},
        """2024-03-01 32.68 2.00
           2024-05-01 33.33 1.35
           2024-07-01 33.99 0.68""",
    ),
    "C3158, every second week": (
        {**EMI, **YEAR_2024, "annual_rate": "9.4822", "frequency": "WEEKS", "every": 2},
        """2024-01-15 16.51 0.37
           2024-01-29 16.57 0.31
           2024-02-12 16.63 0.25
           2024-02-26 16.69 0.19
           2024-03-11 16.76 0.12
           2024-03-25 16.84 0.06""",
    ),
    "C3159, actual days over 365 in a leap year": (
        {**EMI, **YEAR_2024, "annual_rate": "12", "day_count": "ACTUAL/365"},
        """2024-02-01 16.23 1.02
           2024-03-01 16.45 0.80
           2024-04-01 16.56 0.69
           2024-05-01 16.75 0.50
           2024-06-01 16.90 0.35
           2024-07-01 17.11 0.17""",
    ),
    # --- apache/fineract, LoanMonthEndDueDateStrategy.feature, LoanBulletBalloon.feature -------------------------
    "UC3, from 31 January, 30/360": (
        {**EMI, "principal": "10000", "start_date": "2025-01-31", "annual_rate": "12", "instalments": 3},
        """2025-02-28 3300.22 100.00
           2025-03-31 3333.22 67.00
           2025-04-30 3366.56 33.67""",
    ),
    "UC5, from 31 January, actual days": (
        {
            **EMI,
            "principal": "10000",
            "start_date": "2025-01-31",
            "annual_rate": "12",
            "instalments": 3,
            "day_count": "ACTUAL/ACTUAL",
        },
        """2025-02-28 3305.77 92.05
           2025-03-31 3329.59 68.23
           2025-04-30 3364.64 33.19""",
    ),
    "BL01, all principal with the last instalment": (
        {**EMI, **YEAR_2024, "annual_rate": "30", "instalments": 4, "principal_grace": 3},
        """2024-02-01 0.00 2.50
           2024-03-01 0.00 2.50
           2024-04-01 0.00 2.50
           2024-05-01 100.00 2.50""",
    ),
    # --- apache/fineract, LoanChargesInstallmentFee.feature ------------------------------------------------------
    "C3784, a flat fee with each instalment": (
        {
            **EMI,
            **YEAR_2024,
            "annual_rate": "7",
            "fees": [{"timing": "INSTALMENT", "basis": "FLAT", "amount": "10"}],
        },
        """2024-02-01 16.43 0.58 10.00
           2024-03-01 16.52 0.49 10.00
           2024-04-01 16.62 0.39 10.00
           2024-05-01 16.72 0.29 10.00
           2024-06-01 16.81 0.20 10.00
           2024-07-01 16.90 0.10 10.00""",
    ),
    # --- apache/fineract, ProgressiveEMICalculatorTest.java ------------------------------------------------------
    "dayInYears364 repayEvery2Week": (
        {
            **EMI,
            **YEAR_2024,
            "annual_rate": "9.4822",
            "instalments": 3,
            "frequency": "WEEKS",
            "every": 2,
            "day_count": "ACTUAL/364",
        },
        """2024-01-15 33.21 0.36
           2024-01-29 33.33 0.24
           2024-02-12 33.46 0.12""",
    ),
    "multi_disbursedAmt200_2ndOnDueDate": (
        {
            **TWO_PARTS,
            "disbursements": [{"date": "2024-01-01", "amount": "100"}, {"date": "2024-03-01", "amount": "100"}],
        },
        """2024-02-01 16.34 0.79
           2024-03-01 16.47 0.66
           2024-04-01 41.31 1.32
           2024-05-01 41.64 0.99
           2024-06-01 41.96 0.67
           2024-07-01 42.28 0.33""",
    ),
    "multiDisbursedAmt200InDifferentPeriod": (
        {
            **IN_PERIODS,
            "disbursements": [{"date": "2024-01-01", "amount": "100"}, {"date": "2024-02-15", "amount": "100"}],
        },
        """2024-02-01 16.34 0.79
           2024-03-01 36.46 1.07
           2024-04-01 36.37 1.16
           2024-05-01 36.65 0.88
           2024-06-01 36.94 0.59
           2024-07-01 37.24 0.29""",
    ),
    "multiDisbursedAmt300InSamePeriod": (
        {
            **IN_PERIODS,
            "disbursements": [{"date": "2024-01-01", "amount": "100"}, {"date": "2024-01-08", "amount": "200"}],
        },
        """2024-02-01 49.32 2.01
           2024-03-01 49.35 1.98
           2024-04-01 49.74 1.59
           2024-05-01 50.13 1.20
           2024-06-01 50.53 0.80
           2024-07-01 50.93 0.40""",
    ),
    # --- By hand: balance x rate x days / year -------------------------------------------------------------------
    "a first period of 50 days, ACTUAL/360: 12,000 x 9 % x 50 / 360 and so on": (
        {
            **SHARES,
            "principal": "12000",
            "start_date": "2026-01-10",
            "first_due_date": "2026-03-01",
            "annual_rate": "9",
            "instalments": 4,
            "day_count": "ACTUAL/360",
        },
        """2026-03-01 3000.00 150.00
           2026-04-01 3000.00 69.75
           2026-05-01 3000.00 45.00
           2026-06-01 3000.00 23.25""",
    ),
    "a first period of 30 - 5 + 1 days of thirty, 30/360: 3,600 x 10 % x 26 / 360": (
        {
            **SHARES,
            "principal": "3600",
            "start_date": "2026-01-05",
            "seed_day": 1,
            "annual_rate": "10",
            "instalments": 3,
        },
        """2026-02-01 1200.00 26.00
           2026-03-01 1200.00 20.00
           2026-04-01 1200.00 10.00""",
    ),
    "36,500 at 10 % is 10.00 a day, half of it 5.00: 29 days to 29 February, 31 to 31 March": (
        {
            **SHARES,
            "principal": "36500",
            "start_date": "2024-01-31",
            "annual_rate": "10",
            "instalments": 2,
            "day_count": "ACTUAL/365",
        },
        """2024-02-29 18250.00 290.00
           2024-03-31 18250.00 155.00""",
    ),
    "in steps of 0.05, half to even: 1.875 is 1.90, 0.625 is 0.60": (
        {
            **SHARES,
            "currency": "CHF",
            "principal": "1000",
            "start_date": "2026-01-01",
            "annual_rate": "3",
            "instalments": 4,
            "amount_multiple": "0.05",
        },
        """2026-02-01 250.00 2.50
           2026-03-01 250.00 1.90
           2026-04-01 250.00 1.25
           2026-05-01 250.00 0.60""",
    ),
    "in steps of 0.05, half up: 0.625 is 0.65": (
        {
            **SHARES,
            "currency": "CHF",
            "principal": "1000",
            "start_date": "2026-01-01",
            "annual_rate": "3",
            "instalments": 4,
            "amount_multiple": "0.05",
            "interest_rounding": "HALF_UP",
        },
        """2026-02-01 250.00 2.50
           2026-03-01 250.00 1.90
           2026-04-01 250.00 1.25
           2026-05-01 250.00 0.65""",
    ),
    "FLAT with two months of grace: 1,200 x 12 % / 12 each month, 1,200 / 4 from the third on": (
        {
            "method": "FLAT",
            "principal": "1200",
            "start_date": "2026-01-01",
            "annual_rate": "12",
            "instalments": 6,
            "principal_grace": 2,
        },
        """2026-02-01 0.00 12.00
           2026-03-01 0.00 12.00
           2026-04-01 300.00 12.00
           2026-05-01 300.00 12.00
           2026-06-01 300.00 12.00
           2026-07-01 300.00 12.00""",
    ),
    "the first interest paid with the second instalment: 1,000 x 1 % / (1 - 1.01^-4) = 256.28": (
        {
            "method": "EQUAL_INSTALMENT",
            "principal": "1000",
            "start_date": "2026-01-01",
            "annual_rate": "12",
            "instalments": 4,
            "interest_grace": 1,
        },
        """2026-02-01 246.28 0.00
           2026-03-01 248.74 17.54
           2026-04-01 251.23 5.05
           2026-05-01 253.75 2.54""",
    ),
    "every second week at 0.2 % each: 2,600 x 0.002 / (1 - 1.002^-4) = 653.25": (
        {
            "method": "EQUAL_INSTALMENT",
            "principal": "2600",
            "start_date": "2026-01-05",
            "annual_rate": "5.2",
            "instalments": 4,
            "frequency": "WEEKS",
            "every": 2,
            "day_count": "ACTUAL/364",
        },
        """2026-01-19 648.05 5.20
           2026-02-02 649.35 3.90
           2026-02-16 650.64 2.61
           2026-03-02 651.96 1.30""",
    ),
    "an instalment of 340.02 raised to the next 10.00, the last takes the rest": (
        {
            "method": "EQUAL_INSTALMENT",
            "principal": "1000",
            "start_date": "2026-01-01",
            "annual_rate": "12",
            "instalments": 3,
            "instalment_multiple": "10",
            "instalment_rounding": "CEILING",
        },
        """2026-02-01 340.00 10.00
           2026-03-01 343.40 6.60
           2026-04-01 316.60 3.17""",
    ),
    "2 % of each instalment and 1 % of each principal part: 510.00 and 505.00, 500.00 twice": (
        {
            **SHARES,
            "principal": "1000",
            "start_date": "2026-01-01",
            "annual_rate": "12",
            "instalments": 2,
            "fees": [
                {"timing": "INSTALMENT", "basis": "INSTALMENT", "percent": "2"},
                {"timing": "INSTALMENT", "basis": "PRINCIPAL", "percent": "1"},
            ],
        },
        """2026-02-01 500.00 10.00 15.20
           2026-03-01 500.00 5.00 15.10""",
    ),
}
AFTER_EVENTS: dict[str, tuple[dict[str, Any], list[dict[str, str]], Table]] = {
    "ProgressiveEMICalculatorTest multiDisbursedAmt200InDifferentPeriod, paid out when it comes": (
        {**IN_PERIODS, "principal": "100", "start_date": "2024-01-01"},
        [{"date": "2024-02-15", "type": "DISBURSEMENT", "amount": "100"}],
        """2024-02-01 16.34 0.79
           2024-03-01 36.46 1.07
           2024-04-01 36.37 1.16
           2024-05-01 36.65 0.88
           2024-06-01 36.94 0.59
           2024-07-01 37.24 0.29""",
    ),
    # 14 of 31 days on 100.00 and 17 on 66.24 are 0.4754, so 0.48; 0.26 of it are paid: 0.22 + 0.39 + 0.39 = 1.00.
    "LoanChargesInstallmentFee.feature C3811, two instalments paid ahead on 15 January": (
        {
            **EMI,
            **YEAR_2024,
            "annual_rate": "7",
            "fees": [{"timing": "INSTALMENT", "basis": "FLAT", "amount": "10"}],
            "interest_basis": "ACTUAL",
            "segment_rounding": "PERIOD",
        },
        [{"date": "2024-01-15", "type": "REPAYMENT", "amount": "54.02"}],
        """2024-02-01 16.75 0.26 10.00
           2024-03-01 17.01 0.00 10.00
           2024-04-01 16.01 1.00 10.00
           2024-05-01 16.72 0.29 10.00
           2024-06-01 16.81 0.20 10.00
           2024-07-01 16.70 0.10 10.00""",
    ),
    "ProgressiveEMICalculatorTest reschedule_interest_on0201_4per": (
        {**EMI, **YEAR_2024, "annual_rate": "7"},
        [{"date": "2024-02-01", "type": "RESCHEDULE", "annual_rate": "4"}],
        """2024-02-01 16.43 0.58
           2024-03-01 16.60 0.28
           2024-04-01 16.66 0.22
           2024-05-01 16.71 0.17
           2024-06-01 16.77 0.11
           2024-07-01 16.83 0.06""",
    ),
}


def read(table: Table) -> list[tuple[str, int, int, int]]:
    rows = [line.split() for line in table.splitlines()]
    return [
        (due, cents(principal), cents(interest), cents(fee[0] if fee else "0.00"))
        for due, principal, interest, *fee in rows
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_command_prints_the_worked_table(name: str, tmp_path: Path) -> None:
    terms, table = CASES[name]
    file, told = tmp_path / "terms.json", StringIO()
    file.write_text(json.dumps(terms))

    call_command("loan_schedule", "--terms", str(file), "--format", "json", stdout=told)

    printed = json.loads(told.getvalue())["rows"]
    assert [
        (row["due_date"], cents(row["principal"]), cents(row["interest"]), cents(row["fees"])) for row in printed
    ] == read(table)
    assert printed[-1]["outstanding"] == "0.00"


@pytest.mark.parametrize("name", AFTER_EVENTS)
def test_a_running_loan_has_the_worked_rows_after_its_events(name: str) -> None:
    terms, events, table = AFTER_EVENTS[name]

    loan = service(
        terms=parse_terms(terms),
        events=parse_events(events, currency="EUR"),
        as_of=date.fromisoformat(events[-1]["date"]),
    )

    found = [(row.due_date.isoformat(), row.due.principal, row.due.interest, row.due.fees) for row in loan.rows]
    assert found == read(table)
