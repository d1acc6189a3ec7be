"""Work that needs no answer in the request."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from fraud.services import anomalies, backtests, drifting, recalibrating, sampling, watching, webhooks

logger = logging.getLogger(__name__)

# A search over half a million decisions takes its time; no other task does.
TRAINING_SECONDS = 6 * 3600


@shared_task
def score_anomalies(**_: object) -> int:
    """Say for recent payments how unusual they look; safe to run twice."""
    return anomalies.score_recent(now=timezone.now())


@shared_task
def score_challengers(**_: object) -> int:
    """Let challengers say what they would have decided; safe to run twice."""
    return watching.score_challengers(now=timezone.now())


@shared_task
def recalibrate(**_: object) -> bool:
    """Move the thresholds towards the alert budget, once a week; False when nothing moved. Safe to run twice."""
    return recalibrating.recalibrate(now=timezone.now()) is not None


@shared_task
def report_drift(**_: object) -> bool:
    """Say once a day whether payments still look as they did; False while there is too little to compare."""
    return drifting.report_drift(now=timezone.now()) is not None


@shared_task
def run_backtests(**_: object) -> int:
    """Try on the past what waits for it; a finished one, and one that another worker is at, is left as it is."""
    waiting = backtests.waiting(now=timezone.now())
    for backtest_id in waiting:
        try:
            backtests.run_backtest(backtest_id=backtest_id, now=timezone.now())
        except Exception:  # one must not keep the others waiting; it is tried again when its worker counts as gone
            logger.exception("a backtest could not be run", extra={"backtest": str(backtest_id)})
    return len(waiting)


@shared_task
def draw_sample(**_: object) -> int:
    """Draw approved payments for review; safe to run twice."""
    return sampling.draw_sample(now=timezone.now())


@shared_task
def decide_again(**_: object) -> bool:
    """Ask for the last day to be decided again once after rules, lists, models or switches changed."""
    return backtests.ask_after_change(now=timezone.now()) is not None


@shared_task
def deliver_webhooks(**_: object) -> int:
    """Tell gateways what was decided; nudged after each decision, and safe to run twice."""
    return webhooks.deliver_due(now=timezone.now())


@shared_task(time_limit=TRAINING_SECONDS)
def run_trainings(**_: object) -> bool:
    """Train the challenger that somebody asked for; False when none waits, or another worker is at it."""
    # Here and not above: a process that never trains goes without the libraries that fit.
    from fraud.services import training  # noqa: PLC0415

    return training.run_waiting(now=timezone.now()) is not None
