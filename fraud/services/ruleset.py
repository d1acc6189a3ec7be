"""The token by which every process knows that what it loaded is old."""

from __future__ import annotations

import uuid
from datetime import datetime

from common.db import require_transaction
from fraud.models import Ruleset


def touch_ruleset(*, now: datetime) -> None:
    """Tell every process that what it is asked changed. Raises NoTransaction."""
    require_transaction()
    Ruleset.objects.update_or_create(id=1, defaults={"token": uuid.uuid4(), "changed_at": now})
