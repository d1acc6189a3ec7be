from __future__ import annotations

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = "Payments"

    def ready(self) -> None:
        from accounts import obstacles
        from payments import handlers
        from payments.queries import bulk

        handlers.register()
        obstacles.register("payment files", bulk.what_needs_account)
