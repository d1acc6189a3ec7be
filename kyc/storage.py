"""The private document store behind Django's default storage: a local folder, or S3."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from kyc.errors import StorageDown

_FAILURES = (OSError, BotoCoreError, ClientError)


def save(name: str, data: bytes) -> None:
    """Write a new file. Raises StorageDown."""
    try:
        saved = default_storage.save(name, ContentFile(data))
    except _FAILURES as error:
        raise StorageDown from error
    assert saved == name, "a random name is never taken"


def read(name: str) -> bytes:
    """The bytes of a file. Raises StorageDown when the store does not answer or has lost it."""
    try:
        with default_storage.open(name) as file:
            return bytes(file.read())
    except _FAILURES as error:
        raise StorageDown from error


def delete(name: str) -> None:
    """Delete a file; one that is gone already is fine. Raises StorageDown."""
    try:
        default_storage.delete(name)
    except _FAILURES as error:
        raise StorageDown from error
