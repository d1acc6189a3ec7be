"""What a schedule promises for each choice of terms."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from loans.rules.schedule import make_schedule
from tests.loans.conftest import assert_ends_at_zero, schedule, terms

METHODS = ["FLAT", "EQUAL_INSTALMENT", "EQUAL_PRINCIPAL", "FIXED_INSTALMENT"]


def amount_of(method: str) -> str | None:
    return "110.00" if method == "FIXED_INSTALMENT" else None


@pytest.mark.parametrize("method", METHODS)
def test_at_rate_zero_only_principal_is_paid(method: str) -> None:
    made = schedule(method=method, annual_rate="0", instalment_amount=amount_of(method))

    assert made.interest == 0
    assert_ends_at_zero(made)


@pytest.mark.parametrize("method", METHODS)
def test_a_single_instalment_pays_everything(method: str) -> None:
    made = schedule(method=method, instalments=1, instalment_amount=amount_of(method))

    assert [(row.principal, row.interest) for row in made.rows] == [(1200_00, 12_00)]


@pytest.mark.parametrize("day_count", ["30/360", "ACTUAL/365", "ACTUAL/360", "ACTUAL/364", "ACTUAL/ACTUAL"])
@pytest.mark.parametrize("annuity_rate", ["TWELFTH", "NOMINAL_DAYS", "ACTUAL_PERIODS"])
@pytest.mark.parametrize(("frequency", "every"), [("MONTHS", 1), ("MONTHS", 3), ("WEEKS", 2), ("DAYS", 10)])
def test_every_calendar_ends_at_zero(day_count: str, annuity_rate: str, frequency: str, every: int) -> None:
    made = schedule(day_count=day_count, annuity_rate=annuity_rate, frequency=frequency, every=every)

    assert_ends_at_zero(made)
    assert len(made.rows) == 12


@pytest.mark.parametrize(
    ("day_count", "interest"),
    # 120,000 at 12 % over the 29 days of February 2024: by hand.
    [
        ("30/360", 1200_00),
        ("ACTUAL/365", 1144_11),
        ("ACTUAL/360", 1160_00),
        ("ACTUAL/364", 1147_25),
        ("ACTUAL/ACTUAL", 1140_98),
    ],
)
def test_each_day_count_charges_a_leap_february_its_own_way(day_count: str, interest: int) -> None:
    made = schedule(principal="120000", start_date="2024-02-01", day_count=day_count)

    assert made.rows[0].interest == interest


def test_actual_actual_divides_a_span_over_new_year_by_both_years() -> None:
    made = schedule(principal="366000", annual_rate="36.5", start_date="2023-12-12", day_count="ACTUAL/ACTUAL")

    # 19 days that end in 2023 at 366.00 a day and 12 that end in 2024 at 365.00 a day.
    assert made.rows[0].interest == 19 * 366_00 + 12 * 365_00


def test_half_up_and_half_even_part_at_half_a_cent() -> None:
    halves = {"principal": "1250", "annual_rate": "15", "instalments": 4}

    assert schedule(**halves).rows[0].interest == 15_62
    assert schedule(**halves, interest_rounding="HALF_UP").rows[0].interest == 15_63


def test_the_instalment_is_rounded_to_a_multiple_up_or_to_the_nearest() -> None:
    nearest = schedule(principal="5000", instalments=18, instalment_multiple="5")
    ceiling = schedule(principal="5000", instalments=18, instalment_multiple="10", instalment_rounding="CEILING")

    assert (nearest.rows[0].total, ceiling.rows[0].total) == (305_00, 310_00)


def test_a_ceiling_leaves_an_exact_instalment_alone() -> None:
    assert schedule(instalments=1, instalment_multiple="1", instalment_rounding="CEILING").rows[0].total == 1212_00
    assert schedule(annual_rate="0", instalment_multiple="100", instalment_rounding="CEILING").rows[0].total == 100_00


def test_rows_with_nothing_left_to_pay_are_dropped() -> None:
    made = schedule(instalment_multiple="500", instalment_rounding="CEILING")

    assert [row.total for row in made.rows] == [500_00, 500_00, 221_31]
    assert_ends_at_zero(made)


def test_principal_grace_pays_interest_alone_and_interest_grace_defers_it() -> None:
    made = schedule(principal_grace=2, interest_grace=3)

    assert [(row.principal, row.interest) for row in made.rows[:2]] == [(0, 0), (0, 0)]
    # The third row pays principal as if its interest were paid, too; the fourth pays four months' interest.
    assert made.rows[2].interest == 0
    assert made.rows[2].principal == 114_70
    assert made.rows[3].interest == 3 * 12_00 + 10_85
    assert_ends_at_zero(made)


@pytest.mark.parametrize("method", METHODS)
def test_interest_grace_changes_when_interest_is_paid_not_how_much(method: str) -> None:
    plain = schedule(method=method, instalment_amount=amount_of(method))
    graced = schedule(method=method, instalment_amount=amount_of(method), interest_grace=4)

    assert [row.principal for row in graced.rows] == [row.principal for row in plain.rows]
    assert graced.interest == plain.interest
    assert [row.interest for row in graced.rows[:4]] == [0] * 4


def test_a_broken_first_period_earns_its_own_days() -> None:
    plain = {"start_date": "2026-01-10", "first_due_date": "2026-03-01", "annual_rate": "36"}

    # 51 days of thirty-day months, and 50 real ones.
    assert schedule(**plain).rows[0].interest == 61_20
    assert schedule(**plain, day_count="ACTUAL/360").rows[0].interest == 60_00
    assert [row.due_date for row in schedule(**plain).rows[:3]] == [
        date(2026, 3, 1),
        date(2026, 4, 1),
        date(2026, 5, 1),
    ]


def test_a_first_due_date_that_follows_from_the_start_keeps_the_day_of_the_start() -> None:
    made = schedule(start_date="2026-01-31", first_due_date="2026-02-28")

    assert [row.due_date.day for row in made.rows[:3]] == [28, 31, 30]
    assert made.rows == schedule(start_date="2026-01-31").rows


def test_a_loan_of_29_february_comes_back_to_it() -> None:
    made = schedule(start_date="2024-02-29", every=12, instalments=4)

    assert [row.due_date.isoformat() for row in made.rows] == ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]
    assert {row.interest for row in made.rows[:1]} == {144_00}


def test_each_disbursement_sets_the_instalments_anew() -> None:
    parts = [{"date": "2026-01-01", "amount": "600"}, {"date": "2026-04-01", "amount": "600"}]
    made = schedule(principal=None, start_date=None, disbursements=parts, method="EQUAL_PRINCIPAL")

    assert [row.principal for row in made.rows] == [50_00] * 3 + [116_67] * 8 + [116_64]
    assert_ends_at_zero(made)


def test_a_disbursement_within_a_period_earns_from_its_day_on() -> None:
    parts = [{"date": "2026-01-01", "amount": "365"}, {"date": "2026-01-21", "amount": "730"}]
    made = schedule(principal=None, start_date=None, disbursements=parts, day_count="ACTUAL/365", annual_rate="10")

    # Ten cents a day for 31 days, twenty more for the last eleven.
    assert made.rows[0].interest == 31 * 10 + 11 * 20


def test_interest_of_a_changing_balance_is_rounded_per_part_or_once() -> None:
    parts = [{"date": "2024-01-01", "amount": "100"}, {"date": "2024-01-08", "amount": "200"}]
    plain: dict[str, Any] = {"disbursements": parts, "annual_rate": "9.4822", "principal": None, "start_date": None}

    assert schedule(**plain).rows[0].interest == 2_02
    assert schedule(**plain, segment_rounding="PERIOD").rows[0].interest == 2_01


def test_a_fixed_instalment_ends_early_or_leaves_the_rest_to_the_last() -> None:
    early = schedule(method="FIXED_INSTALMENT", instalment_amount="500")
    balloon = schedule(method="FIXED_INSTALMENT", instalment_amount="50")

    assert [row.total for row in early.rows] == [500_00, 500_00, 221_31]
    assert [row.total for row in balloon.rows[:11]] == [50_00] * 11
    assert balloon.rows[11].total > 700_00
    assert_ends_at_zero(balloon)


def test_a_fixed_instalment_below_the_interest_pays_interest_and_no_principal() -> None:
    made = schedule(method="FIXED_INSTALMENT", instalment_amount="5")

    assert {(row.principal, row.interest) for row in made.rows[:11]} == {(0, 12_00)}
    assert_ends_at_zero(made)


def test_fees_come_at_disbursement_and_with_each_instalment() -> None:
    made = schedule(
        method="FLAT",
        principal="3000",
        instalments=3,
        fees=[
            {"timing": "DISBURSEMENT", "basis": "FLAT", "amount": "25"},
            {"timing": "DISBURSEMENT", "basis": "PRINCIPAL", "percent": "0.5"},
            {"timing": "INSTALMENT", "basis": "FLAT", "amount": "1.50"},
            {"timing": "INSTALMENT", "basis": "PRINCIPAL", "percent": "1.5"},
            {"timing": "INSTALMENT", "basis": "INSTALMENT", "percent": "1.5"},
        ],
    )

    assert made.disbursement_fees == ((date(2026, 1, 31), 40_00),)
    assert [row.fees for row in made.rows] == [1_50 + 15_00 + 15_45] * 3
    assert made.fees == 40_00 + 3 * 31_95
    assert_ends_at_zero(made)


def test_currencies_keep_their_own_decimals() -> None:
    yen = schedule(currency="JPY", principal="120000")
    dinar = schedule(currency="KWD", principal="1200.000")

    assert (yen.rows[0].total, dinar.rows[0].total) == (10662, 106_619)


def test_the_same_terms_make_the_same_schedule() -> None:
    agreed = terms()

    assert make_schedule(terms=agreed) == make_schedule(terms=agreed)
