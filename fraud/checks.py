"""Refuses to start while a kind of payment that is screened has nobody to carry out decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from fraud import subjects


@register()
def every_kind_has_handlers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"Nobody carries out fraud decisions about subject kind “{kind}”.",
            hint="Call fraud.services.register_subject(kind, release=..., decline=...) in the owning app's ready().",
            id="fraud.E001",
        )
        for kind in subjects.missing_kinds()
    ]
