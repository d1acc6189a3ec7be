"""Decisions as they were made, with everything that was known."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from common.money import Money
from fraud import subjects
from fraud.admin.files import (
    KINDS,
    OUTCOME_COLOURS,
    ChannelFilter,
    FileAdmin,
    TransferTypeFilter,
    choice,
    payee_cell,
)
from fraud.models import Case, Decision
from fraud.queries.trials import silent_hits_of
from fraud.rules import wording
from fraud.rules.features import FEATURES


@admin.register(Decision)
class DecisionAdmin(FileAdmin):
    list_display = ("at", "amount", "kind", "payee", "result", "score", "latency")
    list_filter = ("outcome", TransferTypeFilter, ChannelFilter)
    search_fields = ("beneficiary_label", "account_label", "beneficiary_ref")
    search_help_text = "Payee, or a number of either side"
    ordering = ("-at", "-id")

    @display(description="Amount", ordering="amount_base_minor")
    def amount(self, decision: Decision) -> str:
        return str(Money(decision.amount_minor, decision.currency))

    @display(description="Kind", ordering="transfer_type")
    def kind(self, decision: Decision) -> str:
        return choice(KINDS, decision.transfer_type)

    @display(description="Payee")
    def payee(self, decision: Decision) -> SafeString:
        return payee_cell(decision)

    @display(description="Outcome", label=OUTCOME_COLOURS)
    def result(self, decision: Decision) -> str:
        return decision.get_outcome_display()

    @display(description="Took", ordering="latency_ms")
    def latency(self, decision: Decision) -> str:
        return f"{decision.latency_ms:.1f} ms"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        decision: Decision = self._opened(request, object_id)
        vector = [
            (feature.label, wording.show(feature, decision.features.get(name), settings.BASE_CURRENCY))
            for name, feature in FEATURES.items()
        ]
        return self._page(
            request,
            "admin/fraud/decision.html",
            f"{self.amount(decision)} to {decision.beneficiary_label or decision.beneficiary_ref or '–'}",
            original=decision,
            decision=decision,
            vector=vector,
            outcome_colour=OUTCOME_COLOURS[decision.get_outcome_display()],
            silent=silent_hits_of(decision),
            ways_on=_ways_on(request, decision),
            case=Case.objects.filter(decision=decision).first(),
            subject=subjects.describe(decision.subject_kind, decision.subject_id),
        )


def _ways_on(request: HttpRequest, decision: Decision) -> list[tuple[str, str]]:
    """Forms of the lists that this decision fills in, for whoever may send them."""
    ways = []
    told = {
        "PAYEE": ("Put the payee on a list", decision.beneficiary_ref),
        "DEVICE": ("Put the device on a list", decision.device),
        "NETWORK": ("Put the address on a list", decision.ip),
    }
    if request.user.has_perm("identity.fraud_edit_rules"):
        new = reverse("admin:fraud_listentry_new")
        ways = [(words, f"{new}?decision={decision.pk}&kind={kind}") for kind, (words, value) in told.items() if value]
    if request.user.has_perm("identity.fraud_decide"):
        ways.append(("Snooze a rule for this account", f"{reverse('admin:fraud_snooze_new')}?decision={decision.pk}"))
    return ways
