"""Fraud's tables: rules, decisions, cases and labels; the history behind the features; models."""

from fraud.models.anomalies import AnomalyModel, AnomalyScore
from fraud.models.credits import CreditReview, CreditScore
from fraud.models.deciding import (
    Case,
    CaseNote,
    CaseQuerySet,
    CaseStatus,
    Decision,
    Label,
    Rule,
    RuleAction,
    Ruleset,
    RuleState,
)
from fraud.models.desk import CaseCheck, CustomerAnswer, DeskConfig, Dossier
from fraud.models.gateway import CALLS_KEPT_DAYS, ApiCall, GatewayTransaction
from fraud.models.history import Activity, EntityReport
from fraud.models.lists import EntryState, ListEntry, Snooze, SnoozeHolder
from fraud.models.registry import (
    AlertBudgetConfig,
    FeaturesConfig,
    ModelComparison,
    ModelFile,
    ModelState,
    ModelVersion,
    ModelVersionConfig,
    ThresholdConfig,
)
from fraud.models.training import Training
from fraud.models.watching import (
    Backtest,
    BacktestKind,
    DriftPart,
    DriftReference,
    DriftReport,
    ShadowScore,
    SilentHit,
    SilentWhy,
)
from fraud.models.webhooks import DELIVERIES_KEPT_DAYS, Webhook, WebhookDelivery

__all__ = [
    "CALLS_KEPT_DAYS",
    "DELIVERIES_KEPT_DAYS",
    "Activity",
    "AlertBudgetConfig",
    "AnomalyModel",
    "AnomalyScore",
    "ApiCall",
    "Backtest",
    "BacktestKind",
    "Case",
    "CaseCheck",
    "CaseNote",
    "CaseQuerySet",
    "CaseStatus",
    "CreditReview",
    "CreditScore",
    "CustomerAnswer",
    "Decision",
    "DeskConfig",
    "Dossier",
    "DriftPart",
    "DriftReference",
    "DriftReport",
    "EntityReport",
    "EntryState",
    "FeaturesConfig",
    "GatewayTransaction",
    "Label",
    "ListEntry",
    "ModelComparison",
    "ModelFile",
    "ModelState",
    "ModelVersion",
    "ModelVersionConfig",
    "Rule",
    "RuleAction",
    "RuleState",
    "Ruleset",
    "ShadowScore",
    "SilentHit",
    "SilentWhy",
    "Snooze",
    "SnoozeHolder",
    "ThresholdConfig",
    "Training",
    "Webhook",
    "WebhookDelivery",
]
