"""What travels to the database as the text of an array comes back as it was."""

from __future__ import annotations

import math
import uuid
from typing import Any

import pytest
from django.db import DataError, IntegrityError, transaction

from common.db import use_case
from fraud import services as fraud
from fraud.models import Decision
from fraud.services.screening import screen_each
from tests.fraud.conftest import make_facts

ODD = ("NULL", "null", "", " ", '"', "\\", '\\"', "{a,b}", "'; DROP TABLE x; --", "%s %(row)s", "ä\n\t€", "$1")


def told(text: str, number: int) -> dict[str, Any]:
    return {
        "account_label": text,
        "beneficiary_label": text,
        "beneficiary_ref": text,
        "device": text,
        "subject_id": uuid.uuid4(),
        "customer_id": uuid.UUID(int=number + 1),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("together", [False, True])
def test_every_text_is_kept_as_it_was_told(together: bool) -> None:
    facts = [make_facts(**told(text, number)) for number, text in enumerate(ODD)]
    with use_case():
        verdicts = screen_each(facts=facts) if together else [fraud.screen(facts=each) for each in facts]
    kept = Decision.objects.in_bulk([verdict.decision_id for verdict in verdicts])
    for verdict, text in zip(verdicts, ODD, strict=True):
        decision = kept[verdict.decision_id]
        told_back = (decision.account_label, decision.beneficiary_label, decision.beneficiary_ref, decision.device)
        assert told_back == (text,) * 4
        assert decision.features["transfer_type"] == decision.transfer_type
        assert {str(name): score for name, score in verdict.layers.items()} == decision.layers


@pytest.mark.django_db
def test_what_does_not_fit_its_column_is_refused_and_not_cut() -> None:
    with pytest.raises(DataError), use_case():
        fraud.screen(facts=make_facts(subject_kind="x" * 41))
    assert not Decision.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 0},
        {"score": -0.01},
        {"score": 1.01},
        {"score": math.nan},
        {"agreement_percent": -1},
        {"agreement_percent": 101},
    ],
)
def test_the_database_refuses_a_decision_that_cannot_be(change: dict[str, Any]) -> None:
    with use_case():
        verdict = fraud.screen(facts=make_facts())
    decision = Decision.objects.get(pk=verdict.decision_id)
    decision.pk = uuid.uuid4()
    for name, value in change.items():
        setattr(decision, name, value)
    with pytest.raises(IntegrityError, match="cannot be"), transaction.atomic():
        decision.save(force_insert=True)
    assert Decision.objects.count() == 1
