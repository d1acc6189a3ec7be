"""Rules made quiet for one customer or account, and what hit a payment without deciding anything."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from audit import services as audit
from common.db import require_transaction, use_case
from common.errors import Invalid
from fraud.errors import OwnSnooze, ReasonMissing, SnoozeNotFound, SnoozeOver
from fraud.models import Decision, SilentHit, Snooze, SnoozeHolder
from fraud.rules.judging import Silent
from fraud.services.lists import soft_rules
from fraud.services.ruleset import touch_ruleset
from identity import services as identity
from identity.models import User

LONGEST_SNOOZE_DAYS = 90


def keep_silent(decision_id: uuid.UUID, hits: Sequence[Silent]) -> None:
    """Store silent hits with their decision; costs nothing when there are none. Raises NoTransaction."""
    require_transaction()
    if hits:
        SilentHit.objects.bulk_create(
            SilentHit(decision_id=decision_id, rule_id=hit.rule_id, why=hit.why, by=hit.by) for hit in hits
        )


def snooze_rule(*, actor: User, code: str, who: str, days: int, reason: str, now: datetime) -> Snooze:
    """Make a live soft rule quiet for one customer or account, for 1 to 90 days.

    `who` is a customer's e-mail, or the id of a customer or account as decisions name them. A snooze that is in force
    is replaced. Raises PermissionMissing, ReasonMissing, OwnSnooze and Invalid at its field.
    """
    identity.require(actor, "fraud_decide")
    if not reason.strip():
        raise ReasonMissing
    if code not in dict(soft_rules()):
        raise Invalid("Choose a live rule that holds payments; one that refuses them cannot be snoozed.", field="rule")
    if not 1 <= days <= LONGEST_SNOOZE_DAYS:
        raise Invalid(f"Choose 1 to {LONGEST_SNOOZE_DAYS} days.", field="days")
    holder, holder_id, label = _holder(who.strip())
    _need_other(actor, holder, holder_id)
    with use_case():
        before = Snooze.objects.select_for_update().filter(
            rule_code=code, holder_id=holder_id, ended_at__isnull=True, ends_at__gt=now
        )
        for former in before.order_by("pk"):
            _end(former, actor, now)
        snooze = Snooze.objects.create(
            rule_code=code,
            holder=holder,
            holder_id=holder_id,
            label=label,
            reason=reason.strip(),
            maker=actor,
            from_at=now,
            ends_at=now + timedelta(days=days),
        )
        touch_ruleset(now=now)
        _record(snooze, actor, "fraud.rule_snoozed", reason, days=days)
    return snooze


def end_snooze(*, actor: User, snooze_id: uuid.UUID, reason: str, now: datetime) -> Snooze:
    """Let the rule speak again. Raises PermissionMissing, SnoozeNotFound, SnoozeOver."""
    identity.require(actor, "fraud_decide")
    with use_case():
        snooze = Snooze.objects.select_for_update(of=("self",)).filter(pk=snooze_id).first()
        if snooze is None:
            raise SnoozeNotFound
        if snooze.ended_at is not None or snooze.ends_at <= now:
            raise SnoozeOver
        _end(snooze, actor, now)
        touch_ruleset(now=now)
        _record(snooze, actor, "fraud.snooze_ended", reason)
    return snooze


def _end(snooze: Snooze, actor: User, now: datetime) -> None:
    snooze.ended_at, snooze.ended_by = now, actor
    snooze.save(update_fields=["ended_at", "ended_by"])


def _holder(who: str) -> tuple[SnoozeHolder, uuid.UUID, str]:
    if "@" in who:
        user = User.objects.filter(email__iexact=who).first()
        if user is None:
            raise Invalid("No customer has this e-mail.", field="who")
        return SnoozeHolder.CUSTOMER, user.public_id, user.get_full_name() or user.email
    try:
        holder_id = uuid.UUID(who)
    except ValueError as error:
        raise Invalid("Give the customer's e-mail, or the id of an account from a decision.", field="who") from error
    known = Decision.objects.filter(account_ref=holder_id).order_by("-at", "-pk").first()
    if known is not None:
        return SnoozeHolder.ACCOUNT, holder_id, f"Account {known.account_label or str(holder_id)[:8]}"
    customer = User.objects.filter(public_id=holder_id).first()
    if customer is None and not Decision.objects.filter(customer_id=holder_id).exists():
        raise Invalid("No payment of such a customer or account is known.", field="who")
    name = customer.get_full_name() if customer else f"Customer {str(holder_id)[:8]} of another system"
    return SnoozeHolder.CUSTOMER, holder_id, name


def _need_other(actor: User, holder: SnoozeHolder, holder_id: uuid.UUID) -> None:
    """Nobody makes a rule quiet for payments of their own."""
    mine = (
        Decision.objects.filter(account_ref=holder_id, customer_id=actor.public_id).exists()
        if holder == SnoozeHolder.ACCOUNT
        else holder_id == actor.public_id
    )
    if mine:
        raise OwnSnooze


def _record(snooze: Snooze, actor: User, action: str, reason: str, **data: object) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject_kind="fraud_snooze",
        subject_id=snooze.pk,
        reason=reason,
        data={"code": snooze.rule_code, "holder": snooze.holder, "holder_id": str(snooze.holder_id), **data},
    )
