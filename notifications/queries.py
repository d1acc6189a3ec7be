"""Reading messages and the sandbox mailbox."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from identity.models import User
from notifications.errors import MessageUnknown
from notifications.models import MailboxMessage, Message
from notifications.rules import kinds


def messages_for(*, actor: User) -> QuerySet[Message]:
    """The actor's messages, newest first."""
    return Message.objects.filter(user=actor).order_by("-created_at", "-pk")


def unread_count(*, actor: User) -> int:
    return Message.objects.filter(user=actor, read_at=None).count()


def icon_of(message: Message) -> str:
    """The icon of a message's kind."""
    entry = kinds.KINDS.get(message.kind)
    return entry.icon if entry else "bell"


def mailbox(*, recipient: str = "") -> QuerySet[MailboxMessage]:
    """Mail kept instead of sent, newest first; of one recipient when an address is given."""
    rows = MailboxMessage.objects.defer("text", "html").order_by("-sent_at", "-pk")
    return rows.filter(recipient__iexact=recipient.strip()) if recipient.strip() else rows


def mailbox_message(*, message_id: uuid.UUID) -> MailboxMessage:
    """One kept mail. Raises MessageUnknown (404)."""
    found = MailboxMessage.objects.filter(pk=message_id).first()
    if found is None:
        raise MessageUnknown
    return found
