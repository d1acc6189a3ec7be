"""The outbox, the messages people read, and the mailbox of an installation without SMTP."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from common.ids import new_id


class OutboxEvent(models.Model):
    """Something a person must hear of, written in the transaction in which it happened; relayed at least once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Never deleted, and found among owners and actors: a constraint would look for them again at each commit.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="+"
    )
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    relayed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(relayed_at=None),
                name="notifications_outbox_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Message(models.Model):
    """An in-app message; the unique event makes a second relay harmless."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.OneToOneField(OutboxEvent, on_delete=models.CASCADE, related_name="message")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    body = models.TextField()
    url = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    emailed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notifications_message_user"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notifications_message_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class MailboxMessage(models.Model):
    """An e-mail kept instead of sent, because no SMTP server is configured."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.EmailField(db_index=True)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    sent_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.subject} {self.pk}"
