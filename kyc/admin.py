"""KYC in the back office: the queue, the review page with the documents beside the data, decisions with a reason."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.timesince import timesince
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from common import geography
from common.encryption import SealBroken
from common.errors import DomainError, NotFound
from identity.backoffice import DecisionForm, ReadOnlyAdmin, WaitingFilter, decision_page, record_refusal
from kyc import queries, services
from kyc.models import Application, RejectionKind, State
from kyc.rules import headers, serving

PREVIEW_SIDE = 1200
LABELS = {"PENDING": "warning", "APPROVED": "success", "REJECTED": "danger", "EXPIRED": "info", "DRAFT": "info"}


class StateFilter(WaitingFilter):
    """Applications that wait for a decision, first."""

    field, states, waiting, words = "state", State, State.PENDING, "Being checked"


class ApprovalForm(DecisionForm):
    """The officer's comment; the customer never reads it."""


class RejectionForm(DecisionForm):
    field_order = ["kind", "public_reason", "reason"]
    kind = forms.ChoiceField(
        label="May the customer try again?", choices=RejectionKind.choices, widget=UnfoldAdminSelectWidget
    )
    public_reason = forms.CharField(
        label="Reason for the customer",
        min_length=10,
        max_length=1000,
        help_text="The customer reads this. Say what is wrong and what to send instead.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "Internal comment"
        self.fields["reason"].help_text = "For colleagues and the audit trail. The customer never reads it."


@admin.register(Application)
class ApplicationAdmin(ReadOnlyAdmin):
    view_permission: ClassVar[str] = "kyc_view"
    list_display = ["person", "email", "issued_by", "shown_state", "submitted_at", "waiting"]
    list_display_links = ["person"]
    list_filter = [StateFilter]
    search_fields = ["last_name", "first_name", "user__email"]
    search_help_text = "Name or e-mail address"
    list_select_related = ["user"]
    ordering = ["submitted_at", "id"]

    @display(description="Name", ordering="last_name")
    def person(self, application: Application) -> str:
        return application.full_name or "No name yet"

    @display(description="E-mail")
    def email(self, application: Application) -> str:
        return application.user.email

    @display(description="Document from")
    def issued_by(self, application: Application) -> str:
        return geography.country_name(application.document_country) if application.document_country else "–"

    @display(description="State", label=LABELS, ordering="state")
    def shown_state(self, application: Application) -> tuple[str, str]:
        return application.state, application.get_state_display()

    @display(description="Waiting")
    def waiting(self, application: Application) -> str:
        if application.state != State.PENDING or application.submitted_at is None:
            return "–"
        return timesince(application.submitted_at, depth=1)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:application_id>/approve/", wrap(self.approve_view), name="kyc_application_approve"),
            path("<uuid:application_id>/reject/", wrap(self.reject_view), name="kyc_application_reject"),
            path("<uuid:application_id>/number/", wrap(self.number_view), name="kyc_application_number"),
            path("document/<uuid:document_id>/", wrap(self.document_view), name="kyc_document_download"),
            path("document/<uuid:document_id>/page/<int:page>/", wrap(self.preview_view), name="kyc_document_preview"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The review page: data and checks on one side, the documents on the other. It only shows."""
        self._require(request, self.view_permission)
        application = self._application(object_id)
        return self._review_page(request, application)

    def approve_view(self, request: HttpRequest, application_id: UUID) -> HttpResponse:
        application = self._application(application_id)
        if self._decided_meanwhile(request, application):
            return HttpResponseRedirect(self._review_url(application_id))
        return decision_page(
            self,
            request,
            permission="kyc_decide",
            title=f"Confirm the identity of {application.full_name}",
            facts=self._facts(application),
            decide=lambda data: services.approve(
                actor=request.user, application_id=application_id, comment=data["reason"], now=timezone.now()
            ),
            done=f"You confirmed the identity of {application.full_name}.",
            confirm="Approve",
            back=self._review_url(application_id),
            note="The customer can open accounts at once and gets a message. The comment stays internal.",
            form_class=ApprovalForm,
            audit_subject=("kyc_application", application_id),
        )

    def reject_view(self, request: HttpRequest, application_id: UUID) -> HttpResponse:
        application = self._application(application_id)
        if self._decided_meanwhile(request, application):
            return HttpResponseRedirect(self._review_url(application_id))
        return decision_page(
            self,
            request,
            permission="kyc_decide",
            title=f"Decline the application of {application.full_name}",
            facts=self._facts(application),
            decide=lambda data: services.reject(
                actor=request.user,
                application_id=application_id,
                kind=data["kind"],
                public_reason=data["public_reason"],
                internal_comment=data["reason"],
                now=timezone.now(),
            ),
            done=f"You declined the application of {application.full_name}.",
            confirm="Decline",
            danger=True,
            back=self._review_url(application_id),
            form_class=RejectionForm,
            audit_subject=("kyc_application", application_id),
        )

    def _decided_meanwhile(self, request: HttpRequest, application: Application) -> bool:
        """Whether a stale link leads here: then the reader is told, and gets the review page instead of a form."""
        may_decide = request.user.has_perm("identity.kyc_decide")
        if request.method != "GET" or application.state == State.PENDING or not may_decide:
            return False
        messages.error(request, f"Nothing waits for a decision here: {_standing(application)}.")
        return True

    def number_view(self, request: HttpRequest, application_id: UUID) -> HttpResponse:
        """POST with a reason shows the number once, on the review page itself."""
        self._require(request, "kyc_decide")
        application = self._application(application_id)
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        try:
            number = services.reveal_number(
                actor=request.user, application_id=application_id, reason=request.POST.get("reason", "")
            )
        except (services.ReasonMissing, SealBroken) as error:
            return self._review_page(request, application, number_error=error.text, status=422)
        return self._review_page(request, application, number=number)

    def document_view(self, request: HttpRequest, document_id: UUID) -> HttpResponse:
        self._require(request, "kyc_document_view")
        try:
            document = services.view_as_staff(actor=request.user, document_id=document_id, purpose="download")
            data = queries.read_file(document)
        except NotFound as error:
            raise Http404 from error
        name = f"{document.kind.lower()}.{headers.SUFFIXES[document.content_type]}"
        return HttpResponse(
            data, content_type=document.content_type, headers=serving.headers_for(name=name, inline=False)
        )

    def preview_view(self, request: HttpRequest, document_id: UUID, page: int) -> HttpResponse:
        self._require(request, "kyc_document_view")
        try:
            picture, kind = services.read_preview_as_staff(
                actor=request.user, document_id=document_id, page=page, side=PREVIEW_SIDE
            )
        except DomainError as error:
            if isinstance(error, services.StorageDown):
                return HttpResponse(error.text, status=503, content_type="text/plain")
            raise Http404 from error
        return HttpResponse(picture, content_type=kind, headers=serving.headers_for(name="preview", inline=True))

    def _review_page(
        self,
        request: HttpRequest,
        application: Application,
        *,
        number: str = "",
        number_error: str = "",
        status: int = 200,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": application,
            "title": application.full_name or "No name yet",
            "state_colour": LABELS[application.state],
            "application": application,
            "sections": sections_of(application),
            "checks": queries.checks(application, now=timezone.now()),
            "documents": [
                {"document": document, "pages": range(1, document.pages + 1)}
                for document in queries.documents_of(application)
            ],
            "earlier": Application.objects.filter(user=application.user_id)
            .exclude(pk=application.pk)
            .select_related("decided_by")
            .newest_first(),
            "may_decide": application.state == State.PENDING
            and request.user.has_perm("identity.kyc_decide")
            and application.user_id != request.user.pk,
            "may_open_documents": request.user.has_perm("identity.kyc_document_view"),
            "may_reveal": request.user.has_perm("identity.kyc_decide"),
            "number": number,
            "number_error": number_error,
        }
        return TemplateResponse(request, "admin/kyc/review.html", context, status=status)

    def _require(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(f"identity.{permission}"):
            record_refusal(request, permission=permission)
            raise PermissionDenied

    def _application(self, application_id: UUID | str) -> Application:
        try:
            key = application_id if isinstance(application_id, UUID) else UUID(application_id)
        except ValueError as error:
            raise Http404 from error
        found = Application.objects.select_related("user", "decided_by").filter(pk=key).first()
        if found is None:
            raise Http404
        return found

    def _review_url(self, application_id: UUID) -> str:
        return reverse("admin:kyc_application_change", args=[application_id])

    def _facts(self, application: Application) -> list[tuple[str, object]]:
        found = queries.checks(application, now=timezone.now())
        warnings = [f"{check.label}: {check.text}" for check in found if check.outcome == "WARNING"]
        return [
            ("Name", application.full_name),
            ("E-mail", application.user.email),
            ("Date of birth", application.date_of_birth),
            ("Document", f"{application.get_document_kind_display()}, {application.number_masked}"),
            ("State", application.get_state_display()),
            ("Warnings", "; ".join(warnings) or "None"),
        ]


def _standing(application: Application) -> str:
    """What became of an application, and through whom."""
    text = f"the application is {application.get_state_display().lower()}"
    return f"{text}, by {application.decided_by.get_full_name()}" if application.decided_by else text


def sections_of(application: Application) -> list[tuple[str, list[tuple[str, object]]]]:
    """Everything the customer told, in sections of (label, value); the number stays masked."""
    country = geography.country_name
    return [
        (
            "Person",
            [
                ("First names", application.first_name),
                ("Last name", application.last_name),
                ("Date of birth", application.date_of_birth),
                ("Nationality", country(application.nationality)),
                ("E-mail", application.user.email),
                ("Phone", application.phone),
            ],
        ),
        (
            "Identity document",
            [
                ("Kind", application.get_document_kind_display()),
                ("Issued by", country(application.document_country)),
                ("Number", application.number_masked),
                ("Valid until", application.document_expiry),
            ],
        ),
        (
            "Address",
            [
                ("Street", application.address),
                ("Place", f"{application.postcode} {application.city}"),
                ("Country", country(application.home_country)),
            ],
        ),
        (
            "Money",
            [
                ("Occupation", application.get_occupation_display()),
                ("Source of funds", application.get_source_of_funds_display()),
                ("Expected in a month", application.get_expected_monthly_display()),
            ],
        ),
    ]
