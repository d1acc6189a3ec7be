"""Writing services of identity: permissions asked of an actor."""

from __future__ import annotations

from identity.errors import EmailTaken, PermissionMissing, PinLocked, PinNotSet, WeakPin, WrongPin
from identity.models import User

__all__ = ["EmailTaken", "PermissionMissing", "PinLocked", "PinNotSet", "WeakPin", "WrongPin", "require"]


def require(actor: User, codename: str) -> None:
    """Raise PermissionMissing unless the actor is active and holds `identity.<codename>`."""
    if not actor.is_active or not actor.has_perm(f"identity.{codename}"):
        raise PermissionMissing(data={"permission": codename})
