"""The rules: their list, their versions, what they did on the past and in shadow, and decisions by four eyes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import action, display

from common.errors import DomainError
from fraud import queries, services
from fraud.admin import trials
from fraud.admin.files import STATUS_COLOURS, FileAdmin
from fraud.admin.forms import BacktestForm, PeriodForm
from fraud.admin.limits import limit_page
from fraud.errors import InvalidCondition
from fraud.forms import RuleForm, TooRich, initial_of
from fraud.models import Rule, RuleAction, RuleState
from fraud.queries import trials as trial_queries
from fraud.rules import conditions, wording
from fraud.rules.features import FEATURES
from identity.backoffice import DecisionForm, decision_page


@admin.register(Rule)
class RuleAdmin(FileAdmin):
    list_display = ("name", "says", "effect", "where", "version", "made_by", "approved_by")
    list_filter = ("state", "action")
    search_fields = ("name", "code")
    list_select_related = ("maker", "checker")
    ordering = ("code", "-version", "id")
    actions_list = ("write_rule", "set_limit")

    def get_urls(self) -> list[Any]:
        return [
            self._path("new/", self.edit, "new"),
            self._path("limit/", self.limit, "limit"),
            self._path("preview/", require_POST(self.preview), "preview"),
            self._path("<uuid:rule_id>/edit/", self.edit, "edit"),
            self._path("<uuid:rule_id>/new-version/", require_POST(self.new_version), "new_version"),
            self._path("<uuid:rule_id>/submit/", self.submit, "submit"),
            self._path("<uuid:rule_id>/backtest/", self.try_again, "backtest"),
            self._path("<uuid:rule_id>/backtests/", self.backtests, "backtests"),
            self._path("<uuid:rule_id>/shadow/", self.shadow, "shadow"),
            self._path("<uuid:rule_id>/approve/", self.approve, "approve"),
            self._path("<uuid:rule_id>/return/", self.give_back, "give_back"),
            self._path("<uuid:rule_id>/retire/", self.retire, "retire"),
            *super().get_urls(),
        ]

    def has_write_rule_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("identity.fraud_edit_rules")

    @action(description="Write a new rule", url_path="write-rule", icon="add", permissions=["write_rule"])
    def write_rule(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._url("new"))

    def has_set_limit_permission(self, request: HttpRequest) -> bool:
        return self.has_write_rule_permission(request)

    @action(description="Set a limit", url_path="set-limit", icon="speed", permissions=["set_limit"])
    def set_limit(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._url("limit"))

    def limit(self, request: HttpRequest) -> HttpResponse:
        if not self.has_write_rule_permission(request):
            raise PermissionDenied
        return limit_page(self, request, back=self._url("changelist"))

    def page_of(self, rule: Rule) -> str:
        return self._url("change", rule.pk)

    @display(description="In plain English")
    def says(self, rule: Rule) -> str:
        return _sentence(rule)

    @display(description="Then")
    def effect(self, rule: Rule) -> str:
        return rule.get_action_display()

    @display(description="State", label=STATUS_COLOURS)
    def where(self, rule: Rule) -> str:
        return rule.get_state_display()

    @display(description="Written by")
    def made_by(self, rule: Rule) -> str:
        return rule.maker.get_full_name() if rule.maker else "Shipped with the system"

    @display(description="Approved by")
    def approved_by(self, rule: Rule) -> str:
        return rule.checker.get_full_name() if rule.checker else "–"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        rule: Rule = self._opened(request, object_id)
        versions = [
            {
                "rule": version,
                "sentence": _sentence(version),
                "colour": STATUS_COLOURS.get(version.get_state_display(), "default"),
                "url": self._url("change", version.pk),
                "people": _people(version),
            }
            for version in queries.versions_of(rule)
        ]
        return self._page(
            request,
            "admin/fraud/rule.html",
            f"{rule.name}, version {rule.version}",
            original=rule,
            rule=rule,
            sentence=_sentence(rule),
            versions=versions,
            colour=STATUS_COLOURS.get(rule.get_state_display(), "default"),
            people=_people(rule),
            deeds=self._deeds(request, rule),
            mine=rule.maker_id == request.user.pk,
            stages=trials.stages(rule),
            next_step=trials.NEXT[RuleState(rule.state)],
            shadow=trials.shadowed(rule),
            stopped=trial_queries.live_count(rule),
            **self._tried(rule),
        )

    def _tried(self, rule: Rule) -> dict[str, Any]:
        names = queries.rule_names()
        tried = [trials.shown(backtest, names) for backtest in trial_queries.backtests_of(rule)]
        return {"backtests": tried, "backtests_url": self._url("backtests", rule.pk)}

    def backtests(self, request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
        """The backtests alone, asked for again while one runs."""
        rule: Rule = self._opened(request, rule_id)
        return TemplateResponse(request, "admin/fraud/_backtests.html", self._tried(rule))

    def _deeds(self, request: HttpRequest, rule: Rule) -> dict[str, str]:
        """The addresses of what this person may do to this version now."""
        edits = request.user.has_perm("identity.fraud_edit_rules")
        approves = request.user.has_perm("identity.fraud_approve_rules")
        mine = rule.maker_id == request.user.pk
        being_changed = Rule.objects.filter(code=rule.code, state__in=services.CANDIDATE).exists()
        possible = {
            "edit": edits and mine and rule.state == RuleState.DRAFT,
            "submit": edits and mine and rule.state == RuleState.DRAFT,
            "new_version": edits and not being_changed,
            "backtest": edits and rule.state != RuleState.RETIRED,
            "shadow": edits and rule.state == RuleState.BACKTEST and services.was_tried(rule),
            "approve": approves and not mine and rule.state == RuleState.SHADOW,
            "give_back": (edits if mine else approves and rule.maker_id is not None)
            and rule.state in (RuleState.BACKTEST, RuleState.SHADOW),
            "retire": rule.state != RuleState.RETIRED
            and (
                (mine and edits and rule.state == RuleState.DRAFT) or (approves and not (mine and rule.state == "LIVE"))
            ),
        }
        deeds = {name: self._url(name, rule.pk) for name, allowed in possible.items() if allowed}
        decides = request.user.has_perm("identity.fraud_decide")
        if decides and rule.state == RuleState.LIVE and rule.action == RuleAction.FLAG:
            deeds["snooze"] = f"{reverse('admin:fraud_snooze_new')}?rule={rule.code}"
        return deeds

    def edit(self, request: HttpRequest, rule_id: uuid.UUID | None = None) -> HttpResponse:
        if not self.has_write_rule_permission(request):
            raise PermissionDenied
        rule: Rule | None = self._opened(request, rule_id) if rule_id else None
        kept: dict[str, Any] | None = None
        initial: dict[str, Any] = {}
        if rule is not None:
            initial = {"name": rule.name, "action": rule.action, "customer_text": rule.customer_text}
            try:
                initial |= initial_of(rule.condition)
            except TooRich:
                kept = rule.condition
        if rule is not None and request.method == "GET" and "edit" not in self._deeds(request, rule):
            messages.error(request, _why_not_editable(request, rule))
            return HttpResponseRedirect(self._url("change", rule.pk))
        form = RuleForm(request.POST or None, initial=initial, is_new=rule is None, kept=kept)
        if request.method == "POST" and form.is_valid() and "preview" not in request.POST:
            saved = self._save(request, rule, form)
            if saved is not None:
                messages.success(request, "You saved the draft. When it is ready, try it on the past.")
                return HttpResponseRedirect(self._url("change", saved.pk))
        return self._page(
            request,
            "admin/fraud/rule_form.html",
            f"Edit {rule.name}" if rule else "Write a rule",
            form=form,
            rule=rule,
            original=rule,
            sentence=form.preview or (_sentence(rule) if rule and not form.is_bound else ""),
            kept=kept is not None,
            preview_url=self._url("preview"),
            back=self._url("change", rule.pk) if rule else self._url("changelist"),
            features=FEATURES.values(),
        )

    def _save(self, request: HttpRequest, rule: Rule | None, form: RuleForm) -> Rule | None:
        fields = {key: form.cleaned_data[key] for key in ("name", "action", "customer_text")}
        fields["condition"] = form.condition
        try:
            if rule is None:
                code = form.cleaned_data["code"].strip().upper()
                return services.draft_rule(actor=request.user, code=code, now=timezone.now(), **fields)
            return services.update_rule(actor=request.user, rule_id=rule.pk, **fields)
        except DomainError as error:
            form.attach(error)
            return None

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The sentence alone, while somebody types."""
        if not self.has_write_rule_permission(request):
            raise PermissionDenied
        form = RuleForm(request.POST, is_new=False)
        form.is_valid()
        return TemplateResponse(request, "admin/fraud/_preview.html", {"sentence": form.preview})

    def new_version(self, request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
        self._opened(request, rule_id)
        if not self.has_write_rule_permission(request):
            raise PermissionDenied
        try:
            rule = services.new_version(actor=request.user, rule_id=rule_id, now=timezone.now())
        except DomainError as error:
            messages.error(request, error.text)
            return HttpResponseRedirect(self._url("change", rule_id))
        return HttpResponseRedirect(self._url("edit", rule.pk))

    def submit(self, request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
        return self._decision(
            request,
            rule_id,
            permission="fraud_edit_rules",
            verb="Try it on the past",
            note="Its text stays as it is from now on. It decides nothing yet.",
            done="The rule is being tried on stored payments. Its figures appear on this page.",
            form_class=BacktestForm,
            decide=lambda cleaned: services.submit_rule(
                actor=request.user,
                rule_id=rule_id,
                reason=cleaned["reason"],
                days=cleaned["days"],
                now=timezone.now(),
            ),
        )

    def try_again(self, request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
        def ask(cleaned: dict[str, Any]) -> object:
            now = timezone.now()
            since = now - timedelta(days=cleaned["days"])
            return services.request_backtest(actor=request.user, rule_id=rule_id, from_at=since, to_at=now, now=now)

        return self._decision(
            request,
            rule_id,
            permission="fraud_edit_rules",
            verb="Try it on another period",
            note="Nothing about the rule changes.",
            done="The rule is being tried on stored payments. Its figures appear on this page.",
            form_class=PeriodForm,
            decide=ask,
        )

    def shadow(self, request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
        return self._decision(
            request,
            rule_id,
            permission="fraud_edit_rules",
            verb="Put it in shadow",
            note="It is asked about every payment from now on and decides nothing. Another person puts it live.",
            done="The rule is in shadow. Its hits appear on this page.",
            decide=lambda cleaned: services.shadow_rule(
                actor=request.user, rule_id=rule_id, reason=cleaned["reason"], now=timezone.now()
            ),
        )

    def approve(self, request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
        return self._decision(
            request,
            rule_id,
            permission="fraud_approve_rules",
            verb="Put this rule live",
            note="It judges the very next payment. A version that is live now retires.",
            done="The rule is live.",
            decide=lambda cleaned: services.approve_rule(
                actor=request.user, rule_id=rule_id, reason=cleaned["reason"], now=timezone.now()
            ),
        )

    def give_back(self, request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
        rule: Rule = self._opened(request, rule_id)
        own = rule.maker_id == request.user.pk
        return self._decision(
            request,
            rule_id,
            permission="fraud_edit_rules" if own else "fraud_approve_rules",
            verb="Take it back" if own else "Return to its author",
            note="It becomes a draft again, and has to be tried on the past anew.",
            done="The rule is a draft again." if own else "You returned the rule to its author.",
            decide=lambda cleaned: services.return_rule(
                actor=request.user, rule_id=rule_id, reason=cleaned["reason"], now=timezone.now()
            ),
        )

    def retire(self, request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
        rule: Rule = self._opened(request, rule_id)
        own_draft = rule.state == RuleState.DRAFT and rule.maker_id == request.user.pk
        return self._decision(
            request,
            rule_id,
            permission="fraud_edit_rules" if own_draft else "fraud_approve_rules",
            verb="Retire this version",
            note="It is kept for the record and can be copied into a new version.",
            done="You retired the rule.",
            decide=lambda cleaned: services.retire_rule(
                actor=request.user, rule_id=rule_id, reason=cleaned["reason"], now=timezone.now()
            ),
            danger=True,
        )

    def _decision(
        self,
        request: HttpRequest,
        rule_id: uuid.UUID,
        *,
        permission: str,
        verb: str,
        note: str,
        done: str,
        decide: Callable[[dict[str, Any]], object],
        danger: bool = False,
        form_class: type[DecisionForm] = DecisionForm,
    ) -> HttpResponse:
        rule: Rule = self._opened(request, rule_id)
        return decision_page(
            self,
            request,
            permission=permission,
            title=f"{verb}: {rule.name}",
            facts=[
                ("Version", f"{rule.version} ({rule.get_state_display().lower()})"),
                ("Hits when", _sentence(rule)),
                ("Then", rule.get_action_display()),
                ("The customer reads", rule.customer_text),
                ("Written by", self.made_by(rule)),
            ],
            decide=decide,
            form_class=form_class,
            done=done,
            confirm=verb,
            back=self._url("change", rule_id),
            note=note,
            danger=danger,
            audit_subject=("fraud_rule", rule_id),
        )


def _people(rule: Rule) -> str:
    """Who wrote and who approved a version, as a sentence."""
    wrote = f"Written by {rule.maker.get_full_name()}" if rule.maker else "Shipped with the system"
    return f"{wrote}, approved by {rule.checker.get_full_name()}." if rule.checker else f"{wrote}."


def _why_not_editable(request: HttpRequest, rule: Rule) -> str:
    if rule.state != RuleState.DRAFT:
        return f"This version is {rule.get_state_display().lower()} and stays as it is: change it as a new version."
    return "This draft belongs to somebody else."


def _sentence(rule: Rule) -> str:
    try:
        node = conditions.parse(rule.condition, currency=settings.BASE_CURRENCY)
    except InvalidCondition as error:
        return f"Cannot be read: {error.text}"
    return wording.sentence(node, currency=settings.BASE_CURRENCY)
