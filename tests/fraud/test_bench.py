"""What `bench fraud` measures on is what the bank itself would have written, and what it misses it says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.forms.models import model_to_dict

from bankportal.bench import decisions
from bankportal.management.commands.bench_fraud import lines, missed
from fraud.models import Activity, Decision
from fraud.rules.facts import Outcome
from fraud.rules.judging import Judgement
from fraud.services import screening
from tests.fraud.conftest import NOON, do_screen


def test_its_history_is_what_screening_would_have_left(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    past = decisions.fill(payments=60, customers=2, busy_payments=30, now=NOON)
    monkeypatch.setattr(screening, "judge", lambda *_, **__: Judgement(Outcome.APPROVED, 0.0, ()))
    people = [past.busy, *past.ordinary]
    twins = {customer.id: uuid.uuid4() for customer in people}
    for paid in Decision.objects.filter(subject_kind="bench").order_by("at"):
        do_screen(
            customer_id=twins[paid.customer_id],
            account_ref=paid.account_ref,
            amount_minor=paid.amount_minor,
            at=paid.at,
            channel="API",
            beneficiary_ref=paid.beneficiary_ref,
            device=paid.device,
            ip=paid.ip,
        )

    for customer, twin in twins.items():
        written, usual = (
            [model_to_dict(step, exclude=["id", "decision", "customer_id"]) for step in steps.order_by("number")]
            for steps in (Activity.objects.filter(customer_id=customer), Activity.objects.filter(customer_id=twin))
        )
        assert len(written) in (15, 30)
        assert written == usual


def report(**changes: Any) -> dict[str, Any]:
    taken = {"median_ms": 2.0, "p95_ms": 3.0, "p99_ms": 4.0}
    found: dict[str, Any] = {
        "machine": {"cpus": 2, "processor": "test", "load_before": [0.0]},
        "history": {"payments": 10, "fill_seconds": 1.0},
        "decision": {
            "ordinary": taken,
            "busy": taken,
            "busy_times": 1.0,
            "processor_ms": {"python": 1.0, "postgresql": 1.0},
        },
        "two_processes_per_second": [900],
        "let_through": [0.97],
        "layers": {"autoencoder": {"ours_us": 1.0, "library_us": 5.0, "times_as_fast": 5.0}},
        "batch_per_second": [30_000],
        "models_added_mb": 5.0,
    }
    return found | changes


def test_a_figure_that_is_reached_gives_no_sentence() -> None:
    assert missed(report()) == []
    assert any("900 decisions a second" in line for line in lines(report()))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"two_processes_per_second": [700, 790, 900]}, "two processes decide 790 a second, wanted 800"),
        ({"batch_per_second": [19_000]}, "a batch scores 19000 vectors a second, wanted 20000"),
        ({"models_added_mb": 201.0}, "the models add 201.0 MB to a worker, wanted 200.0"),
        (
            {"layers": {"autoencoder": {"ours_us": 5.0, "library_us": 4.0, "times_as_fast": 0.8}}},
            "autoencoder takes 5.0 µs, its library 4.0",
        ),
    ],
)
def test_each_figure_missed_is_named(changes: dict[str, Any], sentence: str) -> None:
    assert missed(report(**changes)) == [sentence]
