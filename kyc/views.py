"""The identity check in the portal: a wizard that goes on where it was left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views import View

from common import geography
from common.errors import DomainError, NotFound
from identity.access import PortalMixin, turn_away
from kyc import queries, services
from kyc.forms import DocumentForm, PersonalForm
from kyc.models import Application, Document, RejectionKind, State
from kyc.rules import filenames, headers, limits, personal, serving

STEPS = (("personal", "About you"), ("documents", "Documents"), ("review", "Check and send"))
UPLOADS = {
    Document.Kind.IDENTITY: "Your passport or identity card, all four corners in the picture. Send both sides of a card.",
    Document.Kind.ADDRESS: "A bill or an official letter of the last three months with your name and address.",
    Document.Kind.SELFIE: "Your face from the front, in good light, without a hat or sunglasses.",
}
THUMBNAIL_SIDE = 320


def steps_for(current: str) -> list[dict[str, str]]:
    """The stepper's items with `current` as the present one."""
    names = [name for name, _ in STEPS]
    place = names.index(current)
    return [
        {
            "label": label,
            "state": "done" if number < place else "current" if number == place else "next",
            "url": reverse(f"kyc:{name}"),
        }
        for number, (name, label) in enumerate(STEPS)
    ]


def next_step(application: Application | None) -> str:
    """The name of the page where the person goes on."""
    if application is None or application.state == State.EXPIRED:
        return "kyc:start"
    if application.state != State.DRAFT:
        return "kyc:status"
    missing = queries.missing(application, today=timezone.now().date())
    if set(missing) & set(personal.FIELDS):
        return "kyc:personal"
    return "kyc:documents" if missing else "kyc:review"


class KycPage(PortalMixin):
    nav_active = "kyc"

    def page(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        return render(self.request, f"kyc/{template}.html", self.get_context_data(**context), status=status)


class DraftPage(KycPage):
    """A page of the wizard: there is a draft, or the router decides where to go."""

    application: Application
    draft: Application | None = None

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        found = queries.application_for(request.user) if request.user.is_authenticated else None
        self.draft = found if found and found.state == State.DRAFT else None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        away = turn_away(request)
        if away:
            return away
        if not hasattr(self, str(request.method).lower()):
            return self.http_method_not_allowed(request)
        if self.draft is None:
            return redirect("kyc:start")
        self.application = self.draft
        return super().dispatch(request, *args, **kwargs)


class Start(KycPage):
    """Routes to the right step; shows what is needed to somebody who has not begun."""

    def get(self, request: HttpRequest) -> HttpResponse:
        application = queries.application_for(request.user)
        target = next_step(application)
        if target != "kyc:start":
            return redirect(target)
        return self.page("start", expired=application is not None)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            application = services.start_or_resume(actor=request.user, now=timezone.now())
        except DomainError as error:
            messages.error(request, error.text)
            return redirect("kyc:status")
        return redirect(next_step(application))


class Personal(DraftPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        form = PersonalForm(initial=queries.details(self.application), today=timezone.now().date())
        return self.page("personal", form=form, steps=steps_for("personal"))

    def post(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        form = PersonalForm(request.POST, today=now.date())
        if form.is_valid():
            try:
                services.save_personal(
                    actor=request.user, application_id=self.application.pk, details=form.cleaned_data, now=now
                )
            except DomainError as error:
                form.attach(error)
            else:
                return redirect("kyc:documents")
        return self.page("personal", 422, form=form, steps=steps_for("personal"))


class Documents(DraftPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show()

    def post(self, request: HttpRequest) -> HttpResponse:
        form = DocumentForm(request.POST, request.FILES, auto_id=f"id_{request.POST.get('kind', '')}_%s")
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                # One byte above the limit is enough to refuse a larger file without reading all of it.
                services.add_document(
                    actor=request.user,
                    application_id=self.application.pk,
                    kind=form.cleaned_data["kind"],
                    data=upload.read(limits.MAX_FILE_BYTES + 1),
                    name=upload.name or "",
                    now=timezone.now(),
                )
            except DomainError as error:
                form.attach(error)
            else:
                messages.success(request, f"We have received {filenames.sanitise(upload.name or '')}.")
                return redirect("kyc:documents")
        return self._show(form, 422)

    def _show(self, bound: DocumentForm | None = None, status: int = 200) -> HttpResponse:
        held = queries.documents_of(self.application)
        bound_kind = str(bound.data.get("kind")) if bound else ""
        sections = [
            {
                "kind": kind.value,
                "title": str(kind.label),
                "text": text,
                "documents": [document for document in held if document.kind == kind],
                "form": bound
                if bound and bound_kind == kind
                else DocumentForm(initial={"kind": kind}, auto_id=f"id_{kind.value}_%s"),
            }
            for kind, text in UPLOADS.items()
        ]
        complete = all(section["documents"] for section in sections)
        return self.page(
            "documents", status, sections=sections, complete=complete, steps=steps_for("documents"), bound=bound
        )


class RemoveDocument(KycPage):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, document_id: UUID) -> HttpResponse:
        try:
            services.remove_document(actor=request.user, document_id=document_id, now=timezone.now())
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            messages.error(request, error.text)
        else:
            messages.success(request, "You removed the document.")
        return redirect("kyc:documents")


class Review(DraftPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show()

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            services.submit(actor=request.user, application_id=self.application.pk, now=timezone.now())
        except services.Incomplete as error:
            messages.error(request, error.text)
            return redirect("kyc:start")
        except DomainError as error:
            messages.error(request, error.text)
        return redirect("kyc:status")

    def _show(self) -> HttpResponse:
        target = next_step(self.application)
        if target != "kyc:review":
            return redirect(target)
        return self.page(
            "review",
            sections=rows_of(self.application),
            documents=queries.documents_of(self.application),
            steps=steps_for("review"),
        )


class Status(KycPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        application = queries.application_for(request.user)
        if application is None or application.state == State.DRAFT:
            return redirect("kyc:start")
        return self.page(
            "status",
            application=application,
            events=events_of(application),
            may_start=queries.may_start(request.user, now=timezone.now()),
            is_final=application.rejection_kind == RejectionKind.FINAL,
        )


class DocumentFile(PortalMixin, View):
    """The owner's own document, as an attachment."""

    def get(self, request: HttpRequest, document_id: UUID) -> HttpResponse:
        document = _own_document(request, document_id)
        name = f"{document.original_name.rsplit('.', 1)[0]}.{headers.SUFFIXES[document.content_type]}"
        return HttpResponse(
            queries.read_file(document),
            content_type=document.content_type,
            headers=serving.headers_for(name=name, inline=False),
        )


class Thumbnail(PortalMixin, View):
    """A small picture of the owner's own document."""

    def get(self, request: HttpRequest, document_id: UUID) -> HttpResponse:
        document = _own_document(request, document_id)
        picture, kind = queries.preview(document, page=1, side=THUMBNAIL_SIDE)
        return HttpResponse(picture, content_type=kind, headers=serving.headers_for(name="thumbnail", inline=False))


def _own_document(request: HttpRequest, document_id: UUID) -> Document:
    try:
        return queries.get_own_document(actor=request.user, document_id=document_id)
    except NotFound as error:
        raise Http404 from error


def rows_of(application: Application) -> list[dict[str, Any]]:
    """Personal data in sections of definition rows."""

    def rows(*pairs: tuple[str, object]) -> list[dict[str, object]]:
        return [{"label": label, "value": value} for label, value in pairs]

    country = geography.country_name
    return [
        {
            "title": "You",
            "rows": rows(
                ("Name", application.full_name),
                ("Date of birth", date_format(application.date_of_birth, "j M Y")),
                ("Nationality", country(application.nationality)),
                ("Phone", application.phone),
            ),
        },
        {
            "title": "Your document",
            "rows": rows(
                ("Document", application.get_document_kind_display()),
                ("Issued by", country(application.document_country)),
                ("Number", application.number_masked),
                ("Valid until", date_format(application.document_expiry, "j M Y")),
            ),
        },
        {
            "title": "Your home",
            "rows": rows(
                ("Address", application.address),
                ("Place", f"{application.postcode} {application.city}"),
                ("Country", country(application.home_country)),
            ),
        },
        {
            "title": "Your money",
            "rows": rows(
                ("Occupation", application.get_occupation_display()),
                ("Comes from", application.get_source_of_funds_display()),
                ("Expected in a month", application.get_expected_monthly_display()),
            ),
        },
    ]


def events_of(application: Application) -> list[dict[str, str]]:
    """The application's history for its owner, oldest first. The internal comment is never part of it."""

    def at(moment: Any) -> str:
        return date_format(timezone.localtime(moment), "j M Y, H:i")

    events = [{"title": "You began", "at": at(application.created_at)}]
    if application.submitted_at:
        events.append({"title": "You sent your application", "at": at(application.submitted_at)})
    if application.state == State.PENDING:
        events.append({"title": "We are checking", "text": "Usually within one working day.", "tone": "wait"})
    if application.decided_at:
        approved = application.state != State.REJECTED
        title = "We confirmed your identity" if approved else "We could not confirm your identity"
        events.append({"title": title, "at": at(application.decided_at), "tone": "ok" if approved else "bad"})
    if application.state == State.EXPIRED and application.expires_at:
        events.append({"title": "It expired", "at": at(application.expires_at)})
    return events
