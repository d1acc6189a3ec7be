"""What the database runs is what the files say."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from ledger import sql

pytestmark = pytest.mark.django_db


def functions_in_database() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT proname, prosrc FROM pg_proc
             WHERE pronamespace = 'public'::regnamespace AND proname LIKE %s
            """,
            [r"ledger\_%"],
        )
        return dict(cursor.fetchall())


def test_every_function_of_the_database_has_its_file_and_the_other_way_round():
    files = {path.stem for path in sql.FOLDER.glob("*.sql")} - {*sql.GUARDS}
    assert files == {*sql.ARITHMETIC, *sql.INTERNAL, *sql.PUBLIC}
    assert set(functions_in_database()) == {f"ledger_{stem}" for stem in files}


@pytest.mark.parametrize("stem", [*sql.ARITHMETIC, *sql.INTERNAL, *sql.PUBLIC])
def test_the_database_has_the_text_of_the_file(stem):
    body = re.search(r"\$\$(.*)\$\$", sql.text(stem), re.DOTALL)
    assert functions_in_database()[f"ledger_{stem}"] == body.group(1)


@pytest.mark.parametrize("stem", sql.PUBLIC)
def test_what_the_portal_calls_has_a_fixed_search_path(stem):
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosecdef, proconfig FROM pg_proc WHERE proname = %s", [f"ledger_{stem}"])
        definer, config = cursor.fetchone()
    assert "search_path=pg_catalog, public, pg_temp" in config
    assert definer == (stem not in ("posting_at", "seq_at", "balance_at", "booked_on", "valued_on", "seal_rows")), (
        "reading needs no more than the caller's rights"
    )


def test_every_table_has_its_triggers_enabled():
    wanted = {
        name for stem in sql.GUARDS for name in re.findall(r"TRIGGER (ledger_\w+) (?:BEFORE|AFTER)", sql.text(stem))
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O' AND tgname LIKE %s",
            [r"ledger\_%"],
        )
        assert {row[0] for row in cursor.fetchall()} == wanted
    assert len(wanted) == 17


def test_nobody_but_the_owner_and_the_portal_may_call_anything():
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT proname FROM pg_proc p
             WHERE proname LIKE %s AND (p.proacl IS NULL OR EXISTS (
               SELECT FROM aclexplode(p.proacl) acl WHERE acl.grantee = 0))
            """,
            [r"ledger\_%"],
        )
        assert cursor.fetchall() == []
