"""Typesetting in a process of its own: typst keeps what it laid out, and a long-lived process would grow with each document.

Run as a script it reads one JSON line from standard input and writes the PDF to standard output.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import typst
from fontTools.ttLib import TTFont

WALL_SECONDS = 30
_MEMORY_BYTES = 4 * 1024**3
_WEIGHTS = ("Regular", "Medium", "SemiBold")
# A web process with many threads must not typeset many documents at the same time.
_TURNS = threading.BoundedSemaphore(2)


class TypesettingFailed(RuntimeError):
    """The process ended without a document: a mistake in the template, or a limit was hit."""


def typeset(*, template: Path, data: dict[str, object], created_at: int) -> bytes:
    """A PDF/A-2b from a template and its data; `created_at` in seconds since 1970. The same input gives the same bytes.

    Raises TypesettingFailed.
    """
    task = json.dumps(
        {"template": str(template), "fonts": _fonts(), "data": json.dumps(data), "created_at": created_at}
    )
    # The command is this very file; what people wrote travels on standard input and is never a part of it.
    command = [sys.executable, "-I", __file__]
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    try:
        with _TURNS:
            done = subprocess.run(  # noqa: S603
                command, input=task.encode(), capture_output=True, env=environment, timeout=WALL_SECONDS, check=False
            )
    except subprocess.TimeoutExpired as error:
        raise TypesettingFailed("the document took too long") from error
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        raise TypesettingFailed(done.stderr.decode(errors="replace")[-500:])
    return done.stdout


@lru_cache(maxsize=1)
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Kept as long as the process, and gone with it."""
    return tempfile.TemporaryDirectory(prefix="bankportal-fonts-")


@lru_cache(maxsize=1)
def _fonts() -> str:
    """A folder with Inter as django-unfold ships it, unpacked once a process: typst reads no WOFF2."""
    package = find_spec("unfold")
    assert package is not None
    assert package.origin is not None
    source = Path(package.origin).parent / "static" / "unfold" / "fonts" / "inter"
    folder = Path(_folder().name)
    for weight in _WEIGHTS:
        font = TTFont(source / f"Inter-{weight}.woff2")
        font.flavor = None
        font.save(folder / f"Inter-{weight}.ttf")
    return str(folder)


def main() -> None:
    """Read one task, write one document, end."""
    for kind, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, WALL_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    task = json.load(sys.stdin.buffer)
    compiler = typst.Compiler(
        Path(task["template"]).read_bytes(),
        font_paths=typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[Path(task["fonts"])]
        ),
        sys_inputs={"data": task["data"]},
    )
    document = compiler.compile(format="pdf", pdf_standards="a-2b", timestamp=task["created_at"])
    assert isinstance(document, bytes)
    sys.stdout.buffer.write(document)


if __name__ == "__main__":
    main()
