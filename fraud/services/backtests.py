"""What something would have decided about stored payments, before it decides about real ones. Runs in Celery."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from time import monotonic

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from kombu.exceptions import OperationalError as BrokerError

from audit import services as audit
from common.db import require_transaction, use_case, use_case_or_part
from common.errors import Invalid
from fraud.errors import InvalidCondition, RuleNotFound
from fraud.models import Backtest, BacktestKind, Decision, Label, Rule, RuleAction, Ruleset
from fraud.queries.lists import Quieted
from fraud.queries.lists import quieted as quieted_by
from fraud.rules import conditions
from fraud.rules.again import Comparison
from fraud.rules.backtesting import Seen, Tally
from fraud.rules.deciding import Thresholds
from fraud.rules.features import SCHEMA_HASH
from fraud.rules.lists import Told, keys_of, standing
from fraud.services import again
from fraud.services.again import ModelGone
from identity import services as identity
from identity.models import User

logger = logging.getLogger(__name__)

LONGEST = timedelta(days=400)
CHUNK = 2000
LAST_DAY = timedelta(days=1)
# Somebody who changes one thing often changes another one right after.
SETTLED_AFTER = timedelta(minutes=1)
TOLD = ("account_ref", "at", "beneficiary_ref", "device", "ip", "country")
# A worker that has not written for so long is gone, and another may begin anew.
GONE_AFTER = timedelta(minutes=2)


def request_backtest(*, actor: User, rule_id: uuid.UUID, from_at: datetime, to_at: datetime, now: datetime) -> Backtest:
    """Ask for a rule, as it stands now, to be tried on stored decisions; `run_backtest` does it.

    Raises PermissionMissing, RuleNotFound, InvalidCondition and Invalid for a period that is empty or too long.
    """
    identity.require(actor, "fraud_edit_rules")
    with use_case_or_part():
        rule = Rule.objects.filter(pk=rule_id).first()
        if rule is None:
            raise RuleNotFound
        asked = ask(rule=rule, actor=actor, from_at=from_at, to_at=to_at, now=now)
        audit.record(
            actor=actor,
            action="fraud.backtest_requested",
            subject_kind="fraud_rule",
            subject_id=rule.pk,
            data={"code": rule.code, "version": rule.version, "from": from_at.isoformat(), "to": to_at.isoformat()},
        )
    return asked


def ask(*, rule: Rule, actor: User, from_at: datetime, to_at: datetime, now: datetime) -> Backtest:
    """Write down what is to be tried; a worker is told after the commit. Raises as `request_backtest`, NoTransaction."""
    require_transaction()
    _need_period(from_at, to_at)
    conditions.parse(rule.condition, currency=settings.BASE_CURRENCY)
    asked = Backtest.objects.create(
        kind=BacktestKind.RULE,
        rule=rule,
        condition=rule.condition,
        from_at=from_at,
        to_at=to_at,
        requested_by=actor,
        requested_at=now,
    )
    transaction.on_commit(nudge, robust=True)
    return asked


def request_threshold_backtest(
    *, actor: User, flag_at: float, block_at: float, from_at: datetime, to_at: datetime, now: datetime
) -> Backtest:
    """Ask for other thresholds to be tried on stored decisions, with the scores of the models that decided then.

    Raises PermissionMissing and Invalid at its field.
    """
    identity.require(actor, "fraud_edit_rules")
    if not 0.0 < flag_at < block_at <= 1.0:
        raise Invalid("Flag from a score above 0, and block from a higher one up to 1.", field="flag_at")
    _need_period(from_at, to_at)
    with use_case():
        asked = Backtest.objects.create(
            kind=BacktestKind.THRESHOLDS,
            flag_at=flag_at,
            block_at=block_at,
            from_at=from_at,
            to_at=to_at,
            requested_by=actor,
            requested_at=now,
        )
        transaction.on_commit(nudge, robust=True)
        audit.record(
            actor=actor,
            action="fraud.thresholds_tried",
            subject_kind="fraud_backtest",
            subject_id=asked.pk,
            data={"flag_at": flag_at, "block_at": block_at, "from": from_at.isoformat(), "to": to_at.isoformat()},
        )
    return asked


def ask_after_change(*, now: datetime) -> Backtest | None:
    """Let the engine as it is now decide the last day again, once for each state it settles in; None: nothing to do.

    Rules, lists, snoozes, models and switches all change one token. Several changes in a row are waited for.
    """
    with use_case():
        ruleset = Ruleset.objects.select_for_update().filter(pk=1).first()
        if ruleset is None or ruleset.changed_at > now - SETTLED_AFTER:
            return None
        latest = Backtest.objects.filter(kind=BacktestKind.ENGINE).order_by("-requested_at", "-pk").first()
        if latest is not None and (latest.finished_at is None or latest.ruleset_token == ruleset.token):
            return None
        transaction.on_commit(nudge, robust=True)
        return Backtest.objects.create(
            kind=BacktestKind.ENGINE,
            ruleset_token=ruleset.token,
            from_at=now - LAST_DAY,
            to_at=now,
            requested_at=now,
        )


def was_tried(rule: Rule) -> bool:
    """Whether a backtest of this very condition has a result."""
    done = Backtest.objects.filter(rule=rule, condition=rule.condition, finished_at__isnull=False, error="")
    return done.exists()


def waiting(*, now: datetime) -> list[uuid.UUID]:
    """What nobody works on, the longest waiting first."""
    free = Q(alive_at__isnull=True) | Q(alive_at__lt=now - GONE_AFTER)
    found = Backtest.objects.filter(free, finished_at__isnull=True).order_by("requested_at", "pk")
    return list(found.values_list("pk", flat=True))


def run_backtest(*, backtest_id: uuid.UUID, now: datetime) -> Backtest:
    """Try it on every decision of the period, showing progress.

    A finished one, and one that another worker is at, is left as it is. What cannot be tried ends with its error.
    """
    free = Q(alive_at__isnull=True) | Q(alive_at__lt=now - GONE_AFTER)
    mine = Backtest.objects.filter(free, pk=backtest_id, finished_at__isnull=True).update(alive_at=now)
    asked = Backtest.objects.select_related("rule").get(pk=backtest_id)
    if not mine:
        return asked
    asked.decisions_total = _decisions(asked).count()
    try:
        result, asked.decisions_done = _tried(asked, now)
    except (InvalidCondition, ModelGone) as error:
        asked.error = error.text[:200]
    else:
        asked.result = result
    asked.finished_at = now
    asked.save(update_fields=["decisions_total", "decisions_done", "result", "error", "finished_at"])
    return asked


def _tried(asked: Backtest, now: datetime) -> tuple[dict[str, object], int]:
    tally: Tally | Comparison = Tally() if asked.kind == BacktestKind.RULE else Comparison()
    started = monotonic()
    for _ in _steps(asked, tally):
        if tally.decisions % CHUNK == 0:
            _tell(asked, tally.decisions, now + timedelta(seconds=monotonic() - started))
    return tally.report(), tally.decisions


def _steps(asked: Backtest, tally: Tally | Comparison) -> Iterator[None]:
    """Count one decision after the other."""
    if isinstance(tally, Tally):
        node = conditions.parse(asked.condition, currency=settings.BASE_CURRENCY)
        for seen in _seen(asked):
            tally.add(node, seen)
            yield
        return
    if asked.flag_at is not None and asked.block_at is not None:
        found = again.with_thresholds(_decisions(asked), Thresholds(asked.flag_at, asked.block_at))
    else:
        found = again.with_engine(_decisions(asked), at=asked.to_at)
    for each in found:
        tally.add(each)
        yield


def _tell(asked: Backtest, done: int, moment: datetime) -> None:
    Backtest.objects.filter(pk=asked.pk).update(
        decisions_total=asked.decisions_total, decisions_done=done, alive_at=moment
    )


def _decisions(asked: Backtest) -> QuerySet[Decision]:
    return Decision.objects.filter(at__gte=asked.from_at, at__lt=asked.to_at, schema_hash=SCHEMA_HASH)


def _seen(asked: Backtest) -> Iterator[Seen]:
    quieted = _quieted(asked)
    label = Label.objects.filter(decision=OuterRef("pk")).values("is_fraud")[:1]
    rows = _decisions(asked).annotate(known=Subquery(label)).order_by("at", "pk")
    for features, customer_id, amount, reasons, known, *told in rows.values_list(
        "features", "customer_id", "amount_base_minor", "reasons", "known", *TOLD
    ).iterator(chunk_size=CHUNK):
        codes = tuple(str(reason["code"]) for reason in reasons)
        quiet = bool(quieted) and _was_quiet(quieted, customer_id, *told)
        yield Seen(features, customer_id, amount, codes, known, quiet)


def _quieted(asked: Backtest) -> Quieted:
    rule = asked.rule
    if rule is None or rule.action == RuleAction.BLOCK:
        return Quieted((), (), ())
    return quieted_by(rule.code, from_at=asked.from_at, to_at=asked.to_at)


def _was_quiet(
    quieted: Quieted,
    customer_id: uuid.UUID,
    account_ref: uuid.UUID,
    at: datetime,
    payee: str,
    device: str,
    ip: str | None,
    country: str,
) -> bool:
    said = standing(
        entries=quieted.entries,
        snoozes=quieted.snoozes,
        keys=keys_of(Told(payee, device, ip or "", country), quieted.shapes),
        holders=(customer_id, account_ref),
        at=at,
    )
    return bool(said.silenced)


def _need_period(from_at: datetime, to_at: datetime) -> None:
    if not from_at < to_at or to_at - from_at > LONGEST:
        raise Invalid(f"Choose a period of at most {LONGEST.days} days that ends after it begins.", field="to_at")


def nudge() -> None:
    """Tell a worker that something waits; a lost word is made good by the clock."""
    try:
        current_app.send_task("fraud.tasks.run_backtests", ignore_result=True)
    except (BrokerError, OSError):
        logger.warning("broker does not answer; the next tick tries rules on the past")
