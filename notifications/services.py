"""Telling people: an outbox row in the business transaction, relayed by Celery."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from common import nudges
from common.db import require_transaction
from common.rows import fresh, insert
from identity.models import User
from notifications.errors import MessageUnknown
from notifications.models import MailboxMessage, Message, OutboxEvent
from notifications.rules import kinds

__all__ = [
    "MessageUnknown",
    "event",
    "mark_all_read",
    "mark_read",
    "notify",
    "purge_mailbox",
    "purge_messages",
    "relay",
    "relay_due",
]

logger = logging.getLogger(__name__)


def notify(*, user_id: int, kind: str, data: Mapping[str, Any] | None = None) -> None:
    """Write an outbox row; after commit the relay is nudged. A lost nudge is caught by the sweep.

    Raises NoTransaction outside a transaction.
    """
    insert(event(user_id=user_id, kind=kind, data=data))


def notify_all(*, user_ids: Iterable[int], kind: str, data: Mapping[str, Any]) -> None:
    """`notify` the same to many people, in few statements. Raises NoTransaction outside a transaction."""
    rows = (event(user_id=user_id, kind=kind, data=data) for user_id in user_ids)
    while some := list(islice(rows, 1000)):
        OutboxEvent.objects.bulk_create(some)


def event(*, user_id: int, kind: str, data: Mapping[str, Any] | None = None) -> OutboxEvent:
    """The row that `notify` writes, for a caller that inserts it together with its own rows. Raises NoTransaction."""
    require_transaction()
    nudges.after_commit("notifications.tasks.relay_outbox")
    now = timezone.now()
    return fresh(OutboxEvent, user_id=user_id, kind=kind, data=dict(data or {}), created_at=now, next_attempt_at=now)


# --- The relay ---------------------------------------------------------------------------------------------

BATCH = 100
LONGEST_WAIT = timedelta(hours=1)


def relay_due(*, now: datetime, limit: int = BATCH) -> int:
    """Relay what is due, oldest first; returns how many events were tried. Two workers never take the same one."""
    due = OutboxEvent.objects.filter(relayed_at=None, next_attempt_at__lte=now).order_by("next_attempt_at", "pk")
    tried = list(due.values_list("pk", flat=True)[:limit])
    for event_id in tried:
        relay(event_id=event_id, now=now)
    return len(tried)


def relay(*, event_id: uuid.UUID, now: datetime) -> bool:
    """Write the message of one event and send its mail; at least once, and a second time changes nothing.

    A failure is counted and tried again later, ever more slowly; the event is never given up and holds up no other.
    """
    try:
        with transaction.atomic():
            event = (
                OutboxEvent.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("user")
                .filter(pk=event_id, relayed_at=None)
                .first()
            )
            if event is None:
                return False
            message = _write(event)
            if kinds.KINDS[event.kind].by_mail and message.emailed_at is None:
                _send(event, message)
                message.emailed_at = now
                message.save(update_fields=["emailed_at"])
            event.relayed_at = now
            event.save(update_fields=["relayed_at"])
    except Exception:  # a text, a template or the mail server may fail in any way; the event stays and is tried again
        logger.exception("event could not be relayed", extra={"event": str(event_id)})
        _postpone(event_id, now)
        return False
    return True


def _write(event: OutboxEvent) -> Message:
    title, body, url = kinds.write(event.kind, event.data)
    message, _ = Message.objects.get_or_create(
        event=event,
        defaults={
            "user": event.user,
            "kind": event.kind,
            "title": title,
            "body": body,
            "url": url,
            "created_at": event.created_at,
        },
    )
    return message


def _send(event: OutboxEvent, message: Message) -> None:
    context = {
        "SITE_NAME": settings.SITE_NAME,
        "SANDBOX": settings.SANDBOX,
        "title": message.title,
        "name": event.user.get_short_name() if event.user.full_name else "",
        "lines": [message.body],
        "url": settings.BASE_URL + message.url if message.url else "",
    }
    to = [event.user.email]
    if event.kind == "email_changed" and event.data.get("before"):
        # Whoever lost the address must hear of it there.
        to.append(str(event.data["before"]))
    for address in dict.fromkeys(to):
        mail = EmailMultiAlternatives(
            message.title,
            render_to_string("email/message.txt", context),
            settings.DEFAULT_FROM_EMAIL,
            [address],
            headers={"Message-ID": f"<{event.pk}.{to.index(address)}@bankportal.invalid>"},
        )
        mail.attach_alternative(render_to_string("email/message.html", context), "text/html")
        mail.send()


def _postpone(event_id: uuid.UUID, now: datetime) -> None:
    with transaction.atomic():
        event = OutboxEvent.objects.select_for_update().filter(pk=event_id, relayed_at=None).first()
        if event is not None:
            event.attempts = min(event.attempts + 1, 32_000)
            event.next_attempt_at = now + min(timedelta(seconds=5 * 2 ** min(event.attempts, 12)), LONGEST_WAIT)
            event.save(update_fields=["attempts", "next_attempt_at"])


# --- Reading -----------------------------------------------------------------------------------------------


def mark_read(*, actor: User, message_id: uuid.UUID, now: datetime) -> Message:
    """Mark one of the actor's messages as read. Raises MessageUnknown (404), also for somebody else's."""
    with transaction.atomic():
        message = Message.objects.select_for_update().filter(pk=message_id, user=actor).first()
        if message is None:
            raise MessageUnknown
        if message.read_at is None:
            message.read_at = now
            message.save(update_fields=["read_at"])
    return message


def mark_all_read(*, actor: User, now: datetime) -> int:
    """Mark all of the actor's messages as read; returns how many were new."""
    return Message.objects.filter(user=actor, read_at=None).update(read_at=now)


# --- What is forgotten -------------------------------------------------------------------------------------

MESSAGES_KEPT = timedelta(days=730)
MAILBOX_KEPT = timedelta(days=30)


def purge_messages(*, now: datetime) -> int:
    """Delete messages two years after they were told, with their outbox rows. Returns how many."""
    old = OutboxEvent.objects.filter(relayed_at__lt=now - MESSAGES_KEPT)
    return old.delete()[1].get(OutboxEvent._meta.label, 0)


def purge_mailbox(*, now: datetime) -> int:
    """Delete mail that was kept instead of sent after 30 days: it holds links and codes. Returns how many."""
    return MailboxMessage.objects.filter(sent_at__lt=now - MAILBOX_KEPT).delete()[0]
