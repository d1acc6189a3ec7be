"""Whom members of staff are close to: declared by themselves, ended by somebody else."""

from __future__ import annotations

import uuid
from datetime import datetime

from common.db import use_case
from identity import events
from identity.errors import ConnectionKnown, ConnectionUnknown, OwnAccount, RelationUnknown, UserUnknown
from identity.models import Connection, User
from identity.services.authority import require


def declare_connection(*, actor: User, email: str, relation: str, reason: str, now: datetime) -> Connection:
    """Say that the actor, a member of staff, is close to the person with this address.

    Raises PermissionMissing (user_view), UserUnknown, RelationUnknown, ConnectionKnown; OwnAccount for oneself.
    """
    require(actor, "user_view")
    if relation not in Connection.Relation.values:
        raise RelationUnknown(field="relation")
    with use_case():
        # The lock makes two declarations of one person wait for each other.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        person = User.objects.filter(email__iexact=email.strip()).first()
        if person is None:
            raise UserUnknown("Nobody has this address.", field="email")
        if person.pk == actor.pk:
            raise OwnAccount("Nobody decides about themselves anyway. Name somebody else.", field="email")
        if actor.connections.filter(person=person, ended_at=None).exists():
            raise ConnectionKnown(field="email")
        made = Connection.objects.create(staff=actor, person=person, relation=relation, declared_at=now)
        data = {"person": str(person.public_id), "relation": relation}
        events.about(actor, "identity.connection_declared", actor=actor, reason=reason, data=data)
        return made


def end_connection(*, actor: User, connection_id: uuid.UUID, reason: str, now: datetime) -> Connection:
    """The two are no longer close. Nobody ends what they declared: it would only be a click before a decision.

    Raises PermissionMissing (user_manage), ConnectionUnknown, OwnAccount.
    """
    require(actor, "user_manage")
    with use_case():
        rows = Connection.objects.select_for_update(of=("self",)).select_related("staff", "person")
        found = rows.filter(pk=connection_id, ended_at=None).first()
        if found is None:
            raise ConnectionUnknown()
        if actor.pk in (found.staff_id, found.person_id):
            raise OwnAccount()
        found.ended_at = now
        found.save(update_fields=["ended_at"])
        data = {"person": str(found.person.public_id), "relation": found.relation}
        events.about(found.staff, "identity.connection_ended", actor=actor, reason=reason, data=data)
        return found
