"""Packages are installed once per lock file."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.console import Problem
from runner.venv import BENCH, DEV, RUNTIME, Venv


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Venv:
    """An environment that would install, but only writes down what it was asked for."""
    (tmp_path / RUNTIME).write_text("django==5.2.19\n")
    (tmp_path / DEV).write_text("-r requirements.txt\npytest==9.2.0\n")
    installed: list[str] = []
    monkeypatch.setattr(Venv, "works", lambda self: True)
    monkeypatch.setattr(Venv, "_install", lambda self, wanted, environ: installed.append(wanted))
    made = Venv(tmp_path)
    made.installed = installed
    return made


def test_installs_once(venv: Venv) -> None:
    venv.ensure(RUNTIME, {})
    venv.ensure(RUNTIME, {})

    assert venv.installed == [RUNTIME]


def test_installs_again_when_the_lock_file_changed(venv: Venv) -> None:
    venv.ensure(RUNTIME, {})
    (venv.root / RUNTIME).write_text("django==5.2.20\n")
    venv.ensure(RUNTIME, {})

    assert venv.installed == [RUNTIME, RUNTIME]


def test_a_touched_but_unchanged_lock_file_is_no_change(venv: Venv) -> None:
    venv.ensure(DEV, {})
    (venv.root / DEV).write_text((venv.root / DEV).read_text())
    venv.ensure(DEV, {})

    assert venv.installed == [DEV]


def test_the_tools_include_what_the_bank_needs(venv: Venv) -> None:
    venv.ensure(DEV, {})
    venv.ensure(RUNTIME, {})

    assert venv.installed == [DEV]


def test_the_tools_follow_a_change_of_the_bank_s_own_packages(venv: Venv) -> None:
    venv.ensure(DEV, {})
    (venv.root / RUNTIME).write_text("django==5.2.20\n")
    venv.ensure(DEV, {})

    assert venv.installed == [DEV, DEV]


def test_an_install_that_failed_is_tried_again(venv: Venv, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Venv, wanted: str, environ: object) -> None:
        raise Problem("no network")

    with monkeypatch.context() as broken:
        broken.setattr(Venv, "_install", fail)
        with pytest.raises(Problem, match="no network"):
            venv.ensure(RUNTIME, {})

    venv.ensure(RUNTIME, {})
    assert venv.installed == [RUNTIME]


def test_survives_a_damaged_mark(venv: Venv) -> None:
    venv.ensure(RUNTIME, {})
    (venv.folder / ".bankportal.json").write_text("{")
    venv.ensure(RUNTIME, {})

    assert venv.installed == [RUNTIME, RUNTIME]


def test_the_rivals_of_benchmarks_live_in_a_folder_of_their_own(venv: Venv) -> None:
    (venv.root / BENCH).write_text("numpy-financial==1.0.0\n")
    beside = Venv(venv.root, folder=".venv.bench")

    beside.ensure(BENCH, {})
    beside.ensure(BENCH, {})

    assert beside.folder == venv.root / ".venv.bench"
    assert not venv.is_current(BENCH)
    assert beside.is_current(BENCH)
