from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BankportalConfig(AppConfig):
    name = "bankportal"
    verbose_name = "Bankportal"

    def ready(self) -> None:
        from bankportal.reference import after_migrate

        post_migrate.connect(after_migrate, sender=self, dispatch_uid="bankportal.reference")
