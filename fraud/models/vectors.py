"""The column of a vector: a mapping in Python, a short list in the database."""

from __future__ import annotations

from typing import Any

from django.db import models

from fraud.rules.features.storing import from_stored, to_stored


class VectorField(models.JSONField):
    """Reads and writes vectors by the names of their features."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return from_stored(super().from_db_value(value, expression, connection))  # type: ignore[misc]

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, dict):
            value = to_stored(value)
        return super().get_db_prep_value(value, connection, prepared)
