"""Work that needs no answer in the request."""

from __future__ import annotations

import uuid

from celery import shared_task
from django.utils import timezone

from fraud.services import anomalies, watching


@shared_task
def score_anomalies(**_: object) -> int:
    """Say for recent payments how unusual they look; safe to run twice."""
    return anomalies.score_recent(now=timezone.now())


@shared_task
def score_challengers(**_: object) -> int:
    """Let challengers say what they would have decided; safe to run twice."""
    return watching.score_challengers(now=timezone.now())


@shared_task
def report_drift(**_: object) -> bool:
    """Say once a day whether payments still look as they did; False while there is too little to compare."""
    return watching.report_drift(now=timezone.now()) is not None


@shared_task
def run_backtest(*, backtest_id: str, **_: object) -> None:
    """Try a rule on the past; a finished one is left as it is."""
    watching.run_backtest(backtest_id=uuid.UUID(backtest_id), now=timezone.now())
