"""What the runtime role may do to the ledger: read the tables and call the functions. Nothing else."""

from __future__ import annotations

from django.apps import apps
from django.db import connection
from psycopg2 import sql as compose

from ledger import sql


def tighten(runtime_role: str) -> None:
    """Take every right on ledger tables and functions from the role, then grant SELECT and EXECUTE.

    Does nothing when the role does not exist or is the one running this; `ledger.checks` warns about that.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [runtime_role])
        if cursor.fetchone()[0] == 0:
            return
        role = compose.Identifier(runtime_role)
        parents = {model._meta.db_table for model in apps.get_app_config("ledger").get_models()}
        cursor.execute(
            """
            SELECT t.relname FROM pg_class t
             WHERE t.relkind IN ('r', 'p') AND t.relnamespace = 'public'::regnamespace AND t.relname LIKE %s
            """,
            [r"ledger\_%"],
        )
        for (name,) in cursor.fetchall():
            table = compose.Identifier(name)
            cursor.execute(compose.SQL("REVOKE ALL ON {} FROM PUBLIC, {}").format(table, role))
            # Partitions are read through their parents; the default one also by itself, to see whether it is empty.
            if name in parents or name.endswith("_default"):
                cursor.execute(compose.SQL("GRANT SELECT ON {} TO {}").format(table, role))
        cursor.execute(
            """
            SELECT s.relname FROM pg_class s
             WHERE s.relkind = 'S' AND s.relnamespace = 'public'::regnamespace AND s.relname LIKE %s
            """,
            [r"ledger\_%"],
        )
        for (sequence,) in cursor.fetchall():
            cursor.execute(
                compose.SQL("REVOKE ALL ON SEQUENCE {} FROM PUBLIC, {}").format(compose.Identifier(sequence), role)
            )
        cursor.execute(
            """
            SELECT p.oid::regprocedure::text, p.proname FROM pg_proc p
             WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE %s
            """,
            [r"ledger\_%"],
        )
        callable_names = {f"ledger_{stem}" for stem in sql.ARITHMETIC + sql.PUBLIC}
        for signature, name in cursor.fetchall():
            # The signature comes from the catalogue, already quoted.
            function = compose.SQL(signature)
            cursor.execute(compose.SQL("REVOKE ALL ON ROUTINE {} FROM PUBLIC, {}").format(function, role))
            if name in callable_names:
                cursor.execute(compose.SQL("GRANT EXECUTE ON ROUTINE {} TO {}").format(function, role))
