"""The mail backend of an installation without SMTP: messages are kept in the database."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from notifications.models import MailboxMessage


class MailboxBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store one row per recipient; returns the number of messages."""
        now = timezone.now()
        MailboxMessage.objects.bulk_create(
            MailboxMessage(
                recipient=recipient,
                subject=str(message.subject),
                text=str(message.body),
                html=next(
                    (str(body) for body, kind in getattr(message, "alternatives", []) if kind == "text/html"),
                    "",
                ),
                sent_at=now,
            )
            for message in email_messages
            for recipient in message.recipients()
        )
        return len(email_messages)
