from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from audit import services
from audit.models import AuditEvent, IdempotencyRecord
from common.db import NoTransaction
from identity.models import User


@pytest.fixture
def event(alice: User) -> AuditEvent:
    with transaction.atomic():
        services.record(actor=alice, action="test.done", subject_kind="thing", subject_id=1, reason="because")
    return AuditEvent.objects.get(action="test.done")


CHANGES = [
    "UPDATE audit_auditevent SET reason = 'other'",
    "DELETE FROM audit_auditevent",
    "TRUNCATE audit_auditevent CASCADE",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_runtime_role_cannot_change_the_trail(event: AuditEvent, statement: str) -> None:
    with pytest.raises(Error, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    event.refresh_from_db()
    assert event.reason == "because"


@pytest.mark.parametrize("statement", CHANGES)
def test_triggers_stop_even_the_owner(event: AuditEvent, as_owner: Any, statement: str) -> None:
    with as_owner() as cursor:
        # The foreign key's own check waits for the commit and would refuse to truncate before the trigger does.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(Error, match="pgtrigger"), transaction.atomic():
            cursor.execute(statement)
    event.refresh_from_db()
    assert event.reason == "because"


@pytest.mark.django_db(transaction=True)
def test_an_event_needs_the_transaction_of_what_it_tells_about(alice: User) -> None:
    with pytest.raises(NoTransaction):
        services.record(actor=alice, action="test.done", subject_kind="thing", subject_id=1)


def test_expired_answers_are_forgotten(alice: User) -> None:
    now = timezone.now()
    for number, expires in enumerate((now - timedelta(seconds=1), now + timedelta(hours=1))):
        IdempotencyRecord.objects.create(
            user=alice, key=f"key-{number}", method="POST", path="/", body_mac="", status=201, body=b"",
            content_type="", created_at=now, expires_at=expires,
        )  # fmt: skip
    assert services.purge_idempotency_records(now=now) == 1
    assert IdempotencyRecord.objects.get().key == "key-1"
