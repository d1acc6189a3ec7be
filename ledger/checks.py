"""System checks: does the database protect the ledger from the role that the portal runs as?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connection

from ledger import queries


def register() -> None:
    """Called when the apps are ready; the check runs with the database tag (`migrate`, `check --database default`)."""
    checks.register(runtime_role_is_confined, checks.Tags.database)
    checks.register(months_are_made, checks.Tags.database)


def runtime_role_is_confined(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Warn when the portal's role owns the ledger or does not exist: the grants then protect nothing."""
    if not databases:
        return []
    problem = runtime_role_problem()
    if problem is None:
        return []
    return [
        checks.Warning(
            problem,
            hint="Create the role named by DATABASE_RUNTIME_ROLE without superuser rights, let the portal log in "
            "as it, and run migrations as another role.",
            id="ledger.W001",
        )
    ]


def months_are_made(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Warn when entries had to be kept in the default partition: the task that makes months did not run in time."""
    if not databases or not months_exist() or not queries.has_entries_outside_months():
        return []
    return [
        checks.Warning(
            "The ledger's default partition holds entries. They are safe, but slower to find.",
            hint="See that the task ledger.tasks.make_months runs; call ledger.services.make_months before importing history.",
            id="ledger.W002",
        )
    ]


def months_exist() -> bool:
    """Whether the tables are there and divided; before the first migrate they are not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.ledger_posting_default') IS NOT NULL")
        return bool(cursor.fetchone()[0])


def runtime_role_problem() -> str | None:
    """One sentence when the ledger's tables are not protected from the runtime role; None when they are."""
    role = settings.DATABASE_RUNTIME_ROLE
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.rolsuper, pg_get_userbyid(c.relowner) = r.rolname,
                   has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
              FROM pg_roles r LEFT JOIN pg_class c ON c.oid = to_regclass('public.ledger_entry')
             WHERE r.rolname = %s
            """,
            [role],
        )
        row = cursor.fetchone()
    if row is None:
        return f"The database has no role {role!r}, so nothing confines what the portal may do to the ledger."
    superuser, owner, may_write = row
    if superuser or owner:
        return f"The role {role!r} owns the ledger's tables or is a superuser, so grants do not confine it."
    if may_write:
        return f"The role {role!r} may write ledger tables directly; run migrate as their owner."
    return None
