"""Applications in the back office: the queue, and the whole file on one page with its two deeds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from common.money import Money
from identity import queries as identity
from identity.backoffice import DecisionForm, ReadOnlyAdmin, WaitingFilter, decision_page, record_refusal
from identity.models import User
from loans import queries, services
from loans.models import Application, Decision
from loans.rules import offering

LABELS = {
    "REFERRED": "warning",
    "APPROVED": "success",
    "ACCEPTED": "success",
    "DECLINED": "danger",
    "DRAFT": "info",
    "SUBMITTED": "info",
    "WITHDRAWN": "info",
    "EXPIRED": "info",
}


class ReferredFilter(WaitingFilter):
    """Applications that wait for an officer, first."""

    field, states, waiting, words = "status", Application.Status, Application.Status.REFERRED, "Waits for an officer"


class DeclineForm(DecisionForm):
    field_order = ["told", "reason"]
    told = forms.CharField(
        label="Reason for the customer",
        min_length=10,
        max_length=500,
        help_text="The customer reads this.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "Internal reason"


@admin.register(Application)
class LoanApplicationAdmin(ReadOnlyAdmin):
    view_permission: ClassVar[str] = "loan_view"
    list_display = ["person", "product", "shown_amount", "instalments", "shown_status", "score", "waiting"]
    list_display_links = ["person"]
    list_filter = [ReferredFilter, "product"]
    search_fields = ["customer__full_name", "customer__email"]
    search_help_text = "Name or e-mail address"
    list_select_related = ["customer", "product"]
    ordering = ["submitted_at", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        return Application.objects.prefetch_related("decisions")

    @display(description="Customer", ordering="customer__full_name")  # type: ignore[untyped-decorator]
    def person(self, application: Application) -> str:
        return application.customer.full_name or application.customer.email

    @display(description="Amount", ordering="amount_minor")  # type: ignore[untyped-decorator]
    def shown_amount(self, application: Application) -> str:
        return str(application.amount)

    @display(description="State", label=LABELS, ordering="status")  # type: ignore[untyped-decorator]
    def shown_status(self, application: Application) -> tuple[str, str]:
        return application.status, application.get_status_display()

    @display(description="Score")  # type: ignore[untyped-decorator]
    def score(self, application: Application) -> str:
        found = sorted(application.decisions.all(), key=lambda decision: decision.at)
        return str(found[-1].score) if found else "–"

    @display(description="Waiting")  # type: ignore[untyped-decorator]
    def waiting(self, application: Application) -> str:
        if application.status != Application.Status.REFERRED or application.submitted_at is None:
            return "–"
        return timesince(application.submitted_at, depth=1)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/approve/", wrap(self.approve_view), name="loans_application_approve"),
            path("<path:object_id>/decline/", wrap(self.decline_view), name="loans_application_decline"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The whole file on one page. It only shows."""
        if not self.has_view_permission(request):
            record_refusal(request, permission=self.view_permission)
            raise PermissionDenied
        application = self._application(object_id)
        decision = queries.last_decision(application)
        connected = identity.are_connected(request.user, application.customer)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": application,
            "title": f"{application.customer.full_name}: {application.product.name}",
            "application": application,
            "colour": LABELS[application.status],
            "term": application.product.rhythm.term(application.instalments),
            "facts": _facts(application),
            "decisions": application.decisions.select_related("officer", "policy").order_by("-at", "-pk"),
            "file": _file(decision, application.currency) if decision else None,
            "plan": _plan(application, decision) if decision else None,
            "loan": getattr(application, "loan", None),
            "others": queries.own_applications(application.customer).exclude(pk=application.pk)[:8],
            "loans": queries.own_loans(application.customer)[:8],
            "may_decide": application.status == Application.Status.REFERRED
            and request.user.has_perm("identity.loan_decide")
            and application.customer_id != request.user.pk
            and not connected,
            "hint": _hint(request.user, application.customer, connected),
        }
        return TemplateResponse(request, "admin/loans/application.html", context)

    def approve_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        application = self._application(object_id)

        def done(after: Application) -> str:
            if after.status == Application.Status.REFERRED:
                return "You recommended it. Above this amount a second officer decides."
            return f"You approved {after.amount}. The customer has the offer."

        return decision_page(
            self,
            request,
            permission="loan_decide",
            title=f"Approve {application.amount} for {application.customer.full_name}",
            facts=_facts(application),
            decide=lambda data: services.approve(
                actor=request.user, application_id=application.pk, reason=data["reason"], now=timezone.now()
            ),
            done=done,
            confirm="Approve",
            back=self._address(application),
            note="The score and the rate are computed again now. The customer gets an offer that holds for 14 days.",
            audit_subject=("loan_application", application.pk),
        )

    def decline_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        application = self._application(object_id)
        decision = queries.last_decision(application)
        told = " ".join(text for _, text in decision.reasons) if decision else ""
        return decision_page(
            self,
            request,
            permission="loan_decide",
            title=f"Decline {application.amount} for {application.customer.full_name}",
            facts=_facts(application),
            decide=lambda data: services.decline(
                actor=request.user,
                application_id=application.pk,
                reason=data["reason"],
                told=data["told"],
                now=timezone.now(),
            ),
            done="You declined it. The customer reads why.",
            confirm="Decline",
            danger=True,
            back=self._address(application),
            form_class=DeclineForm,
            initial={"told": told},
            audit_subject=("loan_application", application.pk),
        )

    def _application(self, object_id: str) -> Application:
        try:
            key = UUID(object_id)
        except ValueError as error:
            raise Http404 from error
        rows = Application.objects.select_related("customer", "product", "account", "first_approver", "second_approver")
        found = rows.filter(pk=key).first()
        if found is None:
            raise Http404
        return found

    def _address(self, application: Application) -> str:
        return reverse("admin:loans_application_change", args=[application.pk])


def _hint(officer: User, customer: User, connected: bool) -> str:
    """What an officer should know before deciding about this person."""
    if connected:
        return "You and this customer are connected, so a colleague decides."
    if identity.share_a_surname(officer, customer):
        return "This customer has your surname. Are you related? Then declare it under Connected persons; a colleague decides."
    return ""


def _facts(application: Application) -> list[tuple[str, object]]:
    def money(minor: int | None) -> str:
        return "–" if minor is None else str(Money(minor, application.currency))

    facts: list[tuple[str, object]] = [
        ("Customer", f"{application.customer.full_name}, {application.customer.email}"),
        ("Loan", f"{application.product.name}, {application.product.rhythm.term(application.instalments)}"),
        ("Amount", application.amount),
        ("For", application.purpose or "–"),
        ("Account", application.account.number if application.account else "–"),
        ("Work", application.get_employment_display() or "–"),
        ("Income said", money(application.income_minor)),
        ("Fixed payments said", money(application.obligations_minor)),
    ]
    if application.first_approver:
        facts.append(("First officer", application.first_approver.full_name))
    if application.second_approver:
        facts.append(("Second officer", application.second_approver.full_name))
    if application.offered_rate is not None:
        facts.append(
            ("Offered rate", f"{application.offered_rate:.2f} %, until {date_format(application.offer_until, 'j M Y')}")
        )
    return facts


def _file(decision: Decision, currency: str) -> dict[str, Any]:
    """What the last decision looked at, in words."""
    found = decision.inputs
    figures, signals, relation = found["affordability"], found["signals"], found["relation"]

    def money(minor: int) -> str:
        return str(Money(minor, currency))

    return {
        "score": found["score"],
        "reasons": [text for _, text in decision.reasons],
        "affordability": [
            ("Income counted", money(figures["income_minor"])),
            ("Income seen each month", money(figures["seen_income_minor"])),
            ("Fixed payments counted", money(figures["obligations_minor"])),
            ("Fixed payments seen", money(figures["seen_obligations_minor"])),
            ("Other loans, per month", money(figures["loan_instalments_minor"])),
            ("New instalment, per month", money(figures["instalment_minor"])),
            ("Burden", f"{figures['burden_percent']} % of income"),
        ],
        "seen": [("In", each["text"], money(each["amount_minor"]), each["months"]) for each in found["income"]]
        + [("Out", each["text"], money(each["amount_minor"]), each["months"]) for each in found["payments"]],
        "checks": [
            ("Identity check", "Approved" if signals["kyc_approved"] else "Not complete", not signals["kyc_approved"]),
            ("Fraud cases", f"{signals['fraud_cases_open']} open", signals["fraud_cases_open"] > 0),
            ("Refused payments", f"{signals['fraud_refusals']} in 3 months", signals["fraud_refusals"] > 0),
            ("Arrears", f"{signals['days_late_now']} days late", signals["days_late_now"] > 0),
            ("Overdrawn", f"{relation['overdrawn_days']} of 90 days", relation["overdrawn_days"] > 10),
            ("With us", f"{relation['months_with_us']} months", False),
            ("Balances", money(relation["balance_minor"]), False),
            ("Works here", "Yes" if signals["is_staff"] else "No", signals["is_staff"]),
        ],
        "rate": found["rate"],
        "policy": found["policy"],
    }


def _plan(application: Application, decision: Decision) -> dict[str, Any]:
    """The schedule at the rate of the last decision, as if it began today."""
    fields = application.offered_terms or queries.wished_terms(application, Decimal(decision.inputs["rate"]))
    offer = queries.offer_of(offering.terms_on(fields, timezone.now().date()))
    currency = application.currency
    rows = [
        (
            row.number,
            row.due_date,
            *(Money(part, currency) for part in (row.principal, row.interest, row.fees, row.total, row.outstanding)),
        )
        for row in offer.schedule.rows
    ]
    return {"offer": offer, "rows": rows}
