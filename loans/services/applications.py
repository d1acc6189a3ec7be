"""The customer's side of an application: a draft that resumes, handing it in, taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from accounts import queries as accounts
from audit import services as audit
from common.db import as_use_case, require_transaction, use_case
from common.money import Money
from identity.models import User
from kyc import queries as kyc
from loans import queries
from loans.errors import (
    AmountOutOfRange,
    Incomplete,
    KycRequired,
    NotPossibleNow,
    OpenApplication,
    TermOutOfRange,
    UnknownApplication,
)
from loans.models import OPEN_STATES, Application, Decision, LoanProduct
from loans.rules import deciding
from loans.services import telling, tranches, underwriting
from loans.services.underwriting import Assessment

OFFER_HOLDS = timedelta(days=14)
_ANSWERS = ("account_id", "employment", "income_minor", "obligations_minor")


def require_in_range(product: LoanProduct, *, amount: Money, instalments: int) -> None:
    """Raises AmountOutOfRange or TermOutOfRange with the product's limits."""
    if amount.currency != product.currency or not product.min_amount <= amount <= product.max_amount:
        raise AmountOutOfRange(
            f"{product.name} lends from {product.min_amount} to {product.max_amount}.",
            field="amount",
            data={"min_minor": product.min_amount_minor, "max_minor": product.max_amount_minor},
        )
    if not product.min_instalments <= instalments <= product.max_instalments:
        raise TermOutOfRange(
            f"{product.name} runs for {product.term}.",
            field="instalments",
            data={"min": product.min_instalments, "max": product.max_instalments},
        )


def save_wish_within(
    *,
    actor: User,
    product_code: str,
    amount: str,
    instalments: int,
    purpose: str,
    now: datetime,
    parts: Sequence[tranches.Wanted] = (),
) -> Application:
    """Start an application, or change what the open draft asks for. `amount` is decimal text in the product's currency.

    `parts` of it are paid out later: each so many months after the first one, and its amount. Raises UnknownProduct,
    InvalidAmount, AmountOutOfRange, TermOutOfRange, InvalidTranches; OpenApplication when one is being decided.

    Inside the caller's transaction; `save_wish` opens one.
    """
    require_transaction()
    product = queries.get_product(product_code)
    wanted = Money.parse(amount, product.currency)
    require_in_range(product, amount=wanted, instalments=instalments)
    later = tranches.read(product, amount=wanted, instalments=instalments, parts=parts)
    # The customer's row is the lock: two tabs do not start two drafts.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    application = Application.objects.filter(customer=actor, status__in=OPEN_STATES).first()
    if application is not None and application.status != Application.Status.DRAFT:
        raise OpenApplication()
    if application is None:
        application = Application(customer=actor, created_at=now)
    elif application.currency != product.currency:
        application.account = None
    application.product, application.currency = product, product.currency
    application.amount_minor, application.instalments = wanted.amount_minor, instalments
    application.tranches = [
        {"after_months": part.after_months, "amount": Money(part.amount_minor, product.currency).plain}
        for part in later
    ]
    application.purpose, application.changed_at = purpose.strip()[:140], now
    application.save()
    return application


save_wish = as_use_case(save_wish_within)


def save_means_within(
    *,
    actor: User,
    application_id: UUID,
    account_id: UUID,
    employment: str,
    income: str,
    obligations: str,
    now: datetime,
) -> Application:
    """The draft's other answers: where the money goes, and monthly figures as decimal text ("0" for none).

    Raises UnknownApplication, NotPossibleNow, InvalidAmount, UnknownAccount, AccountFrozen, AccountClosed, Incomplete.

    Inside the caller's transaction; `save_means` opens one.
    """
    application = _lock_own(actor, application_id)
    _require(application, Application.Status.DRAFT)
    account = accounts.get_debitable_for(actor=actor, account_id=account_id)
    if account.currency != application.currency:
        raise Incomplete(f"Choose an account in {application.currency}.", field="account")
    if employment not in Application.Employment.values:
        raise Incomplete("Say what you do.", field="employment")
    application.account, application.employment = account, employment
    application.income_minor = _monthly(income, application.currency, "income")
    application.obligations_minor = _monthly(obligations, application.currency, "obligations")
    application.changed_at = now
    application.save()
    return application


save_means = as_use_case(save_means_within)


def _monthly(text: str, currency: str, field: str) -> int:
    plain = text.strip()
    if plain and not plain.strip("0."):
        return 0
    return Money.parse(plain, currency, field=field).amount_minor


def submit_within(*, actor: User, application_id: UUID, now: datetime) -> Application:
    """Hand the draft in; the policy decides at once or refers it to an officer.

    Raises UnknownApplication, NotPossibleNow, KycRequired, Incomplete, and what is out of the product's range by now.

    Inside the caller's transaction; `submit` opens one.
    """
    application = _lock_own(actor, application_id)
    _require(application, Application.Status.DRAFT)
    if not kyc.is_approved(actor.pk):
        raise KycRequired()
    for name in _ANSWERS:
        if getattr(application, name) in (None, ""):
            raise Incomplete(field=name.removesuffix("_id").removesuffix("_minor"))
    product = queries.get_product(application.product_id)
    require_in_range(product, amount=application.amount, instalments=application.instalments)
    wished = [
        (part.after_months, Money(part.amount_minor, application.currency).plain)
        for part in queries.later_parts(application)
    ]
    tranches.read(product, amount=application.amount, instalments=application.instalments, parts=wished)
    application.status, application.submitted_at, application.changed_at = Application.Status.SUBMITTED, now, now
    application.save()
    assessment = underwriting.assess(application, now=now)
    verdict = assessment.verdict
    record_decision(
        application, assessment, outcome=verdict.outcome, officer=None, reason="", reasons=verdict.reasons, now=now
    )
    match verdict.outcome:
        case deciding.Outcome.APPROVE:
            offer(application, assessment, now=now)
        case deciding.Outcome.DECLINE:
            decline(application, [reason.text for reason in verdict.reasons], now=now)
        case deciding.Outcome.REFER:
            application.status, application.changed_at = Application.Status.REFERRED, now
            application.save()
            telling.tell_about(application, "loan_received")
    _trail(application, actor, "submitted", outcome=verdict.outcome, score=assessment.score.total)
    return application


submit = as_use_case(submit_within)


def withdraw(*, actor: User, application_id: UUID, now: datetime) -> Application:
    """Take an open application (or an offer) back. Raises UnknownApplication, NotPossibleNow."""
    with use_case():
        application = _lock_own(actor, application_id)
        _require(application, *OPEN_STATES)
        application.status, application.changed_at = Application.Status.WITHDRAWN, now
        application.save()
        _trail(application, actor, "withdrawn")
        return application


def expire_offers(*, now: datetime) -> int:
    """End the offers whose last day has passed; returns how many."""
    today = now.astimezone(UTC).date()
    late = Application.objects.filter(status=Application.Status.APPROVED, offer_until__lt=today)
    ended = 0
    for application_id in list(late.values_list("pk", flat=True)):
        with use_case():
            application = Application.objects.select_for_update().get(pk=application_id)
            if application.status == Application.Status.APPROVED:
                application.status, application.changed_at = Application.Status.EXPIRED, now
                application.save()
                _trail(application, None, "expired")
                ended += 1
    return ended


# --- Steps shared with the officers' side ------------------------------------------------------------------------


def offer(application: Application, assessment: Assessment, *, now: datetime) -> None:
    """Write the offer: rate, terms, and until when it holds."""
    application.offered_rate = assessment.rate
    application.offered_terms = queries.wished_terms(application, assessment.rate)
    application.offer_until = (now + OFFER_HOLDS).astimezone(UTC).date()
    application.status = Application.Status.APPROVED
    application.decided_at = application.changed_at = now
    application.save()
    telling.tell_about(application, "loan_approved")


def decline(application: Application, texts: list[str], *, now: datetime) -> None:
    application.status = Application.Status.DECLINED
    application.decided_at = application.changed_at = now
    application.save()
    telling.tell_about(application, "loan_declined", reason=" ".join(texts))


def record_decision(
    application: Application,
    assessment: Assessment,
    *,
    outcome: str,
    officer: User | None,
    reason: str,
    reasons: tuple[deciding.Reason, ...],
    now: datetime,
) -> Decision:
    """Keep who said what, and everything it was based on."""
    return Decision.objects.create(
        application=application,
        outcome=outcome,
        officer=officer,
        reason=reason,
        reasons=[[each.code, each.text] for each in reasons],
        score=assessment.score.total,
        score_version=assessment.score.version,
        policy=assessment.policy,
        inputs=assessment.inputs,
        at=now,
    )


def _lock_own(actor: User, application_id: UUID) -> Application:
    require_transaction()
    rows = Application.objects.select_for_update(of=("self",)).select_related("product", "customer", "account")
    application = rows.filter(pk=application_id, customer=actor).first()
    if application is None:
        raise UnknownApplication()
    return application


def _require(application: Application, *states: str) -> None:
    if application.status not in states:
        raise NotPossibleNow(data={"status": application.status})


def _trail(application: Application, actor: User | None, done: str, **facts: Any) -> None:
    audit.record(
        actor=actor,
        action=f"loan_application.{done}",
        subject_kind="loan_application",
        subject_id=application.pk,
        data={"amount_minor": application.amount_minor, "product": application.product_id, **facts},
    )
