"""What an actor may do."""

from __future__ import annotations

from identity.errors import PermissionMissing
from identity.models import User


def require(actor: User, codename: str) -> None:
    """Raise PermissionMissing unless the actor is active and holds `identity.<codename>`."""
    if not actor.is_active or not actor.has_perm(f"identity.{codename}"):
        raise PermissionMissing(data={"permission": codename})
