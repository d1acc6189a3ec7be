"""Carries the static checks into pytest's own result, and says loudly when browser tests did not run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runner.checks import CHROMIUM, NO_BROWSER, STAGES_FILE

_SHOWN_LINES = 15


def chromium() -> Path:
    """The browser that the tests drive: the one `run.py test` found or installed, else Debian's."""
    return Path(os.environ.get(CHROMIUM) or "/usr/bin/chromium")


def why_no_browser() -> str:
    """Why browser tests cannot run; empty when they can."""
    return os.environ.get(NO_BROWSER) or ("" if chromium().exists() else f"{chromium()} is missing")


def _failed_stages() -> list[dict[str, str]]:
    name = os.environ.get(STAGES_FILE)
    if not name:
        return []
    return [stage for stage in json.loads(Path(name).read_text()) if not stage["passed"]]


def _shown(output: str) -> str:
    """The end of a stage's output. pytest repeats its first line at the close, so the middle of a traceback must not lead."""
    lines = output.splitlines()[-_SHOWN_LINES:]
    if lines and lines[0][:1].isspace():
        lines[:0] = [line for line in lines if line and not line[0].isspace()][-1:]
    return "\n".join(lines)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none. The one place that does so."""
    reason = why_no_browser()
    for item in items:
        if reason and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=f"NO BROWSER: {reason}"))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A failed static check is a failed run, whatever the tests say."""
    if hasattr(session.config, "workerinput"):
        return
    if _failed_stages() and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Put failed stages among the failures, so that the closing line counts them; then the browser's line."""
    # What was logged while Django started would otherwise appear after the closing line.
    capture = terminalreporter.config.pluginmanager.getplugin("capturemanager")
    if capture is not None and capture.is_globally_capturing():
        # A run that stopped early (--maxfail, Ctrl-C) has let go of it, which pytest tells by an assertion only.
        with suppress(AssertionError):
            for text in capture.read_global_capture():
                if text.strip():
                    terminalreporter.write_line(text.rstrip())
    for stage in _failed_stages():
        report = pytest.TestReport(
            nodeid=f"run.py::{stage['name']}",
            location=("run.py", 0, f"static check: {stage['name']}"),
            keywords={},
            outcome="failed",
            longrepr=_shown(str(stage["output"])),
            when="call",
        )
        terminalreporter.stats.setdefault("failed", []).append(report)
    result = yield
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "browser" in report.keywords]
    if skipped:
        reason = why_no_browser() or "the reasons are above"
        terminalreporter.section("BROWSER TESTS SKIPPED", sep="!", yellow=True, bold=True)
        terminalreporter.write_line(f"{len(skipped)} browser tests did not run: {reason}", yellow=True, bold=True)
    return result
