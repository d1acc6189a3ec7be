"""What operations cost, product by product and version by version."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models.product import Product
from accounts.rules.fees import LABELS, MOST_BANDS, Band, Operation, Tariff

OPERATIONS = [(operation.value, LABELS[operation]) for operation in Operation]


class FeeVersion(models.Model):
    """What one operation costs on one product from a moment on, until a later version holds. Never changed.

    Of two versions from the same moment the later entered one holds. Amounts: minor units of the product's currency.
    Versions that came with the bank (nobody entered them) may hold from before.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="fee_versions")
    operation = models.CharField(max_length=15, choices=OPERATIONS)
    band_count = models.PositiveSmallIntegerField(default=1)
    least_minor = models.BigIntegerField("least (minor units)", null=True)
    most_minor = models.BigIntegerField("most (minor units)", null=True)
    valid_from = models.DateTimeField()
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name = "fee"
        constraints = [
            models.CheckConstraint(
                name="accounts_feeversion_operation", condition=Q(operation__in=[each.value for each in Operation])
            ),
            models.CheckConstraint(
                name="accounts_feeversion_bands", condition=Q(band_count__gte=1, band_count__lte=MOST_BANDS)
            ),
            models.CheckConstraint(
                name="accounts_feeversion_bounds",
                condition=(Q(least_minor__isnull=True) | Q(least_minor__gte=0))
                & (Q(most_minor__isnull=True) | Q(most_minor__gte=0))
                & (Q(least_minor__isnull=True) | Q(most_minor__isnull=True) | Q(most_minor__gte=F("least_minor"))),
            ),
            models.CheckConstraint(
                name="accounts_feeversion_not_for_the_past",
                condition=Q(entered_by__isnull=True) | Q(valid_from__gte=F("entered_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["product", "operation", "-valid_from", "-id"], name="accounts_feeversion_newest"),
        ]
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{LABELS[Operation(self.operation)]}, {self.product_id}, from {self.valid_from:%Y-%m-%d %H:%M}"

    @property
    def tariff(self) -> Tariff:
        """Needs the bands loaded."""
        bands = sorted(self.bands.all(), key=lambda band: band.from_minor)
        return Tariff(
            bands=tuple(Band(band.from_minor, band.fixed_minor, band.rate) for band in bands),
            least_minor=self.least_minor,
            most_minor=self.most_minor,
        )


class FeeBand(models.Model):
    """Amounts from `from_minor` on cost a fixed part and `rate` per cent. Written with its version, never later."""

    fee = models.ForeignKey(FeeVersion, on_delete=models.PROTECT, related_name="bands")
    position = models.PositiveSmallIntegerField()
    from_minor = models.BigIntegerField("from (minor units)")
    fixed_minor = models.BigIntegerField("fixed part (minor units)")
    rate = models.DecimalField("per cent of the amount", max_digits=7, decimal_places=4)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["fee", "position"], name="accounts_feeband_position"),
            models.UniqueConstraint(fields=["fee", "from_minor"], name="accounts_feeband_from"),
            models.CheckConstraint(
                name="accounts_feeband_first_from_zero",
                condition=Q(position=1, from_minor=0) | Q(position__gt=1, from_minor__gt=0),
            ),
            models.CheckConstraint(
                name="accounts_feeband_not_negative", condition=Q(fixed_minor__gte=0, rate__gte=0, rate__lte=100)
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete),
            # All places of a version are taken when it is written, so nothing can be added to an old one.
            pgtrigger.Trigger(
                name="has_its_place",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                IF NEW.position > (SELECT v.band_count FROM accounts_feeversion v WHERE v.id = NEW.fee_id) THEN
                    RAISE EXCEPTION 'this version has no such band' USING ERRCODE = 'check_violation';
                END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Band {self.position} of fee {self.fee_id}"
