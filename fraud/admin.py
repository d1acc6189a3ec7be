"""The fraud desk: the queue of cases, their files, decisions as they were made, and the rules."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import date
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST
from unfold.decorators import action, display

from common import geography
from common.errors import DomainError
from common.money import Money
from fraud import queries, services
from fraud.errors import InvalidCondition
from fraud.forms import RuleForm, TooRich, initial_of
from fraud.models import Case, CaseStatus, Decision, Rule, RuleState
from fraud.rules import conditions, wording
from fraud.rules.features import FEATURES
from identity.backoffice import ReadOnlyAdmin, decision_page

_STATUS_COLOURS = {
    "Open": "warning",
    "Released": "success",
    "Declined": "danger",
    "Live": "success",
    "Draft": "info",
    "Waiting for approval": "warning",
}
_OUTCOME_COLOURS = {
    "Held": "warning",
    "Refused": "danger",
    "Approved": "success",
    "Flagged": "warning",
    "Blocked": "danger",
}


class _FileAdmin(ReadOnlyAdmin):
    """A list whose entries open a page of our own instead of a form."""

    view_permission = "fraud_view"

    def _opened(self, request: HttpRequest, object_id: Any) -> Any:
        """The object, for somebody who may see it; raises PermissionDenied and Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, str(object_id))
        if found is None:
            raise Http404
        return found

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **context}
        return TemplateResponse(request, template, whole)

    def _url(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def _path(self, route: str, view: Callable[..., HttpResponse], name: str) -> Any:
        return path(
            route, self.admin_site.admin_view(view), name=f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        )


class MineFilter(admin.SimpleListFilter):
    title = "assigned to"
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me"), ("nobody", "Nobody")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        if self.value() == "me":
            return queryset.filter(assigned_to_id=request.user.pk)
        return queryset.filter(assigned_to=None) if self.value() == "nobody" else queryset


@admin.register(Case)
class CaseAdmin(_FileAdmin):
    list_display = ("opened", "waiting", "customer", "amount", "payee", "why", "kind", "state", "assignee")
    list_filter = ("status", "outcome", MineFilter, "transfer_type")
    search_fields = ("decision__beneficiary_label", "decision__account_label", "decision__beneficiary_ref")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        return queries.case_queue()

    def get_urls(self) -> list[Any]:
        return [
            self._path("<uuid:case_id>/release/", self.release, "release"),
            self._path("<uuid:case_id>/decline/", self.decline, "decline"),
            self._path("<uuid:case_id>/claim/", require_POST(self.claim), "claim"),
            self._path("<uuid:case_id>/put-back/", require_POST(self.put_back), "put_back"),
            self._path("<uuid:case_id>/note/", require_POST(self.note), "note"),
            *super().get_urls(),
        ]

    @display(description="Opened")
    def opened(self, case: Case) -> str:
        return date(case.opened_at, "j M Y H:i")

    @display(description="Waiting")
    def waiting(self, case: Case) -> str:
        return timesince(case.opened_at) if case.status == CaseStatus.OPEN else "–"

    @display(description="Customer")
    def customer(self, case: Any) -> str:
        return case.customer_name or str(case.customer_id)[:8]

    @display(description="Amount")
    def amount(self, case: Case) -> str:
        return str(Money(case.decision.amount_minor, case.decision.currency))

    @display(description="Payee")
    def payee(self, case: Case) -> str:
        return case.decision.beneficiary_label or case.decision.beneficiary_ref or "–"

    @display(description="Why")
    def why(self, case: Case) -> str:
        return ", ".join(reason["code"].replace("_", " ").capitalize() for reason in case.decision.reasons)

    @display(description="Payment", label=_OUTCOME_COLOURS)
    def kind(self, case: Case) -> str:
        return case.get_outcome_display()

    @display(description="Status", label=_STATUS_COLOURS)
    def state(self, case: Case) -> str:
        return case.get_status_display()

    @display(description="With")
    def assignee(self, case: Case) -> str:
        return case.assigned_to.get_full_name() if case.assigned_to else "–"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        case: Case = self._opened(request, object_id)
        file = queries.case_file(case)
        is_open = case.status == CaseStatus.OPEN
        own = case.customer_id == getattr(request.user, "public_id", None)
        return self._page(
            request,
            "admin/fraud/case.html",
            f"Case {str(case.pk)[:8]}",
            case=case,
            file=file,
            payment=self._payment(case, file),
            why=case.decision.reasons,
            recent=_recent_table(file.recent),
            earlier=_cases_table(file.earlier_cases, self._url),
            largest=_base(file.largest_90d_minor),
            percent=round(file.anomaly.percentile * 100, 1) if file.anomaly else None,
            status_colour=_STATUS_COLOURS.get(case.get_status_display(), "default"),
            outcome_colour=_OUTCOME_COLOURS[case.get_outcome_display()],
            may_decide=request.user.has_perm("identity.fraud_decide") and not own,
            is_open=is_open,
            refused=case.outcome == "BLOCKED",
            is_mine=case.assigned_to_id == request.user.pk,
            urls={name: self._url(name, case.pk) for name in ("release", "decline", "claim", "put_back", "note")},
        )

    def release(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._decide(request, case_id, "RELEASE")

    def decline(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._decide(request, case_id, "DECLINE")

    def claim(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._do(
            request,
            case_id,
            lambda: services.assign_case(actor=request.user, case_id=case_id, assignee=request.user),
            "This case is with you now.",
        )

    def put_back(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._do(
            request,
            case_id,
            lambda: services.release_assignment(actor=request.user, case_id=case_id),
            "You put this case back into the queue.",
        )

    def note(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        text = request.POST.get("text", "")
        return self._do(
            request,
            case_id,
            lambda: services.add_note(actor=request.user, case_id=case_id, text=text, now=timezone.now()),
            "You added a note.",
        )

    def _do(
        self, request: HttpRequest, case_id: uuid.UUID, deed: Callable[[], object], done: str
    ) -> HttpResponseRedirect:
        self._opened(request, case_id)
        if not request.user.has_perm("identity.fraud_decide"):
            raise PermissionDenied
        try:
            deed()
        except DomainError as error:
            messages.error(request, error.text)
        else:
            messages.success(request, done)
        return HttpResponseRedirect(self._url("change", case_id))

    def _decide(self, request: HttpRequest, case_id: uuid.UUID, decision: str) -> HttpResponse:
        case: Case = self._opened(request, case_id)
        release = decision == "RELEASE"
        money = Money(case.decision.amount_minor, case.decision.currency)
        if case.outcome == "BLOCKED":
            verb = "Clear this refused payment" if release else "Confirm fraud"
            note = "The payment was refused and stays refused; your answer teaches us whether that was right."
            done = "You cleared the suspicion." if release else "You confirmed the fraud."
        else:
            verb = "Release the payment" if release else "Decline the payment"
            note = (
                "The money goes to the payee at once."
                if release
                else "The customer gets the reserved money back at once."
            )
            done = f"You released {money}." if release else f"You declined {money}."
        return decision_page(
            self,
            request,
            permission="fraud_decide",
            title=verb,
            facts=self._payment(case, None),
            decide=lambda cleaned: services.decide_case(
                actor=request.user,  # type: ignore[arg-type]
                case_id=case_id,
                decision=decision,
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done=done,
            confirm=verb,
            back=self._url("change", case_id),
            note=note,
            danger=not release,
            audit_subject=("fraud_case", case_id),
        )

    def _payment(self, case: Case, file: queries.CaseFile | None) -> list[tuple[str, object]]:
        decision = case.decision
        customer = file.customer if file else queries.customer_of(case.customer_id)
        money = Money(decision.amount_minor, decision.currency)
        base = "" if decision.currency == settings.BASE_CURRENCY else f" ({_base(decision.amount_base_minor)})"
        home = geography.country_name(decision.home_country) or "not known"
        return [
            ("Amount", f"{money}{base}"),
            ("From", f"{customer.get_full_name() if customer else case.customer_id} {decision.account_label}".strip()),
            ("To", decision.beneficiary_label or decision.beneficiary_ref or "–"),
            ("When", date(decision.at, "j F Y, H:i:s e")),
            ("Asked for from", f"{geography.country_name(decision.country) or 'not known'}; at home in {home}"),
            ("Address", decision.ip or "–"),
            ("Channel", FEATURES["channel"].choices.get(decision.channel, decision.channel)),
        ]


@admin.register(Decision)
class DecisionAdmin(_FileAdmin):
    list_display = ("at", "amount", "transfer_type", "payee", "result", "score", "latency")
    list_filter = ("outcome", "transfer_type", "channel")
    search_fields = ("beneficiary_label", "account_label", "beneficiary_ref")
    ordering = ("-at", "-id")

    @display(description="Amount")
    def amount(self, decision: Decision) -> str:
        return str(Money(decision.amount_minor, decision.currency))

    @display(description="Payee")
    def payee(self, decision: Decision) -> str:
        return decision.beneficiary_label or decision.beneficiary_ref or "–"

    @display(description="Outcome", label=_OUTCOME_COLOURS)
    def result(self, decision: Decision) -> str:
        return decision.get_outcome_display()

    @display(description="Took")
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
            f"Decision {str(decision.pk)[:8]}",
            decision=decision,
            vector=vector,
            amount=self.amount(decision),
            payee=self.payee(decision),
            outcome_colour=_OUTCOME_COLOURS[decision.get_outcome_display()],
            case=Case.objects.filter(decision=decision).first(),
        )


@admin.register(Rule)
class RuleAdmin(_FileAdmin):
    list_display = ("name", "says", "effect", "where", "version", "made_by", "approved_by")
    list_filter = ("state", "action")
    search_fields = ("name", "code")
    list_select_related = ("maker", "checker")
    ordering = ("code", "-version", "id")
    actions_list = ("write_rule",)

    def get_urls(self) -> list[Any]:
        return [
            self._path("new/", self.edit, "new"),
            self._path("preview/", require_POST(self.preview), "preview"),
            self._path("<uuid:rule_id>/edit/", self.edit, "edit"),
            self._path("<uuid:rule_id>/new-version/", require_POST(self.new_version), "new_version"),
            self._path("<uuid:rule_id>/submit/", self.submit, "submit"),
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

    @display(description="In plain English")
    def says(self, rule: Rule) -> str:
        return _sentence(rule)

    @display(description="Then")
    def effect(self, rule: Rule) -> str:
        return rule.get_action_display()

    @display(description="State", label=_STATUS_COLOURS)
    def where(self, rule: Rule) -> str:
        return rule.get_state_display()

    @display(description="Written by")
    def made_by(self, rule: Rule) -> str:
        return rule.maker.get_full_name() if rule.maker else "shipped"

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
                "colour": _STATUS_COLOURS.get(version.get_state_display(), "default"),
                "url": self._url("change", version.pk),
                "maker": self.made_by(version),
                "checker": self.approved_by(version),
            }
            for version in queries.versions_of(rule)
        ]
        return self._page(
            request,
            "admin/fraud/rule.html",
            f"{rule.name}, version {rule.version}",
            rule=rule,
            sentence=_sentence(rule),
            versions=versions,
            colour=_STATUS_COLOURS.get(rule.get_state_display(), "default"),
            maker=self.made_by(rule),
            checker=self.approved_by(rule),
            deeds=self._deeds(request, rule),
        )

    def _deeds(self, request: HttpRequest, rule: Rule) -> dict[str, str]:
        """The addresses of what this person may do to this version now."""
        edits = request.user.has_perm("identity.fraud_edit_rules")
        approves = request.user.has_perm("identity.fraud_approve_rules")
        mine = rule.maker_id == request.user.pk
        being_changed = Rule.objects.filter(code=rule.code, state__in=[RuleState.DRAFT, RuleState.PENDING]).exists()
        possible = {
            "edit": edits and mine and rule.state == RuleState.DRAFT,
            "submit": edits and mine and rule.state == RuleState.DRAFT,
            "new_version": edits and not being_changed,
            "approve": approves and not mine and rule.state == RuleState.PENDING,
            "give_back": approves and rule.maker_id is not None and rule.state == RuleState.PENDING,
            "retire": rule.state != RuleState.RETIRED
            and (
                (mine and edits and rule.state == RuleState.DRAFT) or (approves and not (mine and rule.state == "LIVE"))
            ),
        }
        return {name: self._url(name, rule.pk) for name, allowed in possible.items() if allowed}

    def edit(self, request: HttpRequest, rule_id: uuid.UUID | None = None) -> HttpResponse:
        if not self.has_write_rule_permission(request):
            raise PermissionDenied
        rule: Rule | None = self._opened(request, rule_id) if rule_id else None
        too_rich = False
        initial: dict[str, Any] = {}
        if rule is not None:
            initial = {"name": rule.name, "action": rule.action, "customer_text": rule.customer_text}
            try:
                initial |= initial_of(rule.condition)
            except TooRich:
                too_rich = True
        form = RuleForm(request.POST or None, initial=initial, is_new=rule is None)
        if request.method == "POST" and form.is_valid() and "preview" not in request.POST:
            saved = self._save(request, rule, form)
            if saved is not None:
                messages.success(request, "You saved the draft. Submit it when it is ready for a colleague's approval.")
                return HttpResponseRedirect(self._url("change", saved.pk))
        return self._page(
            request,
            "admin/fraud/rule_form.html",
            f"Edit {rule.name}" if rule else "Write a rule",
            form=form,
            rule=rule,
            sentence=form.preview or (_sentence(rule) if rule and not form.is_bound else ""),
            too_rich=too_rich,
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
            verb="Submit for approval",
            note="Another person has to approve it before it is used.",
            done="You submitted the rule. Another person can approve it now.",
            decide=lambda reason: services.submit_rule(
                actor=request.user, rule_id=rule_id, reason=reason, now=timezone.now()
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
            decide=lambda reason: services.approve_rule(
                actor=request.user, rule_id=rule_id, reason=reason, now=timezone.now()
            ),
        )

    def give_back(self, request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
        return self._decision(
            request,
            rule_id,
            permission="fraud_approve_rules",
            verb="Return to its author",
            note="It becomes a draft again.",
            done="You returned the rule to its author.",
            decide=lambda reason: services.return_rule(actor=request.user, rule_id=rule_id, reason=reason),
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
            decide=lambda reason: services.retire_rule(
                actor=request.user, rule_id=rule_id, reason=reason, now=timezone.now()
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
        decide: Callable[[str], object],
        danger: bool = False,
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
            decide=lambda cleaned: decide(cleaned["reason"]),
            done=done,
            confirm=verb,
            back=self._url("change", rule_id),
            note=note,
            danger=danger,
            audit_subject=("fraud_rule", rule_id),
        )


def _sentence(rule: Rule) -> str:
    try:
        node = conditions.parse(rule.condition, currency=settings.BASE_CURRENCY)
    except InvalidCondition as error:
        return f"Cannot be read: {error.text}"
    return wording.sentence(node, currency=settings.BASE_CURRENCY)


def _base(minor: int | None) -> str:
    return "not known" if minor is None else str(Money(minor, settings.BASE_CURRENCY))


def _recent_table(decisions: list[Decision]) -> dict[str, Any]:
    return {
        "headers": ["When", "Amount", "To", "From country", "Outcome"],
        "rows": [
            [
                date(decision.at, "j M Y H:i"),
                str(Money(decision.amount_minor, decision.currency)),
                decision.beneficiary_label or decision.beneficiary_ref or "–",
                decision.country or "–",
                decision.get_outcome_display(),
            ]
            for decision in decisions
        ],
    }


def _cases_table(cases: list[Case], url: Callable[..., str]) -> list[dict[str, Any]]:
    return [
        {
            "url": url("change", case.pk),
            "opened": date(case.opened_at, "j M Y H:i"),
            "amount": str(Money(case.decision.amount_minor, case.decision.currency)),
            "status": case.get_status_display(),
            "reason": case.reason,
        }
        for case in cases
    ]
