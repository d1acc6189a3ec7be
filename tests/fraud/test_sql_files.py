"""What the database runs is what the files say."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from fraud import sql

pytestmark = pytest.mark.django_db


def test_the_database_has_the_text_of_every_file_with_a_fixed_search_path() -> None:
    files = {
        f"fraud_{path.stem}": re.search(r"\$\$(.*)\$\$", sql.text(path.stem), re.DOTALL)
        for path in sql.FOLDER.glob("*.sql")
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, prosrc, prosecdef, proconfig FROM pg_proc WHERE proname = ANY(%s)", [list(files)]
        )
        found = {name: (text, definer, config) for name, text, definer, config in cursor.fetchall()}
    path = ["search_path=pg_catalog, public, pg_temp"]
    assert found == {name: (body and body.group(1), False, path) for name, body in files.items()}
