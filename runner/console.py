"""What the person at the terminal sees: one line for a step, its progress when it takes long, one line for an error."""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TextIO

from runner import process

SHOW_AFTER_SECONDS = 2.0
PLAIN_INTERVAL_SECONDS = 10.0
TAIL_LINES = 25
_PLAIN_WIDTH = 110
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Django says what is wrong with the settings in the last line of its traceback; the rest helps nobody.
_ONE_LINERS = re.compile(r"^(?:[\w.]+\.)?(?:ImproperlyConfigured|SystemCheckError|CommandError): (?P<text>.+)$")
# How libpq says that it reached nobody, or was turned away.
_NO_DATABASE = re.compile(r"OperationalError: (?P<text>connection to server .*|could not translate host name .*)")


class Problem(Exception):
    """Something the person can act on; its text is printed as it is, without a traceback."""


class _Output:
    """Where our own lines go. A command whose output is somebody's data keeps standard output to itself."""

    def __init__(self) -> None:
        self.brief = False

    @property
    def stream(self) -> TextIO:
        return sys.stderr if self.brief else sys.stdout


_output = _Output()


def make_way() -> None:
    """Write our lines to standard error from now on, and only those about steps that took long."""
    _output.brief = True


def say(text: str = "") -> None:
    """Print one line at once."""
    print(text, flush=True, file=_output.stream)


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log file, or an empty text when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 65536))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def explain(title: str, log: Path) -> Problem:
    """The error for a failed program: its own one clear line where it has one, else the end of its log."""
    text = tail(log)
    last = text.splitlines()[-1].strip() if text else ""
    if last.startswith("bankportal: "):
        return Problem(last.removeprefix("bankportal: "))
    if match := _ONE_LINERS.match(last):
        return Problem(f"{title} stopped: {match['text']}")
    if match := _NO_DATABASE.search(text):
        return Problem(f"{title} stopped: the database does not let us in: {match['text']}")
    return Problem(f"{title} failed. The end of {log}:\n{text}")


class Progress:
    """One line that counts seconds: redrawn on a terminal, repeated now and then in a log."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self._last_plain = self.started
        self._drawn = False
        self._terminal = _output.stream.isatty()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def tick(self, detail: str = "") -> None:
        """Show that it still works, once it has taken longer than two seconds."""
        if self.seconds < SHOW_AFTER_SECONDS:
            return
        text = f"  {self.title} ... {self.seconds:.0f} s" + (f"  {detail}" if detail else "")
        if self._terminal:
            width = os.get_terminal_size(_output.stream.fileno()).columns
            print("\r\x1b[K" + text[: max(20, width - 1)], end="", flush=True, file=_output.stream)
        elif not self._drawn or time.monotonic() - self._last_plain >= PLAIN_INTERVAL_SECONDS:
            say(text[:_PLAIN_WIDTH])
            self._last_plain = time.monotonic()
        self._drawn = True

    def done(self, note: str = "") -> None:
        """Leave one final line."""
        self.clear()
        if _output.brief and self.seconds < SHOW_AFTER_SECONDS:
            return
        say(f"  {self.title:<28} {self.seconds:5.1f} s" + (f"  {note}" if note else ""))

    def clear(self) -> None:
        """Take the half-drawn line away."""
        if self._drawn and self._terminal:
            print("\r\x1b[K", end="", flush=True, file=_output.stream)


class Task:
    """A program that runs to its end, with its output in a log and its last line as progress."""

    def __init__(
        self,
        *,
        title: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        cwd: Path,
        on_line: Callable[[str], None] | None = None,
        show_stderr: bool = False,
    ) -> None:
        self.title = title
        self.log = log
        self.lines: list[str] = []
        self._on_line = on_line
        self._show_stderr = show_stderr
        self._detail = ""
        self._partial = b""
        self._file = log.open("ab")
        self.progress = Progress(title)
        self.popen = process.spawn(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if show_stderr else subprocess.STDOUT,
        )
        self._selector = selectors.DefaultSelector()
        assert self.popen.stdout is not None
        self._selector.register(self.popen.stdout, selectors.EVENT_READ, self._read_stdout)
        if self.popen.stderr is not None:
            self._selector.register(self.popen.stderr, selectors.EVENT_READ, self._read_stderr)

    def _read_stdout(self, data: bytes) -> None:
        self._file.write(data)
        *complete, self._partial = (self._partial + data).replace(b"\r", b"\n").split(b"\n")
        for raw in complete:
            line = _ESCAPES.sub("", raw.decode(errors="replace")).rstrip()
            if line.strip():
                self._detail = line.strip()
                self.lines.append(line)
                if self._on_line:
                    self._on_line(line)

    def _read_stderr(self, data: bytes) -> None:
        self._file.write(data)
        # A progress bar redraws itself; in a log every redraw would be another line.
        if sys.stderr.isatty():
            sys.stderr.buffer.write(data)
            sys.stderr.flush()
        else:
            last = data.decode(errors="replace").replace("\r", "\n").strip().rpartition("\n")[2]
            self._detail = last or self._detail

    def pump(self, timeout: float) -> None:
        """Take what the program has written, waiting for it at most `timeout` seconds."""
        if not self._selector.get_map():
            time.sleep(timeout if self.popen.poll() is None else 0)
            return
        for key, _ in self._selector.select(timeout):
            stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
            if data := os.read(stream.fileno(), 65536):
                key.data(data)
            else:
                self._selector.unregister(stream)

    @property
    def finished(self) -> bool:
        """Whether the program ended and all its output was read."""
        return self.popen.poll() is not None and not self._selector.get_map()

    def wait(self) -> int:
        """Show progress until the end; returns the exit code. Stops the program when interrupted."""
        try:
            while not self.finished:
                self.pump(0.2)
                if not (self._show_stderr and sys.stderr.isatty()):
                    self.progress.tick(self._detail)
            if self._partial:
                self._read_stdout(b"\n")
        except BaseException:
            self.progress.clear()
            self.stop()
            raise
        self._file.close()
        return self.popen.returncode

    def finish(self, note: str = "") -> None:
        """Wait, and raise `Problem` with the reason when the program failed."""
        code = self.wait()
        if code != 0:
            self.progress.clear()
            raise explain(self.title, self.log)
        self.progress.done(note)

    def stop(self) -> None:
        """End the program and all it started."""
        process.end_session(self.popen, seconds=5.0)
        self._file.close()


def run_step(
    title: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path,
    cwd: Path,
    show_stderr: bool = False,
) -> list[str]:
    """Run a program to its end and return the lines it printed; raises `Problem` when it fails."""
    log.unlink(missing_ok=True)
    task = Task(title=title, argv=argv, env=env, log=log, cwd=cwd, show_stderr=show_stderr)
    task.finish()
    return task.lines
