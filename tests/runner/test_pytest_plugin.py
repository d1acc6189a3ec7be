"""A red static check and a skipped browser suite show in the last lines of the test command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runner.state import ROOT

SUITE = """
import pytest
def test_passes():
    assert True
@pytest.mark.browser
def test_in_a_browser():
    assert True
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser: drives a browser\n")
    (tmp_path / "test_small.py").write_text(SUITE)
    return tmp_path


def run(suite: Path, stages: list[dict[str, object]], **environ: str) -> subprocess.CompletedProcess[str]:
    (suite / "stages.json").write_text(json.dumps(stages))
    quiet = ["-p", "no:django", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "runner.pytest_plugin", *quiet, "-q", "-ra", "--color=no", str(suite)],
        cwd=suite,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "BANKPORTAL_STAGES": str(suite / "stages.json"),
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_failed_static_check_is_a_failed_run(suite: Path) -> None:
    stage = {"name": "types (mypy)", "passed": False, "seconds": 1.0, "output": "ledger/x.py:1: error: Bad type"}

    done = run(suite, [stage])

    assert done.returncode == 1
    last = done.stdout.splitlines()[-2:]
    assert last[0] == "FAILED run.py::types (mypy) - ledger/x.py:1: error: Bad type"
    assert "1 failed, 2 passed" in last[1]


def test_a_typo_in_a_migration_is_named_in_the_last_lines(suite: Path) -> None:
    output = "  File 'kyc/migrations/0001.py', line 30\n    ^^^^\n" * 20 + "TypeError: no such argument 'nonsense'"
    done = run(suite, [{"name": "missing migrations", "passed": False, "seconds": 1.0, "output": output}])

    assert done.returncode == 1
    assert "FAILED run.py::missing migrations - TypeError: no such argument" in done.stdout


def test_passed_static_checks_change_nothing(suite: Path) -> None:
    done = run(suite, [{"name": "lint", "passed": True, "seconds": 1.0, "output": ""}])

    assert done.returncode == 0
    assert "2 passed" in done.stdout.splitlines()[-1]


def test_a_skipped_browser_suite_is_loud_right_above_the_closing_line(suite: Path) -> None:
    done = run(suite, [], BANKPORTAL_NO_BROWSER="Chromium is not installed")

    *_, title, line, closing = done.stdout.splitlines()
    assert done.returncode == 0
    assert "BROWSER TESTS SKIPPED" in title
    assert line == "1 browser tests did not run: Chromium is not installed"
    assert "1 passed, 1 skipped" in closing
