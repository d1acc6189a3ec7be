"""Documents pass the virus scanner where one is set, and no document passes one that fails (V5.4.3)."""

from __future__ import annotations

import socketserver
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from identity.models import User
from kyc import services
from kyc.models import Document
from tests.kyc import files
from tests.kyc.helpers import draft, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
# Harmless by agreement, and known to every scanner; in two parts, so that none takes this file for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Daemon(socketserver.ThreadingUnixStreamServer):
    """Speaks the INSTREAM command, knows one signature, and can be told to answer something else."""

    daemon_threads = True
    answer: bytes | None = None

    class Line(socketserver.StreamRequestHandler):
        server: Daemon

        def handle(self) -> None:
            assert self.rfile.read(10) == b"zINSTREAM\0"
            seen = b""
            while length := struct.unpack("!L", self.rfile.read(4))[0]:
                seen += self.rfile.read(length)
            found = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in seen else b"stream: OK\0"
            self.wfile.write(found if self.server.answer is None else self.server.answer)


@pytest.fixture
def daemon(settings: Any) -> Iterator[Daemon]:
    # A socket's path may have a hundred characters; pytest's own folders are longer.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clamd.ctl"
        with Daemon(str(path), Daemon.Line) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            settings.CLAMD_URL = f"unix://{path}"
            yield server
            server.shutdown()


def test_a_clean_file_passes(daemon: Daemon, alice: User) -> None:
    assert upload(alice, draft(alice)).size > 0


def test_a_known_file_is_refused_and_kept_nowhere(daemon: Daemon, alice: User) -> None:
    application = draft(alice)
    with pytest.raises(services.DocumentRefused, match="virus scanner") as refusal:
        send(alice, application, files.picture() + EICAR)
    assert refusal.value.error_code == "kyc_document_malware"
    assert not Document.objects.exists()
    assert not default_storage.exists("kyc") or default_storage.listdir("kyc")[1] == []
    event = AuditEvent.objects.get(action="kyc.malware_refused")
    assert event.data["found"] == "Eicar-Test-Signature"
    assert "EICAR-STANDARD" not in str(event.data)


@pytest.mark.parametrize("answer", [b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: OK but not quite\0"])
def test_any_other_answer_lets_nothing_through(answer: bytes, daemon: Daemon, alice: User) -> None:
    daemon.answer = answer
    with pytest.raises(services.ScannerDown):
        upload(alice, draft(alice))
    assert not Document.objects.exists()


@pytest.mark.parametrize("url", ["unix:///nowhere/clamd.ctl", "tcp://127.0.0.1:1"])
def test_a_scanner_that_is_down_lets_nothing_through_and_the_answer_says_so(
    url: str, alice: User, api: Callable[[User], APIClient], settings: Any
) -> None:
    settings.CLAMD_URL = url
    answer = api(alice).post(
        f"/api/v1/kyc/applications/{draft(alice).pk}/documents",
        {"kind": "IDENTITY", "file": SimpleUploadedFile("card.jpg", files.picture(), "image/jpeg")},
        format="multipart",
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "kyc_scanner_unavailable")
    assert not Document.objects.exists()


def send(user: User, application: Any, data: bytes) -> Document:
    return services.add_document(
        actor=user, application_id=application.pk, kind="IDENTITY", data=data, name="x.jpg", now=timezone.now()
    )
