"""What the API classes of payments share."""

from __future__ import annotations

from rest_framework.request import Request

from identity.models import User


def caller(request: Request) -> User:
    """The authenticated user; the default permission lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user
