"""What the runtime role may do to fraud's evidence: read and append."""

from __future__ import annotations

from django.db import connection
from psycopg2 import sql

from fraud.models import (
    Activity,
    AnomalyScore,
    CaseNote,
    Decision,
    DriftReport,
    EntityReport,
    FeaturesConfig,
    Label,
    ModelFile,
    ModelVersionConfig,
    ShadowScore,
    SilentHit,
    ThresholdConfig,
)

_EVIDENCE = (Decision, Activity, Label, EntityReport, CaseNote, AnomalyScore, SilentHit)
_KEPT = (ModelFile, FeaturesConfig, ModelVersionConfig, ThresholdConfig, ShadowScore, DriftReport)


def tighten(role: str) -> None:
    """Take UPDATE, DELETE and TRUNCATE on what is evidence or kept as it was from the runtime role."""
    with connection.cursor() as cursor:
        for model in _EVIDENCE + _KEPT:
            cursor.execute(
                sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {} FROM {}").format(
                    sql.Identifier(model._meta.db_table), sql.Identifier(role)
                )
            )
