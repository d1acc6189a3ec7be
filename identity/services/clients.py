"""API clients of integrators: a key id, a secret shown once, scopes, and a service user."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError

from common.db import use_case
from common.errors import NotFound
from identity import events
from identity.errors import ClientNameTaken, ScopeUnknown
from identity.models import ApiClient, User
from identity.services.authority import require

# 256 random bits: a plain SHA-256 protects them, there is nothing to guess.
SECRET_BYTES = 32
USED_GRAIN = timedelta(minutes=1)
_KEY_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """`key` is the whole `X-API-Key` value; it cannot be shown again."""

    client: ApiClient
    key: str


def create_api_client(
    *, actor: User | None, name: str, scopes: Collection[str], now: datetime, reason: str = ""
) -> IssuedKey:
    """Make a client with its service user. `actor` None is the operator at the command line.

    Raises PermissionMissing, ScopeUnknown (field scopes), ClientNameTaken (field name).
    """
    if actor is not None:
        require(actor, "user_manage")
    if not scopes or not set(scopes) <= set(ApiClient.Scope.values):
        raise ScopeUnknown(field="scopes")
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(SECRET_BYTES)
    try:
        with use_case():
            user = User.objects.create_user(f"client-{key_id}@clients.invalid", full_name=name)
            client = ApiClient.objects.create(
                name=name,
                key_id=key_id,
                secret_hash=_hash(secret),
                scopes=sorted(set(scopes)),
                user=user,
                created_at=now,
            )
            _tell(client, "identity.client_created", actor, reason)
    except IntegrityError as error:
        raise ClientNameTaken(field="name") from error
    return IssuedKey(client, f"{key_id}.{secret}")


def revoke_api_client(*, actor: User, client_id: uuid.UUID, reason: str) -> None:
    """Refuse a client's key from now on. Raises PermissionMissing, NotFound."""
    require(actor, "user_manage")
    with use_case():
        client = ApiClient.objects.select_for_update().filter(pk=client_id).first()
        if client is None:
            raise NotFound
        client.is_active = False
        client.save(update_fields=["is_active"])
        _tell(client, "identity.client_revoked", actor, reason)


def client_by_key(*, key: str, now: datetime) -> ApiClient | None:
    """The active client that holds this `X-API-Key`, or None; compares in constant time, found or not."""
    key_id, _, secret = key.partition(".")
    asked = ApiClient.objects.select_related("user").filter(key_id=key_id)
    client = asked.first() if _KEY_ID.fullmatch(key_id) else None
    known = hmac.compare_digest(_hash(secret), client.secret_hash if client else _NOBODY)
    if client is None or not known or not client.is_active or not client.user.is_active:
        return None
    if client.last_used_at is None or now - client.last_used_at > USED_GRAIN:
        ApiClient.objects.filter(pk=client.pk).update(last_used_at=now)
    return client


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _tell(client: ApiClient, action: str, actor: User | None, reason: str) -> None:
    events.emit(
        events.Event(
            action=action,
            user=None,
            actor=actor,
            subject_kind="api_client",
            subject_id=str(client.pk),
            reason=reason,
            data={"name": client.name, "key_id": client.key_id, "scopes": client.scopes},
        )
    )
