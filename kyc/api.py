"""The identity check through the API: a customer's own applications and documents."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.rest import ApiView, Page, ProblemSerializer
from identity.authentication import FOR_CUSTOMERS
from kyc import queries, services
from kyc.rules import headers, limits, serving
from kyc.serializers import ApplicationOut, DetailsIn, DocumentIn, DocumentOut

TAGS = ["kyc"]
_NOT_FOUND = OpenApiResponse(ProblemSerializer, description="There is none, or it is not yours.")
_INVALID = OpenApiResponse(ProblemSerializer, description="`kyc_invalid_details`; every fault is in `data.errors`.")
_CONFLICT = OpenApiResponse(ProblemSerializer, description="`kyc_not_editable`, `kyc_document_quota`, `kyc_incomplete`")
_DETAILS = OpenApiExample(
    "A person",
    request_only=True,
    value={
        "first_name": "Asha",
        "last_name": "Rao",
        "date_of_birth": "1990-04-12",
        "nationality": "DE",
        "document_kind": "PASSPORT",
        "document_country": "DE",
        "document_number": "C01X00T47",
        "document_expiry": "2032-01-31",
        "address": "Lindenstrasse 12",
        "city": "Berlin",
        "postcode": "10969",
        "home_country": "DE",
        "phone": "+493012345678",
        "occupation": "EMPLOYED",
        "source_of_funds": "SALARY",
        "expected_monthly": "1K_TO_3K",
    },
)
_EMPTY = {401: ProblemSerializer, 404: _NOT_FOUND}


class Applications(ApiView):
    permission_classes = FOR_CUSTOMERS

    @extend_schema(
        operation_id="kyc_applications_list",
        summary="List your applications",
        tags=TAGS,
        responses={200: ApplicationOut(many=True), 401: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        pages = Page()
        page = pages.paginate_queryset(queries.applications_for(request.user), request, view=self)
        return pages.get_paginated_response(ApplicationOut(page or [], many=True).data)

    @extend_schema(
        operation_id="kyc_applications_create",
        summary="Start an application, or resume the open one",
        tags=TAGS,
        request=DetailsIn,
        responses={201: ApplicationOut, 400: ProblemSerializer, 401: ProblemSerializer, 409: _CONFLICT, 422: _INVALID},
        examples=[_DETAILS],
    )
    def post(self, request: Request) -> Response:
        details = DetailsIn(data=request.data)
        details.is_valid(raise_exception=True)
        application = services.start_with(actor=request.user, details=details.validated_data, now=timezone.now())
        return Response(ApplicationOut(application).data, status=201)


class ApplicationDetail(ApiView):
    @extend_schema(
        operation_id="kyc_applications_read",
        summary="Read an application",
        tags=TAGS,
        responses={200: ApplicationOut, **_EMPTY},
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        application = queries.get_application_for(actor=request.user, application_id=application_id)
        return Response(ApplicationOut(application).data)

    @extend_schema(
        operation_id="kyc_applications_update",
        summary="Change personal data of a draft",
        tags=TAGS,
        request=DetailsIn,
        responses={200: ApplicationOut, 400: ProblemSerializer, 409: _CONFLICT, 422: _INVALID, **_EMPTY},
        examples=[_DETAILS],
    )
    def patch(self, request: Request, application_id: UUID) -> Response:
        details = DetailsIn(data=request.data)
        details.is_valid(raise_exception=True)
        application = services.save_personal(
            actor=request.user, application_id=application_id, details=details.validated_data, now=timezone.now()
        )
        return Response(ApplicationOut(application).data)


class ApplicationDocuments(ApiView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="kyc_documents_list",
        summary="List the documents of an application",
        tags=TAGS,
        responses={200: DocumentOut(many=True), **_EMPTY},
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        application = queries.get_application_for(actor=request.user, application_id=application_id)
        return Response(DocumentOut(queries.documents_of(application), many=True).data)

    @extend_schema(
        operation_id="kyc_documents_add",
        summary="Add a document",
        description="The type is decided by content. Pictures and PDFs are written anew without metadata.",
        tags=TAGS,
        request={"multipart/form-data": DocumentIn},
        responses={201: DocumentOut, 400: ProblemSerializer, 409: _CONFLICT, 422: ProblemSerializer, **_EMPTY},
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        given = DocumentIn(data=request.data)
        given.is_valid(raise_exception=True)
        upload = given.validated_data["file"]
        document = services.add_document(
            actor=request.user,
            application_id=application_id,
            kind=given.validated_data["kind"],
            data=upload.read(limits.MAX_FILE_BYTES + 1),
            name=upload.name or "",
            now=timezone.now(),
        )
        return Response(DocumentOut(document).data, status=201)


class DocumentDetail(ApiView):
    @extend_schema(
        operation_id="kyc_documents_download",
        summary="Download one of your documents",
        tags=TAGS,
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **_EMPTY},
    )
    def get(self, request: Request, document_id: UUID) -> HttpResponse:
        document = queries.get_own_document(actor=request.user, document_id=document_id)
        name = f"{document.original_name.rsplit('.', 1)[0]}.{headers.SUFFIXES[document.content_type]}"
        return HttpResponse(
            queries.read_file(document),
            content_type=document.content_type,
            headers=serving.headers_for(name=name, inline=False),
        )

    @extend_schema(
        operation_id="kyc_documents_remove",
        summary="Remove a document from a draft",
        tags=TAGS,
        responses={204: None, 409: _CONFLICT, **_EMPTY},
    )
    def delete(self, request: Request, document_id: UUID) -> Response:
        services.remove_document(actor=request.user, document_id=document_id, now=timezone.now())
        return Response(status=204)


class ApplicationSubmit(ApiView):
    @extend_schema(
        operation_id="kyc_applications_submit",
        summary="Send a complete application to compliance",
        tags=TAGS,
        request=None,
        responses={200: ApplicationOut, 409: _CONFLICT, **_EMPTY},
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        application = services.submit(actor=request.user, application_id=application_id, now=timezone.now())
        return Response(ApplicationOut(application).data)
