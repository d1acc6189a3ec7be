"""Rules: written by one person, tried on the past, watched in shadow, put live by another, never overwritten."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from audit import services as audit
from common.db import use_case, use_case_or_part
from common.errors import Invalid
from fraud.errors import RuleCodeTaken, RuleNotFound, RuleStateConflict, SameMakerAndChecker
from fraud.models import Rule, RuleAction, RuleState
from fraud.rules import conditions
from fraud.rules.limits import limit_condition
from fraud.services import backtests
from fraud.services.ruleset import touch_ruleset
from identity import services as identity
from identity.models import User

CANDIDATE = (RuleState.DRAFT, RuleState.BACKTEST, RuleState.SHADOW)
# How far back a rule is tried when it leaves its draft.
BACKTEST_DAYS = 90
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,39}", re.ASCII)


def draft_rule(
    *, actor: User, code: str, name: str, condition: Any, action: str, customer_text: str, now: datetime
) -> Rule:
    """Write the first version of a new rule as a DRAFT; `condition` is a JSON tree, money in major units as text.

    Raises PermissionMissing, RuleCodeTaken, InvalidCondition and Invalid (with its field).
    """
    identity.require(actor, "fraud_edit_rules")
    if not _CODE.fullmatch(code):
        raise Invalid("Use 3 to 40 capital letters, digits and underscores, a letter first.", field="code")
    fields = _checked(name=name, condition=condition, action=action, customer_text=customer_text)
    with use_case_or_part():
        if Rule.objects.filter(code=code).exists():
            raise RuleCodeTaken(field="code")
        try:
            with transaction.atomic():
                rule = Rule.objects.create(code=code, maker=actor, created_at=now, **fields)
        except IntegrityError as error:
            raise RuleCodeTaken(field="code") from error
        _record(rule, actor, "fraud.rule_drafted")
    return rule


def draft_limit(
    *,
    actor: User,
    code: str,
    name: str,
    transfer_type: str,
    measure: str,
    bound: str,
    history: str,
    action: str,
    customer_text: str,
    now: datetime,
) -> Rule:
    """Draft a rule that hits above a limit, for one kind of payment or every; see `limits.limit_condition`.

    Raises as `draft_rule`; a figure that does not fit is an InvalidCondition.
    """
    condition = limit_condition(transfer_type=transfer_type, measure=measure, bound=bound, history=history)
    return draft_rule(
        actor=actor,
        code=code.strip().upper(),
        name=name,
        condition=condition,
        action=action,
        customer_text=customer_text,
        now=now,
    )


def new_version(*, actor: User, rule_id: uuid.UUID, now: datetime) -> Rule:
    """Copy a rule into a DRAFT of the next version; the live one keeps working until another person approves the draft.

    Raises PermissionMissing, RuleNotFound, RuleStateConflict when another version is on its way.
    """
    identity.require(actor, "fraud_edit_rules")
    with use_case():
        source = _locked(rule_id)
        latest = Rule.objects.filter(code=source.code).aggregate(latest=Max("version"))["latest"]
        if Rule.objects.filter(code=source.code, state__in=CANDIDATE).exists():
            raise RuleStateConflict("A new version of this rule is already being worked on.")
        try:
            with transaction.atomic():
                rule = Rule.objects.create(
                    code=source.code,
                    version=latest + 1,
                    name=source.name,
                    condition=source.condition,
                    action=source.action,
                    customer_text=source.customer_text,
                    maker=actor,
                    created_at=now,
                )
        except IntegrityError as error:
            raise RuleStateConflict("A new version of this rule is already being worked on.") from error
        _record(rule, actor, "fraud.rule_drafted", from_version=source.version)
    return rule


def update_rule(*, actor: User, rule_id: uuid.UUID, name: str, condition: Any, action: str, customer_text: str) -> Rule:
    """Change one's own DRAFT.

    Raises PermissionMissing, RuleNotFound, InvalidCondition, Invalid, and RuleStateConflict (not one's own draft).
    """
    identity.require(actor, "fraud_edit_rules")
    fields = _checked(name=name, condition=condition, action=action, customer_text=customer_text)
    with use_case():
        rule = _locked(rule_id)
        _need_own_draft(rule, actor)
        before = {key: getattr(rule, key) for key in fields}
        for key, value in fields.items():
            setattr(rule, key, value)
        rule.save(update_fields=list(fields))
        changed = {key: {"from": before[key], "to": value} for key, value in fields.items() if before[key] != value}
        _record(rule, actor, "fraud.rule_changed", changed=changed)
    return rule


def submit_rule(*, actor: User, rule_id: uuid.UUID, reason: str, now: datetime, days: int = BACKTEST_DAYS) -> Rule:
    """Fix one's own DRAFT and try it on the stored payments of the last `days` days: BACKTEST.

    Raises PermissionMissing, RuleNotFound, RuleStateConflict, and Invalid for a period of no or too many days.
    """
    identity.require(actor, "fraud_edit_rules")
    with use_case():
        rule = _locked(rule_id)
        _need_own_draft(rule, actor)
        rule.state = RuleState.BACKTEST
        rule.submitted_at = now
        rule.save(update_fields=["state", "submitted_at"])
        backtests.ask(rule=rule, actor=actor, from_at=now - timedelta(days=days), to_at=now, now=now)
        _record(rule, actor, "fraud.rule_submitted", reason=reason, days=days)
    return rule


def shadow_rule(*, actor: User, rule_id: uuid.UUID, reason: str, now: datetime) -> Rule:
    """Ask a rule about every payment from now on, without deciding anything: SHADOW.

    Raises PermissionMissing, RuleNotFound, and RuleStateConflict before a backtest of this very condition is finished.
    """
    identity.require(actor, "fraud_edit_rules")
    with use_case():
        rule = _locked(rule_id)
        _need_state(rule, RuleState.BACKTEST)
        if not backtests.was_tried(rule):
            raise RuleStateConflict("This rule has not been tried on the past yet: wait for its backtest to finish.")
        conditions.parse(rule.condition, currency=settings.BASE_CURRENCY)
        rule.state = RuleState.SHADOW
        rule.shadow_at = now
        rule.save(update_fields=["state", "shadow_at"])
        touch_ruleset(now=now)
        _record(rule, actor, "fraud.rule_shadowed", reason=reason)
    return rule


def return_rule(*, actor: User, rule_id: uuid.UUID, reason: str, now: datetime) -> Rule:
    """Back to DRAFT for its maker to mend: the maker takes it back, or whoever approves rules returns it.

    Raises PermissionMissing, RuleNotFound, RuleStateConflict.
    """
    with use_case():
        rule = _locked(rule_id)
        identity.require(actor, "fraud_edit_rules" if rule.maker_id == actor.pk else "fraud_approve_rules")
        if rule.state not in (RuleState.BACKTEST, RuleState.SHADOW):
            raise RuleStateConflict(data={"state": rule.state})
        if rule.maker_id is None:
            raise RuleStateConflict("This rule was shipped: approve it, or retire it.")
        was_asked = rule.state == RuleState.SHADOW
        rule.state = RuleState.DRAFT
        rule.submitted_at = rule.shadow_at = None
        rule.save(update_fields=["state", "submitted_at", "shadow_at"])
        if was_asked:
            touch_ruleset(now=now)
        _record(rule, actor, "fraud.rule_returned", reason=reason)
    return rule


def approve_rule(*, actor: User, rule_id: uuid.UUID, reason: str, now: datetime) -> Rule:
    """Put a version that is in shadow live and retire the one before it; every process follows at its next payment.

    Raises PermissionMissing, RuleNotFound, RuleStateConflict, SameMakerAndChecker, InvalidCondition.
    """
    identity.require(actor, "fraud_approve_rules")
    with use_case():
        rule = _locked(rule_id)
        _need_state(rule, RuleState.SHADOW)
        if rule.maker_id == actor.pk:
            raise SameMakerAndChecker
        conditions.parse(rule.condition, currency=settings.BASE_CURRENCY)
        for former in Rule.objects.select_for_update().filter(code=rule.code, state=RuleState.LIVE).order_by("pk"):
            former.state = RuleState.RETIRED
            former.retired_at = now
            former.save(update_fields=["state", "retired_at"])
        rule.state = RuleState.LIVE
        rule.checker = actor
        rule.live_at = now
        rule.save(update_fields=["state", "checker", "live_at"])
        touch_ruleset(now=now)
        _record(rule, actor, "fraud.rule_approved", reason=reason)
    return rule


def retire_rule(*, actor: User, rule_id: uuid.UUID, reason: str, now: datetime) -> Rule:
    """End a rule. One's own draft needs the right to edit, anything else the right to approve.

    A live rule protects customers, so its own maker cannot switch it off. Raises PermissionMissing, RuleNotFound,
    RuleStateConflict, SameMakerAndChecker.
    """
    with use_case():
        rule = _locked(rule_id)
        if rule.state == RuleState.DRAFT and rule.maker_id == actor.pk:
            identity.require(actor, "fraud_edit_rules")
        else:
            identity.require(actor, "fraud_approve_rules")
        if rule.state == RuleState.RETIRED:
            raise RuleStateConflict("This version is already retired.")
        was_asked = rule.state in (RuleState.SHADOW, RuleState.LIVE)
        if rule.state == RuleState.LIVE and rule.maker_id == actor.pk:
            raise SameMakerAndChecker("You wrote this rule: somebody else has to switch it off.")
        rule.state = RuleState.RETIRED
        rule.retired_at = now
        rule.save(update_fields=["state", "retired_at"])
        if was_asked:
            touch_ruleset(now=now)
        _record(rule, actor, "fraud.rule_retired", reason=reason)
    return rule


def _checked(*, name: str, condition: Any, action: str, customer_text: str) -> dict[str, Any]:
    conditions.parse(condition, currency=settings.BASE_CURRENCY)
    if not 3 <= len(name.strip()) <= 80:
        raise Invalid("Give a name of 3 to 80 characters.", field="name")
    if action not in RuleAction.values:
        raise Invalid("Choose what happens.", field="action")
    if not 10 <= len(customer_text.strip()) <= 200:
        raise Invalid("Write 10 to 200 characters for the customer.", field="customer_text")
    return {
        "name": name.strip(),
        "condition": condition,
        "action": action,
        "customer_text": customer_text.strip(),
    }


def _locked(rule_id: uuid.UUID) -> Rule:
    rule = Rule.objects.select_for_update(of=("self",)).filter(pk=rule_id).first()
    if rule is None:
        raise RuleNotFound
    return rule


def _need_state(rule: Rule, state: RuleState) -> None:
    if rule.state != state:
        raise RuleStateConflict(data={"state": rule.state})


def _need_own_draft(rule: Rule, actor: User) -> None:
    _need_state(rule, RuleState.DRAFT)
    if rule.maker_id != actor.pk:
        raise RuleStateConflict("This draft belongs to somebody else.")


def _record(rule: Rule, actor: User, action: str, *, reason: str = "", **data: object) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject_kind="fraud_rule",
        subject_id=rule.pk,
        reason=reason,
        data={"code": rule.code, "version": rule.version, **data},
    )
