"""Reference data and database grants, brought up to date after every migrate."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string
from psycopg2 import sql

# Lowest first: later ones may build on earlier ones.
STEPS = [
    "identity.reference.ensure",
    "ledger.reference.ensure",
    "accounts.reference.ensure",
    "payments.reference.ensure",
    "fraud.reference.ensure",
    "loans.reference.ensure",
]
TIGHTEN = ["ledger.grants.tighten", "audit.grants.tighten", "fraud.grants.tighten"]


def after_migrate(sender: Any, using: str = "default", **kwargs: Any) -> None:
    """Write reference data and grants once the schema is complete; a partial or backward migrate is left alone."""
    if kwargs.get("plan") and any(backwards for _, backwards in kwargs["plan"]):
        return
    tables = set(connection.introspection.table_names())
    if any(model._meta.db_table not in tables for model in apps.get_models() if model._meta.managed):
        return
    with transaction.atomic():
        for path in STEPS:
            import_string(path)()
        grant_runtime_role(settings.DATABASE_RUNTIME_ROLE)


def grant_runtime_role(role: str) -> None:
    """Let the runtime role read and write the tables, then take back what ledger and audit do not allow."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user <> %s AND EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role, role])
        if not cursor.fetchone()[0]:
            return
        name = sql.Identifier(role)
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
            "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}",
        ):
            cursor.execute(sql.SQL(statement).format(name))
    for path in TIGHTEN:
        import_string(path)(role)
