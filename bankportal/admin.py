"""Whose tables the back office shows: ours only.

Libraries register forms of their own: groups, e-mail addresses, second factors, lockouts, tokens. Saving one of those
would go around our services, their checks and the trail, so none is kept. Read last, because `bankportal` is the last app.
"""

from __future__ import annotations

from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db.models import Model


def is_ours(model: type[Model]) -> bool:
    """Whether a model belongs to an app of this project."""
    return Path(apps.get_app_config(model._meta.app_label).path).parent == settings.BASE_DIR


admin.site.unregister([model for model in list(admin.site._registry) if not is_ours(model)])
