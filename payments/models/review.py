"""What a customer is shown before the PIN."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Review(models.Model):
    """What a customer was shown before the PIN. Its id is the token; it is good for one payment, for ten minutes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    payload = models.JSONField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="payments_review_expires_later", condition=Q(expires_at__gt=F("created_at"))),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="review_stays", fields=["id", "actor", "payload", "created_at", "expires_at"]),
            pgtrigger.Protect(
                name="consumed_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__consumed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Review {self.pk}"
