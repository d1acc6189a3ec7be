"""What the runtime role may do to fraud's evidence: read and append; and to the log of calls: forget old ones too."""

from __future__ import annotations

from django.db import connection
from psycopg2 import sql

from fraud.models import (
    Activity,
    AlertBudgetConfig,
    AnomalyScore,
    ApiCall,
    CaseCheck,
    CaseNote,
    CreditReview,
    CreditScore,
    CustomerAnswer,
    Decision,
    DeskConfig,
    DriftReference,
    DriftReport,
    EntityReport,
    FeaturesConfig,
    GatewayTransaction,
    Label,
    ModelComparison,
    ModelFile,
    ModelVersionConfig,
    ShadowScore,
    SilentHit,
    ThresholdConfig,
    Webhook,
    WebhookDelivery,
)

_EVIDENCE = (
    Decision,
    Activity,
    Label,
    EntityReport,
    GatewayTransaction,
    CaseNote,
    CaseCheck,
    CreditReview,
    CreditScore,
    CustomerAnswer,
    AnomalyScore,
    SilentHit,
)
_KEPT = (
    ModelFile,
    ModelComparison,
    AlertBudgetConfig,
    FeaturesConfig,
    ModelVersionConfig,
    ThresholdConfig,
    DeskConfig,
    ShadowScore,
    DriftReference,
    DriftReport,
)


# A trigger lets only old rows go.
_TRIMMED = (ApiCall,)
# Triggers let only what comes of them change.
_LASTING = (Webhook,)
# Both: what comes of it changes, and old rows go.
_SENT = (WebhookDelivery,)


def tighten(role: str) -> None:
    """Take UPDATE, DELETE and TRUNCATE on what is evidence or kept as it was from the runtime role."""
    for models, rights in (
        (_EVIDENCE + _KEPT, "UPDATE, DELETE"),
        (_TRIMMED, "UPDATE"),
        (_LASTING, "DELETE"),
        (_SENT, "TRUNCATE"),
    ):
        for model in models:
            _revoke(role, model._meta.db_table, rights)


def _revoke(role: str, table: str, rights: str) -> None:
    statement = sql.SQL("REVOKE {}, TRUNCATE, REFERENCES, TRIGGER ON {} FROM {}")
    with connection.cursor() as cursor:
        cursor.execute(statement.format(sql.SQL(rights), sql.Identifier(table), sql.Identifier(role)))
