"""A limit as a short form: what, for which kind of payment, how much. It becomes the draft of a rule."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from common.errors import DomainError
from common.forms import DomainFormMixin
from fraud import services
from fraud.admin.files import KINDS, choice
from fraud.models import RuleAction
from fraud.rules.limits import HISTORY, MEASURES


class LimitForm(DomainFormMixin, forms.Form):
    code = forms.CharField(
        max_length=40,
        widget=UnfoldAdminTextInputWidget,
        help_text="A short name for reports, such as CARD_LIMIT. It never changes.",
    )
    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget)
    transfer_type = forms.ChoiceField(
        label="For which kind of payment",
        required=False,
        choices=[("", "Every kind"), *((code, choice(KINDS, code)) for code in KINDS)],
        widget=UnfoldAdminSelectWidget,
        help_text="Totals and numbers count payments of every kind; the limit is asked when a payment of this kind comes.",
    )
    measure = forms.ChoiceField(label="What is limited", choices=list(MEASURES.items()), widget=UnfoldAdminSelectWidget)
    bound = forms.CharField(
        label="Hits above",
        max_length=24,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text="An amount such as 5000.00, a number of transfers, or a factor such as 3 or 2.5.",
    )
    history = forms.ChoiceField(
        label="Measured by",
        required=False,
        choices=[("", "this amount or number itself"), *HISTORY.items()],
        widget=UnfoldAdminSelectWidget,
        help_text="A customer without earlier payments has no such figure: the limit then does not hit.",
    )
    action = forms.ChoiceField(label="What happens", choices=RuleAction.choices, widget=UnfoldAdminSelectWidget)
    customer_text = forms.CharField(
        label="What the customer reads",
        max_length=200,
        initial="This payment is above a limit, so we look at it first.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    def attach(self, error: DomainError) -> None:
        """What is wrong with the condition is wrong with the figure."""
        if error.field == "condition":
            self.add_error("bound", forms.ValidationError(error.text, code=error.error_code))
        else:
            super().attach(error)


def limit_page(admin: Any, request: HttpRequest, *, back: str) -> HttpResponse:
    """The form; a limit that fits becomes a draft, whose page comes next."""
    form = LimitForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            rule = services.draft_limit(actor=request.user, now=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            form.attach(error)
        else:
            return HttpResponseRedirect(admin.page_of(rule))
    request.crumb = "Set a limit"  # type: ignore[attr-defined]
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": "Set a limit",
        "form": form,
        "confirm": "Draft the limit",
        "note": "The limit becomes the draft of a rule: it is tried on the past and watched in shadow like any other.",
        "back": back,
    }
    status = 422 if form.is_bound and not form.is_valid() else 200
    return TemplateResponse(request, "admin/decision.html", context, status=status)
