from __future__ import annotations

from django.apps import AppConfig


class LoansConfig(AppConfig):
    name = "loans"
    verbose_name = "Loans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import obstacles
        from loans import queries

        obstacles.register("loans", queries.what_needs_account)
