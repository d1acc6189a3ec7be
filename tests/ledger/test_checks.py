"""The system check speaks up when the portal's role could go around the guards."""

from __future__ import annotations

import pytest

from ledger import checks

pytestmark = pytest.mark.django_db


def test_is_content_with_a_confined_role():
    assert checks.runtime_role_problem() is None
    assert checks.runtime_role_is_confined(databases=["default"]) == []


def test_says_that_the_role_is_missing(settings):
    settings.DATABASE_RUNTIME_ROLE = "nobody_here"
    assert "no role" in checks.runtime_role_problem()
    assert [warning.id for warning in checks.runtime_role_is_confined(databases=["default"])] == ["ledger.W001"]


def test_says_that_the_role_owns_the_tables(settings, as_owner):
    with as_owner() as cursor:
        cursor.execute("SELECT current_user")
        settings.DATABASE_RUNTIME_ROLE = cursor.fetchone()[0]
    assert "owns the ledger's tables" in checks.runtime_role_problem()


def test_says_that_the_role_may_write(as_owner, settings):
    with as_owner() as cursor:
        cursor.execute(f'GRANT INSERT ON ledger_entry TO "{settings.DATABASE_RUNTIME_ROLE}"')
    assert "may write ledger tables" in checks.runtime_role_problem()
