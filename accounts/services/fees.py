"""Fees: entering a version of what an operation costs."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format

from accounts.errors import InvalidFee, ReasonRequired, UnknownProduct
from accounts.models import Account, FeeBand, FeeVersion, Product, Status
from accounts.queries import fees as prices
from accounts.rules import fees
from accounts.rules.fees import Operation, Tariff
from audit import services as audit
from common.db import require_transaction, use_case
from identity import services as identity
from identity.models import User
from notifications import services as notifications


def set_fee(
    *,
    actor: User,
    product_code: str,
    operation: Operation,
    tariff: Tariff,
    reason: str,
    now: datetime,
    valid_from: datetime | None = None,
) -> FeeVersion:
    """Enter what an operation costs on every account of a product from now on, or from a later moment.

    Amounts of the tariff are minor units of the product's currency. What happened before keeps its fee, and whoever has
    such an account is told. Raises PermissionMissing (product_edit), ReasonRequired, UnknownProduct, InvalidFee.
    """
    identity.require(actor, "product_edit")
    if not reason.strip():
        raise ReasonRequired(field="reason")
    product = Product.objects.filter(pk=product_code).first()
    if product is None:
        raise UnknownProduct(field="product")
    if valid_from is not None and valid_from < now:
        raise InvalidFee("A fee can change from now on or later, never for the past.", field="valid_from")
    if problem := fees.flaw(tariff):
        raise InvalidFee(problem)
    with use_case():
        before = prices.pricing(product_code=product.code, operation=operation, at=valid_from or now).tariff
        version = write_version(
            product=product,
            operation=operation,
            tariff=tariff,
            valid_from=valid_from or now,
            entered_by=actor,
            entered_at=now,
        )
        audit.record(
            actor=actor,
            action="fee.set",
            subject_kind="fee",
            subject_id=str(version.pk),
            data={
                "product": product.code,
                "operation": operation.value,
                "fee": fees.summary(tariff, product.currency),
                "valid_from": version.valid_from.isoformat(),
            },
            reason=reason.strip(),
        )
        _tell_holders(version, product=product, before=before, after=tariff)
        return version


def _tell_holders(version: FeeVersion, *, product: Product, before: Tariff | None, after: Tariff) -> None:
    """Each person once, however many such accounts they have; nobody where the same is asked as before."""
    was, becomes = (fees.summary(tariff, product.currency) for tariff in (before, after))
    if was == becomes:
        return
    open_accounts = Account.objects.filter(product=product).exclude(status=Status.CLOSED)
    notifications.notify_all(
        user_ids=open_accounts.order_by("owner_id").values_list("owner_id", flat=True).distinct(),
        kind="fee_changes",
        data={
            "product": product.name,
            "operation": fees.LABELS[Operation(version.operation)],
            "before": was,
            "after": becomes,
            "day": date_format(version.valid_from, "j M Y"),
        },
    )


def write_version(
    *,
    product: Product,
    operation: Operation,
    tariff: Tariff,
    valid_from: datetime,
    entered_by: User | None,
    entered_at: datetime,
) -> FeeVersion:
    """The rows of a version, for the bank's first fees too; needs a transaction."""
    require_transaction()
    version = FeeVersion.objects.create(
        product=product,
        operation=operation.value,
        band_count=len(tariff.bands),
        least_minor=tariff.least_minor,
        most_minor=tariff.most_minor,
        valid_from=valid_from,
        entered_by=entered_by,
        entered_at=entered_at,
    )
    FeeBand.objects.bulk_create(
        FeeBand(
            fee=version, position=position, from_minor=band.from_minor, fixed_minor=band.fixed_minor, rate=band.rate
        )
        for position, band in enumerate(tariff.bands, start=1)
    )
    return version
