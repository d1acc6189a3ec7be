from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from notifications.models import Message


def unread(request: HttpRequest) -> dict[str, object]:
    """`unread_notifications`: counted only when a template asks for it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"unread_notifications": 0}
    return {"unread_notifications": SimpleLazyObject(lambda: Message.objects.filter(user=user, read_at=None).count())}
