from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BankportalConfig(AppConfig):
    name = "bankportal"
    verbose_name = "Bankportal"

    def ready(self) -> None:
        from bankportal import seals
        from bankportal.reference import after_migrate
        from ledger import sealing

        sealing.register("audit", seals.record_head)
        post_migrate.connect(after_migrate, sender=self, dispatch_uid="bankportal.reference")
