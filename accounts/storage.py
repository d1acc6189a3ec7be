"""The private store of issued statements behind Django's default storage: a local folder, or S3."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from django.core.files.storage import default_storage

from accounts.errors import StoreDown

_FAILURES = (OSError, BotoCoreError, ClientError)


def save(name: str, content: File[bytes]) -> None:
    """Write a new file. Raises StoreDown."""
    try:
        saved = default_storage.save(name, content)
    except _FAILURES as error:
        raise StoreDown from error
    assert saved == name, "a random name is never taken"


def chunks(name: str) -> Iterator[bytes]:
    """The file's bytes, piece by piece. Raises StoreDown when the store does not answer or has lost it."""
    try:
        with default_storage.open(name) as file:
            yield from file.chunks()
    except _FAILURES as error:
        raise StoreDown from error


def delete(name: str) -> None:
    """Delete a file; one that is gone already is fine. Raises StoreDown."""
    try:
        default_storage.delete(name)
    except _FAILURES as error:
        raise StoreDown from error
