"""What operations cost, product by product and version by version."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models.account import Account
from accounts.models.product import Product
from accounts.rules.fees import LABELS, MOST_BANDS, Band, Operation, Tariff
from common.money import Money

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


class AccountFeeQuerySet(models.QuerySet["AccountFee"]):
    def open(self) -> AccountFeeQuerySet:
        """Asked for, not collected yet and not waived."""
        return self.filter(amount_minor__gt=0, entry_id__isnull=True, waiver__isnull=True)


class AccountFee(models.Model):
    """The fee of one account for one month: asked for once, collected once and whole, when the account can cover it.

    `basis_minor` is the balance it was priced by. Amounts: minor units of the account's currency.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="account_fees")
    period = models.DateField(help_text="The first day of its month.")
    fee_version = models.ForeignKey(FeeVersion, on_delete=models.PROTECT, related_name="+")
    basis_minor = models.BigIntegerField("balance it was priced by (minor units)")
    amount_minor = models.BigIntegerField("fee (minor units)")
    note = models.CharField("how it was made up", max_length=250, blank=True)
    asked_at = models.DateTimeField()
    tried_at = models.DateTimeField("last tried at")
    entry_id = models.BigIntegerField("ledger entry", null=True, unique=True)
    collected_at = models.DateTimeField(null=True)

    objects = AccountFeeQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = "account fee"
        constraints = [
            models.UniqueConstraint(fields=["account", "period"], name="accounts_accountfee_once"),
            models.CheckConstraint(name="accounts_accountfee_first_day", condition=Q(period__day=1)),
            models.CheckConstraint(
                name="accounts_accountfee_not_negative", condition=Q(amount_minor__gte=0, basis_minor__gte=0)
            ),
            models.CheckConstraint(
                name="accounts_accountfee_collected",
                condition=Q(entry_id__isnull=True, collected_at__isnull=True)
                | Q(amount_minor__gt=0, entry_id__isnull=False, collected_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "period"],
                condition=Q(amount_minor__gt=0, entry_id__isnull=True),
                name="accounts_accountfee_open",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="asked_once",
                fields=["account", "period", "fee_version", "basis_minor", "amount_minor", "note", "asked_at"],
            ),
            pgtrigger.Protect(
                name="collected_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__entry_id__isnull=False),
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Fee of account {self.account_id} for {self.period:%Y-%m}"

    @property
    def waived(self) -> bool:
        return hasattr(self, "waiver")

    @property
    def amount(self) -> Money:
        """Needs the account loaded."""
        return Money(self.amount_minor, self.account.currency)


class FeeWaiver(models.Model):
    """The bank did without a month's fee: it was open and is not owed any more, or was collected and went back by `refund_entry_id`."""

    fee = models.OneToOneField(AccountFee, primary_key=True, on_delete=models.PROTECT, related_name="waiver")
    refund_entry_id = models.BigIntegerField("ledger entry that gave it back", null=True, unique=True)
    waived_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    waived_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Waiver of fee {self.fee_id}"
