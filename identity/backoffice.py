"""What every page of the back office is built from: lists that only show, and decisions that are confirmed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from common.db import use_case
from common.errors import DomainError, Forbidden, Invalid
from common.forms import DomainFormMixin
from common.money import Money
from identity import events


class WaitingFilter(admin.SimpleListFilter):
    """Shows the rows that wait for somebody unless another state is asked for.

    Subclasses say which `field` holds the state, what `states` there are, which one is `waiting`, and its `words`.
    """

    title = "state"
    parameter_name = "state"
    field: ClassVar[str]
    states: ClassVar[type[models.TextChoices]]
    waiting: ClassVar[str]
    words: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ALL", "All"), *((value, str(label)) for value, label in self.states.choices if value != self.waiting)]

    def choices(self, changelist: Any) -> Any:
        chosen = self.value()
        yield {
            "selected": chosen is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": self.words,
        }
        for value, title in self.lookup_choices:
            yield {
                "selected": chosen == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        chosen = self.value()
        if chosen == "ALL":
            return queryset
        return queryset.filter(**{self.field: chosen if chosen in self.states.values else self.waiting})


class ReadOnlyAdmin(ModelAdmin):
    """Shows; never adds, changes or deletes. Open to holders of `identity.<view_permission>`.

    What changes something is a detail action (or a `get_urls` view) that returns `decision_page(...)`.
    """

    view_permission: ClassVar[str]
    actions = None
    list_per_page = 50
    show_full_result_count = False
    list_fullwidth = True

    def get_urls(self) -> list[Any]:
        """Django's own pages of this table take no POST from anybody; decisions have addresses of their own."""
        urls = super().get_urls()
        base = f"{self.opts.app_label}_{self.opts.model_name}_"
        shown = {f"{base}{page}" for page in ("changelist", "add", "change", "delete", "history")}
        for entry in urls:
            if entry.name in shown:
                entry.callback = require_safe(entry.callback)
        return list(urls)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return bool(request.user.has_perm(f"identity.{self.view_permission}"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class DecisionForm(DomainFormMixin, forms.Form):
    """The reason of a decision; subclasses add what else the decision needs, above it."""

    reason = forms.CharField(
        label="Reason",
        min_length=3,
        max_length=2000,
        help_text="Kept in the audit trail with your name.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    field_order: ClassVar[list[str] | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.field_order is None:
            self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])


class Fact(NamedTuple):
    """One line of what is being decided; values are shown as text."""

    label: str
    value: object


Decide = Callable[[dict[str, Any]], object]


class MinorField(forms.CharField):
    """An amount as people write it, 20.00, kept in minor units of `currency`; zero is an amount too, nothing is None."""

    widget = UnfoldAdminTextInputWidget
    currency = settings.BASE_CURRENCY

    def prepare_value(self, value: Any) -> Any:
        return Money(value, self.currency).plain if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        text = super().clean(value).strip()
        if not text:
            return None
        if text and not text.strip("0."):
            return 0
        try:
            return Money.parse(text, self.currency).amount_minor
        except Invalid as error:
            raise forms.ValidationError(error.text, code=error.error_code) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.clean(data) != initial
        except forms.ValidationError:
            return True


def decision_page(
    admin: ModelAdmin,
    request: HttpRequest,
    *,
    permission: str,
    title: str,
    facts: Sequence[tuple[str, object]],
    decide: Decide,
    done: str | Callable[[Any], str],
    confirm: str,
    back: str,
    note: str = "",
    danger: bool = False,
    form_class: type[DecisionForm] = DecisionForm,
    initial: dict[str, Any] | None = None,
    audit_subject: tuple[str, object] | None = None,
) -> HttpResponse:
    """GET shows the facts and asks the reason; POST calls the one domain service and goes to `back`.

    `decide(cleaned_data)` calls the service; a DomainError shows on this page and changes nothing. `done` is the
    message (or makes it from what the service returned). `confirm` names the deed on the button. `audit_subject` is
    (kind, id) for the trail when somebody is refused. Raises PermissionDenied (403) without `identity.<permission>`.
    """
    if not request.user.has_perm(f"identity.{permission}"):
        record_refusal(request, permission=permission, subject=audit_subject)
        raise PermissionDenied
    form = form_class(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            outcome = decide(form.cleaned_data)
        except DomainError as error:
            if isinstance(error, Forbidden):
                record_refusal(request, permission=permission, subject=audit_subject, code=error.error_code)
            form.attach(error)
        else:
            messages.success(request, done(outcome) if callable(done) else done)
            return HttpResponseRedirect(back)
    request.crumb = title  # type: ignore[attr-defined]
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "facts": [Fact(label, value) for label, value in facts],
        "form": form,
        "confirm": confirm,
        "danger": danger,
        "note": note,
        "back": back,
    }
    return TemplateResponse(
        request, "admin/decision.html", context, status=422 if form.is_bound and not form.is_valid() else 200
    )


def record_refusal(
    request: HttpRequest,
    *,
    permission: str,
    subject: tuple[str, object] | None = None,
    code: str = "permission_missing",
) -> None:
    """Put a refused decision into the trail, in a transaction of its own."""
    kind, subject_id = subject or ("page", request.path[:64])
    with use_case():
        events.emit(
            events.Event(
                action="identity.decision_refused",
                user=None,
                actor=request.user,
                subject_kind=kind,
                subject_id=str(subject_id),
                data={"permission": permission, "code": code},
            )
        )
