"""Stored model versions as layers that score."""

from __future__ import annotations

import hashlib

from django.conf import settings

from fraud.models import ModelVersion
from fraud.rules.learning.artifact import Opened, Sealed, unseal


def signing_key() -> bytes:
    """The key of all manifests, from the installation's secret."""
    return hashlib.sha256(b"bankportal.fraud.models:" + settings.SECRET_KEY.encode()).digest()


def opened(version: ModelVersion) -> Opened:
    """The version's layers, checked. Raises BrokenArtifact."""
    files = {file.name: bytes(file.data) for file in version.files.all()}
    return unseal(Sealed(version.manifest, version.signature, files), key=signing_key())
