"""The Celery application. Every task takes keyword ids, is safe to run twice, and calls one service."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bankportal.settings")

app = Celery("bankportal")
app.conf.update(
    broker_url=os.environ.get("CELERY_BROKER_URL"),
    broker_connection_retry_on_startup=True,
    # Publishing happens after commit inside a request: give up quickly, the sweep finds what was missed.
    broker_transport_options={"socket_timeout": 2, "socket_connect_timeout": 1, "visibility_timeout": 600},
    broker_connection_timeout=1,
    # Once more, at once: RabbitMQ's connections do not come back by themselves after the broker was restarted.
    task_publish_retry=True,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0},
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_time_limit=600,
    timezone="UTC",
    beat_schedule={
        "relay-outbox": {"task": "notifications.tasks.relay_outbox", "schedule": 5.0},
        "seal-audit-trail": {"task": "audit.tasks.seal_trail", "schedule": 60.0},
        "expire-holds": {"task": "payments.tasks.expire_held_payments", "schedule": 60.0},
        "pay-bulk-files": {"task": "payments.tasks.pay_bulk_files", "schedule": 15.0},
        "run-standing-orders": {"task": "payments.tasks.run_standing_orders", "schedule": 60.0},
        "expire-applications": {
            "task": "kyc.tasks.expire_applications",
            "schedule": crontab(hour=1, minute=10),
        },
        "sweep-documents": {"task": "kyc.tasks.sweep_files", "schedule": 3600.0},
        "issue-statements": {"task": "accounts.tasks.issue_statements", "schedule": 300.0},
        "sweep-statement-files": {"task": "accounts.tasks.sweep_statement_files", "schedule": 3600.0},
        "score-credits": {"task": "payments.tasks.score_credits", "schedule": 60.0},
        # What was held arrives up to three days after it was asked for.
        "score-late-credits": {"task": "payments.tasks.score_credits", "schedule": 3600.0, "kwargs": {"hours": 96}},
        "score-anomalies": {"task": "fraud.tasks.score_anomalies", "schedule": 60.0},
        "score-challengers": {"task": "fraud.tasks.score_challengers", "schedule": 60.0},
        "decide-again": {"task": "fraud.tasks.decide_again", "schedule": 30.0},
        "run-backtests": {"task": "fraud.tasks.run_backtests", "schedule": 15.0},
        "run-trainings": {"task": "fraud.tasks.run_trainings", "schedule": 60.0},
        "deliver-webhooks": {"task": "fraud.tasks.deliver_webhooks", "schedule": 15.0},
        "draw-sample": {"task": "fraud.tasks.draw_sample", "schedule": 900.0},
        "recalibrate-fraud": {
            "task": "fraud.tasks.recalibrate",
            "schedule": crontab(hour=3, minute=40, day_of_week="monday"),
        },
        "report-drift": {"task": "fraud.tasks.report_drift", "schedule": 3600.0},
        "make-ledger-months": {"task": "ledger.tasks.make_months", "schedule": crontab(hour=0, minute=20)},
        "seal-entries": {"task": "ledger.tasks.seal_entries", "schedule": 30.0},
        "take-daily-balances": {"task": "ledger.tasks.take_daily_balances", "schedule": 3600.0},
        # Every hour: a run that stopped goes on, one that is finished is left alone.
        "end-of-day": {"task": "bankportal.tasks.end_of_day", "schedule": crontab(minute=10)},
        "retention": {"task": "bankportal.tasks.retention", "schedule": 3600.0},
        "snapshot-internal-accounts": {"task": "ledger.tasks.snapshot_internal_accounts", "schedule": 900.0},
    },
)
app.autodiscover_tasks()
