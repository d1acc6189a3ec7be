"""Strangers' files are opened in a process of their own, with hard limits on memory, time and files.

Decoders are written in C and files are written by attackers. A bomb, an endless loop or a crash ends that process
and becomes a refusal; the bank's process goes on.

The two speak over pipes: one JSON line, then bytes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from kyc.errors import DocumentRefused
from kyc.rules import documents, limits, previews

_ROOT = Path(__file__).resolve().parent.parent.parent
# A web process with many threads must not open many bombs at the same time.
_TURNS = threading.BoundedSemaphore(2)


def sanitise(data: bytes) -> documents.CleanDocument:
    """`documents.sanitise` in a limited process. Raises DocumentRefused."""
    documents.check_length(len(data))
    head, body = _run({"do": "sanitise"}, data)
    return documents.CleanDocument(body, head["content_type"], head["pages"])


def preview(data: bytes, *, content_type: str, page: int, side: int) -> tuple[bytes, str]:
    """`previews.render` in a limited process. Raises DocumentRefused."""
    head, body = _run({"do": "preview", "content_type": content_type, "page": page, "side": side}, data)
    return body, head["content_type"]


def _run(task: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    too_complex = DocumentRefused("This file takes too much to open.", code="kyc_document_too_complex")
    command = [sys.executable, "-m", "kyc.rules.isolation"]
    try:
        # The command is our own module; the file travels on standard input and is never a part of it.
        with _TURNS:
            done = subprocess.run(  # noqa: S603
                command,
                input=json.dumps(task).encode() + b"\n" + data,
                capture_output=True,
                cwd=_ROOT,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
                timeout=limits.PROCESS_WALL_SECONDS,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise too_complex from error
    line, _, body = done.stdout.partition(b"\n")
    if done.returncode != 0 or not line:
        raise too_complex
    head = json.loads(line)
    if "refused" in head:
        raise DocumentRefused(head["refused"], code=head["code"])
    return head, body


def _limit_this_process() -> None:
    for kind, most in (
        (resource.RLIMIT_AS, limits.PROCESS_MEMORY_BYTES),
        (resource.RLIMIT_CPU, limits.PROCESS_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _answer(task: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        if task["do"] == "sanitise":
            clean = documents.sanitise(data)
            return {"content_type": clean.content_type, "pages": clean.pages}, clean.data
        body, kind = previews.render(data, content_type=task["content_type"], page=task["page"], side=task["side"])
    except DocumentRefused as refusal:
        return {"refused": refusal.text, "code": refusal.error_code}, b""
    else:
        return {"content_type": kind}, body


def main() -> None:
    """Read one task and one file, write the answer, end."""
    _limit_this_process()
    line, _, data = sys.stdin.buffer.read().partition(b"\n")
    head, body = _answer(json.loads(line), data)
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
