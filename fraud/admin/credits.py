"""Money that arrived, the suspicious first, and what a person makes of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from common.money import Money
from fraud import services
from fraud.admin.files import FileAdmin, side_cell
from fraud.models import CreditScore
from fraud.queries.credits import credits_to_review
from fraud.rules.facts import SUSPICIOUS_FROM
from identity.backoffice import decision_page

COLOURS = {"Safe": "default", "To look at": "warning", "Cleared": "success", "Fraud": "danger"}


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "To look at"), ("suspicious", "Suspicious"), ("fraud", "Confirmed as fraud")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CreditScore]) -> QuerySet[CreditScore]:
        match self.value():
            case "open":
                return queryset.filter(pk__in=credits_to_review(now=timezone.now()).values("pk"))
            case "suspicious":
                return queryset.filter(score__gte=SUSPICIOUS_FROM)
            case "fraud":
                return queryset.filter(review__is_fraud=True)
        return queryset


@admin.register(CreditScore)
class CreditScoreAdmin(FileAdmin):
    list_display = ("arrived", "amount", "account", "payer", "why", "score_shown", "state")
    list_filter = (StateFilter,)
    list_select_related = ("review__reviewed_by",)
    search_fields = ("account_label", "payer_label")
    search_help_text = "Account, or who paid"
    ordering = ("-at", "-id")

    def get_urls(self) -> list[Any]:
        return [
            self._path("<int:credit_id>/clear/", self.clear, "clear"),
            self._path("<int:credit_id>/confirm/", self.confirm, "confirm"),
            *super().get_urls(),
        ]

    @display(description="Arrived", ordering="at")
    def arrived(self, credit: CreditScore) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', date(credit.at, "j M, H:i"))

    @display(description="Amount", ordering="amount_base_minor")
    def amount(self, credit: CreditScore) -> SafeString:
        return format_html('<span class="money">{}</span>', str(Money(credit.amount_minor, credit.currency)))

    @display(description="To")
    def account(self, credit: CreditScore) -> SafeString:
        return side_cell(credit.account_label)

    @display(description="From")
    def payer(self, credit: CreditScore) -> SafeString:
        return side_cell(credit.payer_label)

    @display(description="Why")
    def why(self, credit: CreditScore) -> str:
        return " ".join(reason["text"] for reason in credit.reasons) or "–"

    @display(description="Score", ordering="score")
    def score_shown(self, credit: CreditScore) -> str:
        return f"{credit.score:.2f}"

    @display(description="State", label=COLOURS)
    def state(self, credit: CreditScore) -> str:
        return _state(credit)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        credit: CreditScore = self._opened(request, object_id)
        state = _state(credit)
        may = not _reviewed(credit) and request.user.has_perm("identity.fraud_decide")
        return self._page(
            request,
            "admin/fraud/credit.html",
            _title(credit),
            original=credit,
            state=state,
            colour=COLOURS[state],
            facts=_facts(credit),
            reasons=credit.reasons,
            deeds=[
                {"url": self._url("confirm", credit.pk), "text": "Confirm as fraud", "variant": "danger"},
                {"url": self._url("clear", credit.pk), "text": "Clear it", "variant": "primary"},
            ]
            if may
            else [],
        )

    def clear(self, request: HttpRequest, credit_id: int) -> HttpResponse:
        return self._review(request, credit_id, is_fraud=False)

    def confirm(self, request: HttpRequest, credit_id: int) -> HttpResponse:
        return self._review(request, credit_id, is_fraud=True)

    def _review(self, request: HttpRequest, credit_id: int, *, is_fraud: bool) -> HttpResponse:
        credit: CreditScore = self._opened(request, credit_id)
        words = "Confirm this credit as fraud" if is_fraud else "Clear this credit"
        return decision_page(
            self,
            request,
            permission="fraud_decide",
            title=words,
            facts=_facts(credit),
            decide=lambda cleaned: services.review_credit(
                actor=request.user,  # type: ignore[arg-type]
                credit_id=credit_id,
                is_fraud=is_fraud,
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done="You confirmed this credit as fraud; it counts against the account from now on."
            if is_fraud
            else "You cleared this credit.",
            confirm="Confirm as fraud" if is_fraud else "Clear it",
            note="No money moves. To stop what is left of it, freeze the account."
            if is_fraud
            else "It is a label like any other, and models learn from it.",
            danger=is_fraud,
            back=self._url("change", credit_id),
            audit_subject=("fraud_credit", credit_id),
        )


def _reviewed(credit: CreditScore) -> bool:
    return hasattr(credit, "review")


def _state(credit: CreditScore) -> str:
    if _reviewed(credit):
        return "Fraud" if credit.review.is_fraud else "Cleared"
    return "To look at" if credit.score >= SUSPICIOUS_FROM else "Safe"


def _title(credit: CreditScore) -> str:
    return f"{Money(credit.amount_minor, credit.currency)} to {credit.account_label or 'an account'}"


def _facts(credit: CreditScore) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("Amount", str(Money(credit.amount_minor, credit.currency))),
        ("To", credit.account_label or "–"),
        ("From", credit.payer_label or "–"),
        ("Arrived", date(credit.at, "j F Y, H:i e")),
        ("Score", f"{credit.score:.2f} of 1"),
    ]
    if _reviewed(credit):
        said = credit.review
        facts.append(
            (
                "Looked at by",
                f"{said.reviewed_by.get_full_name()}, {date(said.reviewed_at, 'j F Y, H:i')}: {said.reason}",
            )
        )
    return facts
