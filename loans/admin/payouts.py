"""The later parts of a loan in the back office: asking for the next one, the second officer's word, cancelling the rest."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from unfold.admin import ModelAdmin

from identity.backoffice import decision_page
from loans import queries, services
from loans.models import OPEN_TRANCHES, Loan, Tranche


class Payouts(ModelAdmin):
    """Pages of the loan's admin; `_loan` finds the loan or raises Http404."""

    def _loan(self, object_id: str) -> Loan:
        raise NotImplementedError

    def payout_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        loan = self._loan(object_id)
        return decision_page(
            self,
            request,
            permission="loan_service",
            title=f"Pay out the next part to {loan.customer.full_name}",
            facts=[*_next_part(loan), *loan_facts(loan)],
            decide=lambda data: services.ask_payout(
                actor=request.user, loan_id=loan.pk, reason=data["reason"], now=timezone.now()
            ),
            done="You asked for the payout. A second officer decides.",
            confirm="Ask for the payout",
            back=_address(loan),
            note="Say what shows that the money is needed now. Nothing moves before a second officer agrees.",
            audit_subject=("loan", loan.pk),
        )

    def agree_payout_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._answer(request, self._loan(object_id), approved=True)

    def refuse_payout_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._answer(request, self._loan(object_id), approved=False)

    def _answer(self, request: HttpRequest, loan: Loan, *, approved: bool) -> HttpResponse:
        return decision_page(
            self,
            request,
            permission="loan_service",
            title=f"{'Pay out' if approved else 'Refuse'} the next part to {loan.customer.full_name}",
            facts=[*_next_part(loan), *loan_facts(loan)],
            decide=lambda data: services.answer_payout(
                actor=request.user, loan_id=loan.pk, approved=approved, reason=data["reason"], now=timezone.now()
            ),
            done="The money is in the customer's account." if approved else "You refused the payout.",
            confirm="Pay out" if approved else "Refuse the payout",
            danger=not approved,
            back=_address(loan),
            audit_subject=("loan", loan.pk),
        )

    def cancel_rest_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        loan = self._loan(object_id)
        return decision_page(
            self,
            request,
            permission="loan_service",
            title=f"Pay out no more to {loan.customer.full_name}",
            facts=[*_next_part(loan), *loan_facts(loan)],
            decide=lambda data: services.cancel_rest(
                actor=request.user, loan_id=loan.pk, reason=data["reason"], now=timezone.now()
            ),
            done="You cancelled the rest. The customer is told.",
            confirm="Cancel the rest",
            danger=True,
            back=_address(loan),
            note="What is paid out stays lent, with its instalments. The parts that are left are not paid out any more.",
            audit_subject=("loan", loan.pk),
        )


def parts(loan: Loan) -> dict[str, Any] | None:
    """The later parts and what can be done about them; None for a loan that was paid out at once."""
    listed = list(loan.tranches.select_related("maker", "checker").order_by("number"))
    if not listed:
        return None
    return {
        "rows": [(each, each.amount(loan.currency)) for each in listed],
        "asked": any(each.status == Tranche.Status.ASKED for each in listed),
        "open": any(each.status in OPEN_TRANCHES for each in listed),
    }


def _next_part(loan: Loan) -> list[tuple[str, object]]:
    part = next((each for each in queries.tranches_of(loan) if each.is_open), None)
    if part is None:
        return [("Next part", "None is left")]
    facts: list[tuple[str, object]] = [
        (
            "Next part",
            f"Part {part.number}, {part.amount(loan.currency)}, planned for {date_format(part.planned_date, 'j M Y')}",
        )
    ]
    if part.maker is not None:
        facts += [("Asked for by", part.maker.full_name), ("Because", part.reason)]
    return facts


def loan_facts(loan: Loan) -> list[tuple[str, object]]:
    return [
        ("Customer", f"{loan.customer.full_name}, {loan.customer.email}"),
        ("Loan", loan.product.name),
        ("Lent", f"{loan.disbursed} since {date_format(loan.start_date, 'j M Y')}{_rest(loan)}"),
        ("Rate a year", f"{loan.annual_rate:.2f} %"),
        ("APR", f"{loan.apr} %" if loan.apr is not None else "–"),
        ("Account", loan.account.number),
        ("Last instalment", loan.maturity_date),
        ("Days late", f"{loan.days_past_due}, at worst {loan.worst_days_past_due}"),
        ("State", loan.get_status_display()),
    ]


def _rest(loan: Loan) -> str:
    return "" if loan.disbursed == loan.principal else f", of {loan.principal} agreed"


def _address(loan: Loan) -> str:
    return reverse("admin:loans_loan_change", args=[loan.pk])
