"""What an actor may do."""

from __future__ import annotations

from identity.errors import PermissionMissing
from identity.models import User


def require(actor: User, codename: str) -> None:
    """Raise PermissionMissing unless the actor is active and holds `identity.<codename>`, by role or by this request's key."""
    held = actor.has_perm(f"identity.{codename}") or codename in actor.key_permissions
    if not actor.is_active or not held:
        raise PermissionMissing(data={"permission": codename})
