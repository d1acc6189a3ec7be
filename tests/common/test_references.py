"""References that no constraint of the database looks after: what they name cannot go away."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from identity.models import User
from tests.conftest import owner_rights

pytestmark = pytest.mark.django_db
# BEFORE and DELETE in a trigger's type, as pg_trigger keeps it.
_BEFORE_DELETE = 2 | 8


def unlooked_after() -> set[str]:
    """Tables that a foreign key without a constraint refers to."""
    fields = [field for model in apps.get_models() for field in model._meta.concrete_fields]
    return {
        field.related_model._meta.db_table  # type: ignore[union-attr]
        for field in fields
        if isinstance(field, models.ForeignKey) and not field.db_constraint
    }


def test_whatever_is_referred_to_without_a_constraint_has_a_trigger_that_keeps_it() -> None:
    with connection.cursor() as cursor:
        # PostgreSQL's own triggers of foreign keys are none that keep anything.
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger"
            " WHERE tgtype & %s = %s AND NOT tgisinternal AND tgenabled <> 'D'",
            [_BEFORE_DELETE, _BEFORE_DELETE],
        )
        kept = {table for (table,) in cursor.fetchall()}
    assert {"identity_user", "accounts_account"} <= unlooked_after()
    assert unlooked_after() <= kept


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM identity_user", "UPDATE identity_user SET id = -id", "UPDATE identity_user SET public_id = %s"],
)
def test_a_user_stays_and_keeps_the_id_also_for_the_owner_of_the_tables(alice: User, statement: str) -> None:
    parameters: list[Any] = [uuid.uuid4()] if "%s" in statement else []
    for rights in (connection.cursor, owner_rights):
        with pytest.raises(DatabaseError), transaction.atomic(), rights() as cursor:
            cursor.execute(statement, parameters)
    assert User.objects.filter(pk=alice.pk, public_id=alice.public_id).exists()
