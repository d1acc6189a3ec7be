"""What the API reads and writes about identity checks. The document number leaves masked."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from kyc.models import Application, Document
from kyc.rules import personal


class DetailsIn(serializers.Serializer[Any]):
    """Personal data; send what you have, the rest may follow with PATCH."""

    first_name = serializers.CharField(required=False, max_length=80)
    last_name = serializers.CharField(required=False, max_length=80)
    date_of_birth = serializers.DateField(required=False)
    nationality = serializers.CharField(required=False, max_length=2, help_text="ISO 3166 alpha-2.")
    document_kind = serializers.ChoiceField(required=False, choices=list(personal.DOCUMENT_KINDS.items()))
    document_country = serializers.CharField(required=False, max_length=2, help_text="ISO 3166 alpha-2.")
    document_number = serializers.CharField(required=False, max_length=30)
    document_expiry = serializers.DateField(required=False)
    address = serializers.CharField(required=False, max_length=160)
    city = serializers.CharField(required=False, max_length=80)
    postcode = serializers.CharField(required=False, max_length=16)
    home_country = serializers.CharField(required=False, max_length=2, help_text="ISO 3166 alpha-2.")
    phone = serializers.CharField(required=False, max_length=24, help_text="With country code.")
    occupation = serializers.ChoiceField(required=False, choices=list(personal.OCCUPATIONS.items()))
    source_of_funds = serializers.ChoiceField(required=False, choices=list(personal.FUNDS.items()))
    expected_monthly = serializers.ChoiceField(required=False, choices=list(personal.MONTHLY_AMOUNTS.items()))


class DocumentIn(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Document.Kind.choices)
    file = serializers.FileField(allow_empty_file=True, help_text="PDF, JPEG, PNG or WebP; up to 8 MB.")


class DocumentOut(serializers.ModelSerializer[Document]):
    name = serializers.CharField(source="original_name", help_text="What you called the file, made harmless.")

    class Meta:
        model = Document
        fields = ["id", "kind", "name", "content_type", "size", "pages", "sha256", "uploaded_at"]


class ApplicationOut(serializers.ModelSerializer[Application]):
    document_number = serializers.CharField(source="number_masked", help_text="Masked.")
    documents = DocumentOut(many=True)

    class Meta:
        model = Application
        fields = [
            "id",
            "state",
            *personal.FIELDS,
            "documents",
            "created_at",
            "submitted_at",
            "decided_at",
            "rejection_kind",
            "public_reason",
            "expires_at",
        ]
