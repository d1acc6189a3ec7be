"""What the runtime role may do to the trail: read and append."""

from __future__ import annotations

from django.db import connection
from psycopg2 import sql

from audit.models import AuditEvent, Seal


def tighten(role: str) -> None:
    """Take UPDATE, DELETE and TRUNCATE on the trail and its seals from the runtime role."""
    with connection.cursor() as cursor:
        for model in (AuditEvent, Seal):
            cursor.execute(
                sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {} FROM {}").format(
                    sql.Identifier(model._meta.db_table), sql.Identifier(role)
                )
            )
