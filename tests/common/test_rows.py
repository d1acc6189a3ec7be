"""Rows of hot queries are what the ORM would give."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict

from common.rows import Prepared, Rows
from identity.models import ApiClient, User

pytestmark = pytest.mark.django_db

CLIENTS = Rows(
    "SELECT {client}, {person} FROM identity_apiclient client JOIN identity_user person ON person.id = client.user_id"
    " WHERE client.name LIKE %(name)s ORDER BY client.name",
    client=ApiClient,
    person=User,
)


def test_gives_whole_instances_with_decoded_columns(alice: User) -> None:
    made = ApiClient.objects.create(
        name="Rows 1",
        key_id="rows-1",
        secret_hash="x" * 64,
        scopes=["deposits:write"],
        user=alice,
        created_at=alice.date_joined,
    )

    [(client, person)] = CLIENTS.all({"name": "Rows %"})

    kept = ApiClient.objects.get(pk=made.pk)
    assert model_to_dict(client) == model_to_dict(kept)
    assert (client.scopes, client.created_at) == (["deposits:write"], kept.created_at)
    assert (person, person.public_id, person.email) == (alice, alice.public_id, alice.email)
    assert not client._state.adding
    assert client.get_deferred_fields() == set()


def test_gives_nothing_where_nothing_is(alice: User) -> None:
    assert CLIENTS.first({"name": "nobody"}) is None


def test_says_the_same_without_prepared_statements(alice: User, settings: Any) -> None:
    question = Prepared(
        "SELECT id, email FROM identity_user WHERE email = %(email)s OR id = %(id)s OR email = %(email)s"
    )
    facts = {"id": alice.pk, "email": "nobody@example.com"}

    prepared = question.all(facts)
    settings.DATABASE_PREPARE = False

    assert prepared == question.all(facts) == [(alice.pk, alice.email)]


def test_is_planned_once_by_each_connection(alice: User) -> None:
    question = Prepared("SELECT id FROM identity_user WHERE email = %(email)s")
    for _ in range(3):
        assert question.first({"email": alice.email}) == (alice.pk,)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name = %s", [question._name])
        assert cursor.fetchone() == (1,)


def test_a_new_connection_plans_anew(transactional_db: None) -> None:
    question = Prepared("SELECT count(*) FROM identity_user WHERE email = %(email)s")
    assert question.first({"email": "nobody@example.com"}) == (0,)
    connection.close()

    assert question.first({"email": "nobody@example.com"}) == (0,)
