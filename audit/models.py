"""The append-only trail, its seals, and the records that make a repeated request safe."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

from common.ids import new_id


def _append_only() -> list[pgtrigger.Trigger]:
    """Grants stop the runtime role; triggers stop the owner's slip of the hand as well."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'pgtrigger: Cannot truncate rows from % table', TG_TABLE_NAME;",
        ),
    ]


class CurrentXid(models.Func):
    """The id of the running transaction, 64 bits wide, as PostgreSQL writes it."""

    function = "pg_current_xact_id"
    template = "%(function)s()::text"
    arity = 0
    output_field = models.TextField()


class AuditEvent(models.Model):
    """Somebody decided, changed or looked at something. Rows are never changed or deleted."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
        # A user is never deleted and keeps the id: looking for each actor at each commit would prove nothing.
        db_constraint=False,
        related_name="+",
        help_text="Empty: the system.",
    )
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    reason = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    ip = models.GenericIPAddressField(null=True)
    channel = models.CharField(max_length=10)
    # Ids and clocks run ahead of commits. By the transaction a seal can tell which events nobody will add to any more.
    xid = models.BigIntegerField(db_default=Cast(CurrentXid(), models.BigIntegerField()), editable=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["xid", "id"], name="audit_event_xid"),
            models.Index(fields=["subject_kind", "subject_id", "id"], name="audit_event_subject"),
            models.Index(fields=["actor", "id"], name="audit_event_actor"),
            models.Index(fields=["action", "id"], name="audit_event_action"),
        ]
        triggers = _append_only()

    def __str__(self) -> str:
        return f"Event {self.pk}"


class Seal(models.Model):
    """One block of the trail, hashed and chained to the block before it (`common.seals`).

    It covers the events of all transactions from `from_xid` up to, not including, `to_xid`.
    """

    number = models.PositiveIntegerField(primary_key=True)
    from_xid = models.BigIntegerField()
    to_xid = models.BigIntegerField()
    count = models.PositiveIntegerField("events")
    digest = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(to_xid__gt=models.F("from_xid")), name="audit_seal_bounds"),
            models.CheckConstraint(condition=models.Q(number__gt=0, count__gt=0), name="audit_seal_positive"),
        ]
        triggers = _append_only()

    def __str__(self) -> str:
        return f"Seal {self.number}"


class IdempotencyRecord(models.Model):
    """One money request of one client: what it was and what we answered, written with the effect."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Who is signed in, and as with the trail's actor.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="+"
    )
    key = models.CharField(max_length=100)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    body_mac = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField()
    content_type = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="audit_idempotencyrecord_user_key_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
