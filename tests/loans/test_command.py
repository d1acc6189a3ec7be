"""`manage.py loan_schedule` and `bench_loans`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from loans import verification
from loans.management.commands import bench_loans
from loans.models import Collection
from tests.loans.conftest import WORKED, fields


def run(path: Path, values: Any, *options: str) -> str:
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    out = io.StringIO()
    call_command("loan_schedule", "--terms", str(path), *options, stdout=out)
    return out.getvalue()


def test_prints_json_with_amounts_as_text(tmp_path: Path) -> None:
    case = WORKED["FIN-RS02"]

    printed = json.loads(run(tmp_path / "terms.json", case["terms"], "--format", "json"))

    assert [[row["principal"], row["interest"]] for row in printed["rows"]] == [row[2:4] for row in case["rows"]]
    assert printed["totals"] == {
        "principal": "5000.00",
        "interest": "488.22",
        "fees": "0.00",
        "penalties": "0.00",
        "total": "5488.22",
    }


def test_prints_an_aligned_table(tmp_path: Path) -> None:
    fee = {"timing": "DISBURSEMENT", "basis": "FLAT", "amount": "25"}
    lines = run(tmp_path / "terms.json", fields(instalments=2, fees=[fee])).splitlines()

    assert lines[0].split()[:3] == ["No.", "Due", "date"]
    assert lines[1].split() == ["1", "2026-02-28", "28", "597.01", "12.00", "0.00", "0.00", "609.01", "602.99"]
    assert lines[3].split() == ["2026-01-31", "25.00", "25.00"]
    assert lines[-1].split() == ["Total", "EUR", "1200.00", "18.03", "25.00", "0.00", "1243.03"]
    assert len({len(line) for line in lines}) == 1


def test_says_which_field_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^annual_rate: "):
        run(tmp_path / "terms.json", fields(annual_rate="-2"))
    with pytest.raises(CommandError, match="not valid JSON"):
        run(tmp_path / "terms.json", "{")
    with pytest.raises(CommandError, match="Cannot read"):
        call_command("loan_schedule", "--terms", str(tmp_path / "none.json"))


def serviced(folder: Path, happened: Any, *options: str) -> str:
    events = folder / "events.json"
    events.write_text(json.dumps(happened))
    return run(folder / "terms.json", fields(instalments=2), "--events", str(events), *options)


def test_follows_events_to_a_day(tmp_path: Path) -> None:
    paid = {"date": "2026-02-28", "type": "REPAYMENT", "amount": "609.01"}

    found = json.loads(serviced(tmp_path, [paid], "--as-of", "2026-04-02", "--format", "json"))

    assert (found["status"], found["balance"], found["days_past_due"]) == ("ACTIVE", "609.02", 2)
    assert found["payments"][0]["principal"] == "597.01"
    assert [row["paid"]["total"] for row in found["rows"]] == ["609.01", "0.00"]


def test_prints_where_a_loan_stands_after_its_last_event(tmp_path: Path) -> None:
    lines = serviced(tmp_path, [{"date": "2026-02-28", "type": "PAYOFF"}]).splitlines()

    assert lines[-1] == "CLOSED on 2026-02-28: EUR 0.00 unpaid, 0 days past due"
    assert lines[1].split() == [
        "1", "2026-02-28", "597.01", "12.00", "0.00", "0.00", "609.01", "609.01", "0.00", "602.99",
    ]  # fmt: skip


def test_names_the_event_that_cannot_have_been(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^events\[0\].amount: "):
        serviced(tmp_path, [{"date": "2026-02-28", "type": "REPAYMENT", "amount": "0"}])
    with pytest.raises(CommandError, match="more than the loan's pay-off"):
        serviced(tmp_path, [{"date": "2026-02-28", "type": "REPAYMENT", "amount": "5000"}])
    with pytest.raises(CommandError, match="events is a list"):
        serviced(tmp_path, {})
    with pytest.raises(CommandError, match="--as-of goes with --events"):
        run(tmp_path / "terms.json", fields(), "--as-of", "2026-04-02")


@pytest.mark.django_db
def test_measures_schedules_and_the_end_of_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portfolio is one of the bank's own: the story of each loan is what is booked."""
    # Among so few a loan's share of what a step costs anyway decides nothing.
    monkeypatch.setattr(bench_loans, "GROWTH", 100)
    target = tmp_path / "bench.json"
    options = ["--schedules", "3", "--rounds", "1", "--rivals", "", "--loans", "20", "30", "--json", str(target)]
    call_command("bench_loans", *options, stdout=io.StringIO())

    report = json.loads(target.read_text())
    assert report["results"]["schedules"]["per_second"] > 0
    assert report["missed"] == []
    assert [night["loans"] for night in report["nights"]] == [20, 30]
    assert Collection.objects.filter(outcome=Collection.Outcome.COLLECTED).count() > 30
    assert list(verification.verify()) == []
    with pytest.raises(CommandError, match="There are loans in this database"):
        call_command("bench_loans", *options, stdout=io.StringIO())


@pytest.mark.parametrize("sizes", [["0", "5"], ["5", "5"]])
def test_measures_more_loans_the_second_time(sizes: list[str]) -> None:
    with pytest.raises(CommandError, match="more loans the second time"):
        call_command("bench_loans", "--loans", *sizes)


def test_says_which_figure_was_missed() -> None:
    slow = {"loans": 10_000, "days": {"every loan due": {"together": 61.0}}}
    missed = bench_loans._missed_nights([slow, slow], {"every loan due": 1.4})
    assert missed == [
        "the end of the day on which all 10,000 loans fall due takes 61.0 s, wanted 60",
        "a loan costs 1.4 x as much among many as among few, wanted 1.3 at most",
    ]
