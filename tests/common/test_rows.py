"""Rows of hot queries are what the ORM would give."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.forms.models import model_to_dict

from audit.models import AuditEvent, IdempotencyRecord
from common.rows import Prepared, Rows, Together, insert
from fraud.models import Activity, Decision
from fraud.queries.history import Totals
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


def test_writes_what_the_orm_would_write_into_several_tables_at_once(alice: User, settings: Any) -> None:
    made = {}
    for prepared in (True, False):
        settings.DATABASE_PREPARE = prepared
        decision = _decision(alice)
        insert(decision, _step(decision, number=1 + prepared))
        made[prepared] = decision
    usual = _decision(alice)
    usual.save(force_insert=True)
    _step(usual, number=3).save(force_insert=True)

    for decision in made.values():
        kept = Decision.objects.get(pk=decision.pk)
        assert model_to_dict(kept) == model_to_dict(Decision.objects.get(pk=usual.pk))
    steps = [model_to_dict(step, exclude=["id", "decision", "number"]) for step in Activity.objects.all()]
    assert steps == [steps[0]] * 3


def _decision(alice: User) -> Decision:
    return Decision(
        subject_kind="rows",
        subject_id=alice.public_id,
        customer_id=alice.public_id,
        account_ref=alice.public_id,
        amount_minor=1,
        currency="EUR",
        at=alice.date_joined,
        transfer_type="INTERNAL",
        channel="API",
        beneficiary_label="100 % O'Neill\\",
        ip="2001:db8::1",
        outcome="APPROVED",
        score=0.25,
        reasons=[{"code": "X", "text": "O'Neill", "detail": ""}],
        features={"one": 0.1, "none": None, "yes": True},
        latency_ms=1.5,
    )


def _step(decision: Decision, *, number: int) -> Activity:
    totals = dict.fromkeys(Totals._fields, 0)
    return Activity(
        decision=decision,
        customer_id=decision.customer_id,
        number=number,
        at=decision.at,
        requested=True,
        account_ref=decision.account_ref,
        payee_key=-5,
        first_at=decision.at,
        payee_settled=0,
        **totals,
    )


def record_of(user: User, **facts: Any) -> IdempotencyRecord:
    moment = user.date_joined
    return IdempotencyRecord(
        **{
            "user": user,
            "key": "rows-key",
            "method": "POST",
            "path": "/x",
            "body_mac": "m",
            "status": 201,
            "body": b"\x00\xff'%s",
            "content_type": "text/plain",
            "created_at": moment,
            "expires_at": moment,
            **facts,
        }
    )


def event_of(user: User, **facts: Any) -> AuditEvent:
    filled = {"actor": user, "action": "rows.test", "subject_kind": "test", "subject_id": "1", "channel": "SYSTEM"}
    return AuditEvent(at=user.date_joined, **{**filled, **facts})


@pytest.mark.parametrize("prepared", [True, False])
def test_inserts_rows_of_several_tables_as_the_orm_does(alice: User, settings: Any, *, prepared: bool) -> None:
    settings.DATABASE_PREPARE = prepared
    data = {"list": [1, "%s", None], "text": "it's ü", "amount": 2**60}

    insert(record_of(alice), event_of(alice, data=data, ip="2001:DB8::1"), event_of(alice, data={}, reason="another"))

    kept = IdempotencyRecord.objects.get(user=alice)
    assert (bytes(kept.body), kept.status, kept.created_at) == (b"\x00\xff'%s", 201, alice.date_joined)
    first, second = AuditEvent.objects.filter(action="rows.test").order_by("reason")
    assert (first.data, first.ip, first.actor) == (data, "2001:db8::1", alice)
    assert (second.reason, second.ip) == ("another", None)
    # The database numbers them, and knows the transaction.
    assert first.pk != second.pk
    assert first.xid == second.xid


def test_inserts_all_rows_or_none(alice: User) -> None:
    insert(record_of(alice))

    with pytest.raises(IntegrityError, match="user_key_unique"), transaction.atomic():
        insert(event_of(alice), record_of(alice))

    assert not AuditEvent.objects.filter(action="rows.test").exists()


def test_an_inserted_row_can_be_saved_again(alice: User) -> None:
    record = record_of(alice)
    assert record._state.adding
    insert(record)

    record.status = 409
    record.save()

    assert IdempotencyRecord.objects.get(pk=record.pk).status == 409


PERSON = Rows(
    "SELECT {person}, person.id AS person_key FROM identity_user person WHERE person.email = %(email)s", person=User
)
GROUPS = Prepared("SELECT count(*) FROM identity_user_groups WHERE user_id = %(user)s")
SAME_NAME = Prepared("SELECT id, email FROM identity_user WHERE full_name = %(name)s ORDER BY id LIMIT 1")
BOTH = Together(
    person=(PERSON, {}),
    groups=(GROUPS, {"user": "person.person_key"}),
    named=(SAME_NAME, {"name": "%(called)s"}),
)


@pytest.mark.parametrize("prepared", [True, False])
def test_several_questions_go_together_and_build_on_each_other(alice: User, settings: Any, *, prepared: bool) -> None:
    settings.DATABASE_PREPARE = prepared

    found = BOTH.ask({"email": alice.email, "called": alice.full_name})

    assert found["person"] == (alice, alice.pk)
    assert found["groups"] == (alice.groups.count(),)
    assert found["named"] == SAME_NAME.first({"name": alice.full_name})


def test_a_question_that_finds_nothing_leaves_the_others_alone(alice: User) -> None:
    found = BOTH.ask({"email": "nobody@example.com", "called": alice.full_name})

    assert found["person"] is None
    assert found["groups"] == (0,)
    assert found["named"] == SAME_NAME.first({"name": alice.full_name})


def test_an_outer_join_that_finds_nothing_is_no_instance(alice: User) -> None:
    beside = Rows(
        "SELECT {person}, {client} FROM identity_user person LEFT JOIN identity_apiclient client ON false"
        " WHERE person.id = %(id)s",
        person=User,
        client=ApiClient,
    )
    assert beside.first({"id": alice.pk}) == (alice, None)
