"""The life of a rule: four eyes, versions, and text that stays as it was approved."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEvent
from common.errors import Forbidden, Invalid
from fraud import reference
from fraud import services as fraud
from fraud.models import Rule, SilentHit
from fraud.queries.trials import shadow_of
from tests.fraud.conftest import NOON, put_in_shadow, try_on_the_past

NIGHT = {"feature": "is_night", "op": "==", "value": True}


def draft(actor: Any, **changes: Any) -> Rule:
    values = {
        "code": "NIGHT_PAYMENT",
        "name": "Payment at night",
        "condition": NIGHT,
        "action": "FLAG",
        "customer_text": "You asked for this payment at night.",
    }
    return fraud.draft_rule(actor=actor, now=NOON, **{**values, **changes})


def in_shadow(actor: Any) -> Rule:
    return put_in_shadow(draft(actor))


def test_another_person_puts_it_live(officer: Any, second_officer: Any) -> None:
    rule = fraud.approve_rule(actor=second_officer, rule_id=in_shadow(officer).pk, reason="Good", now=NOON)
    assert (rule.state, rule.maker, rule.checker) == ("LIVE", officer, second_officer)
    actions = set(AuditEvent.objects.filter(subject_id=str(rule.pk)).values_list("action", flat=True))
    assert actions == {"fraud.rule_drafted", "fraud.rule_submitted", "fraud.rule_shadowed", "fraud.rule_approved"}


def test_its_author_cannot_approve_it_nor_can_the_database(officer: Any) -> None:
    rule = in_shadow(officer)
    with pytest.raises(fraud.SameMakerAndChecker):
        fraud.approve_rule(actor=officer, rule_id=rule.pk, reason="Mine", now=NOON)
    with pytest.raises(DatabaseError, match="maker_is_not_checker"), transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(state="LIVE", checker=officer, live_at=NOON)
    with pytest.raises(DatabaseError, match="live_was_checked"), transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(state="LIVE", live_at=NOON)


def test_a_draft_cannot_go_live_without_being_submitted(officer: Any, second_officer: Any) -> None:
    rule = draft(officer)
    with pytest.raises(fraud.RuleStateConflict):
        fraud.approve_rule(actor=second_officer, rule_id=rule.pk, reason="Go", now=NOON)
    with pytest.raises(DatabaseError), transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(state="LIVE", checker=second_officer, live_at=NOON)


def test_a_rule_is_watched_in_shadow_only_after_it_was_tried(officer: Any) -> None:
    rule = fraud.submit_rule(actor=officer, rule_id=draft(officer).pk, reason="Ready", now=NOON)
    assert rule.state == "BACKTEST"
    with pytest.raises(fraud.RuleStateConflict, match="not been tried"):
        fraud.shadow_rule(actor=officer, rule_id=rule.pk, reason="Go", now=NOON)
    with pytest.raises(DatabaseError, match="not tried on the past"), transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(state="SHADOW", shadow_at=NOON)
    try_on_the_past()
    assert fraud.shadow_rule(actor=officer, rule_id=rule.pk, reason="Go", now=NOON).state == "SHADOW"


def test_a_rule_cannot_go_live_from_its_backtest(officer: Any, second_officer: Any) -> None:
    rule = fraud.submit_rule(actor=officer, rule_id=draft(officer).pk, reason="Ready", now=NOON)
    try_on_the_past()
    with pytest.raises(fraud.RuleStateConflict):
        fraud.approve_rule(actor=second_officer, rule_id=rule.pk, reason="Go", now=NOON)
    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(state="LIVE", checker=second_officer, live_at=NOON)


def test_what_was_tried_before_a_change_does_not_count(officer: Any) -> None:
    rule = fraud.submit_rule(actor=officer, rule_id=draft(officer).pk, reason="Ready", now=NOON)
    try_on_the_past()
    fraud.return_rule(actor=officer, rule_id=rule.pk, reason="A better idea", now=NOON)
    fraud.update_rule(
        actor=officer,
        rule_id=rule.pk,
        name="Else",
        condition={"feature": "is_weekend", "op": "==", "value": True},
        action="FLAG",
        customer_text="Something else here.",
    )
    fraud.submit_rule(actor=officer, rule_id=rule.pk, reason="Again", now=NOON)
    with pytest.raises(fraud.RuleStateConflict, match="not been tried"):
        fraud.shadow_rule(actor=officer, rule_id=rule.pk, reason="Go", now=NOON)


def test_a_rule_in_shadow_hits_and_decides_nothing(officer: Any, second_officer: Any, screen: Any) -> None:
    night = {"at": NOON.replace(hour=2)}
    rule = in_shadow(officer)
    verdict = screen(**night)
    assert (verdict.outcome, verdict.reasons) == ("APPROVED", ())
    hit = SilentHit.objects.get()
    assert (hit.decision_id, hit.rule_id, hit.why) == (verdict.decision_id, rule.pk, "SHADOW")
    screen(customer_id=uuid.UUID(int=9))
    Rule.objects.filter(pk=rule.pk).update(shadow_at=NOON.replace(hour=0))
    rule.refresh_from_db()
    seen = shadow_of(rule)
    assert seen is not None
    assert (seen.asked, seen.hits, seen.went_through) == (2, 1, 1)
    fraud.approve_rule(actor=second_officer, rule_id=rule.pk, reason="Good", now=NOON)
    assert screen(**night, customer_id=uuid.UUID(int=8)).outcome == "FLAGGED"
    assert SilentHit.objects.count() == 1


def test_a_new_version_replaces_the_live_one(officer: Any, second_officer: Any) -> None:
    live = Rule.objects.get(code="VELOCITY")
    rule = fraud.new_version(actor=officer, rule_id=live.pk, now=NOON)
    assert (rule.version, rule.state, rule.condition) == (2, "DRAFT", live.condition)
    with pytest.raises(fraud.RuleStateConflict):
        fraud.new_version(actor=second_officer, rule_id=live.pk, now=NOON)
    put_in_shadow(rule)
    fraud.approve_rule(actor=second_officer, rule_id=rule.pk, reason="Yes", now=NOON)
    live.refresh_from_db()
    assert live.state == "RETIRED"
    assert list(Rule.objects.filter(code="VELOCITY", state="LIVE").values_list("version", flat=True)) == [2]
    reference.ensure()
    assert Rule.objects.filter(code="VELOCITY").count() == 2


def test_what_was_submitted_cannot_be_changed(officer: Any) -> None:
    rule = in_shadow(officer)
    changes = {"name": "Else", "condition": NIGHT, "action": "BLOCK", "customer_text": "Something else here."}
    with pytest.raises(fraud.RuleStateConflict):
        fraud.update_rule(actor=officer, rule_id=rule.pk, **changes)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(action="BLOCK")


def test_a_draft_belongs_to_its_author(officer: Any, second_officer: Any) -> None:
    rule = draft(officer)
    changes = {"name": "Else", "condition": NIGHT, "action": "FLAG", "customer_text": "Something else here."}
    with pytest.raises(fraud.RuleStateConflict):
        fraud.update_rule(actor=second_officer, rule_id=rule.pk, **changes)
    assert fraud.update_rule(actor=officer, rule_id=rule.pk, **changes).name == "Else"


def test_a_returned_rule_is_a_draft_again(officer: Any, second_officer: Any) -> None:
    rule = in_shadow(officer)
    assert fraud.return_rule(actor=second_officer, rule_id=rule.pk, reason="Too wide", now=NOON).state == "DRAFT"


def test_its_author_cannot_switch_a_live_rule_off(officer: Any, second_officer: Any) -> None:
    rule = fraud.approve_rule(actor=second_officer, rule_id=in_shadow(officer).pk, reason="Good", now=NOON)
    with pytest.raises(fraud.SameMakerAndChecker):
        fraud.retire_rule(actor=officer, rule_id=rule.pk, reason="Off", now=NOON)
    assert fraud.retire_rule(actor=second_officer, rule_id=rule.pk, reason="Off", now=NOON).state == "RETIRED"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "lower"}, "code"),
        ({"code": "VELOCITY"}, "code"),
        ({"name": " "}, "name"),
        ({"action": "SHOOT"}, "action"),
        ({"customer_text": "No."}, "customer_text"),
        ({"condition": {"feature": "nothing", "op": ">", "value": 1}}, "condition"),
    ],
)
def test_a_mistake_is_named_at_its_field(officer: Any, change: dict[str, Any], field: str) -> None:
    with pytest.raises((Invalid, fraud.RuleCodeTaken)) as caught:
        draft(officer, **change)
    assert caught.value.field == field


@pytest.mark.parametrize("who", ["alice", "teller", "auditor", "administrator"])
def test_only_those_who_may_write_rules(who: str, request: pytest.FixtureRequest) -> None:
    actor = request.getfixturevalue(who)
    live = Rule.objects.get(code="VELOCITY")
    with pytest.raises(Forbidden):
        draft(actor)
    with pytest.raises(Forbidden):
        fraud.new_version(actor=actor, rule_id=live.pk, now=NOON)
    with pytest.raises(Forbidden):
        fraud.retire_rule(actor=actor, rule_id=live.pk, reason="Off", now=NOON)


@pytest.mark.parametrize("statement", ["UPDATE fraud_decision SET score = 0", "DELETE FROM fraud_decision"])
def test_decisions_are_kept_from_the_bank_and_from_the_owner(
    screen: Callable[..., Any], as_owner: Callable[[], Any], statement: str
) -> None:
    screen()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    with as_owner() as cursor, pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM fraud_decision")
        assert cursor.fetchone()[0] == 1


def test_a_decided_case_stays_as_it_is(flagged: Callable[..., Any], officer: Any) -> None:
    case = flagged()
    fraud.decide_case(actor=officer, case_id=case.pk, decision="DECLINE", reason="Fraud", now=NOON)
    with pytest.raises(DatabaseError), transaction.atomic():
        type(case).objects.filter(pk=case.pk).update(reason="Another")
    with pytest.raises(DatabaseError), transaction.atomic():
        type(case).objects.filter(pk=case.pk).update(status="OPEN")
