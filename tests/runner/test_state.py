"""The state folder: secrets, lock, socket paths, throwaway folders."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from runner.console import Problem
from runner.state import ROOT, AlreadyRunning, State


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state")
    made.create()
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_generates_secrets_once_and_keeps_them(state: State) -> None:
    first = state.secrets()

    assert State(state.folder).secrets() == first
    assert len(set(first.values())) == len(first)
    assert len(first["SECRET_KEY"]) >= 50
    assert len(first["DEMO_PASSWORD"]) >= 15


def test_keeps_secrets_and_folders_private(state: State) -> None:
    state.secrets()

    assert mode(state.folder / "secrets.json") == 0o600
    assert mode(state.folder) == 0o700


def test_closes_a_secrets_file_that_somebody_opened_up(state: State) -> None:
    state.secrets()
    (state.folder / "secrets.json").chmod(0o644)

    state.secrets()

    assert mode(state.folder / "secrets.json") == 0o600


def test_adds_a_missing_secret_without_touching_the_others(state: State) -> None:
    first = state.secrets()
    rest = {name: value for name, value in first.items() if name != "DEMO_PASSWORD"}
    (state.folder / "secrets.json").write_text(json.dumps(rest))

    second = state.secrets()

    assert second["DEMO_PASSWORD"] != first["DEMO_PASSWORD"]
    assert {name: second[name] for name in rest} == rest


def test_refuses_a_damaged_secrets_file_with_its_name(state: State) -> None:
    (state.folder / "secrets.json").write_text("{")

    with pytest.raises(Problem, match=r"secrets\.json"):
        state.secrets()


def test_a_second_start_says_it_is_already_running_and_where(state: State) -> None:
    state.lock()
    state.note("http://127.0.0.1:8123/")

    with pytest.raises(AlreadyRunning, match=r"already running: process \d+, http://127\.0\.0\.1:8123/"):
        State(state.folder).lock()


def test_the_lock_is_free_after_unlock(state: State) -> None:
    state.lock()
    state.unlock()

    again = State(state.folder)
    again.lock()
    again.unlock()


def test_the_kernel_frees_the_lock_of_a_killed_process(state: State) -> None:
    script = (
        "import sys, time; from pathlib import Path; from runner.state import State;"
        "State(Path(sys.argv[1])).lock(); print('locked', flush=True); time.sleep(3600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(state.folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    with pytest.raises(AlreadyRunning):
        state.lock()

    holder.kill()
    holder.wait()
    holder.stdout.close()

    state.lock()
    state.unlock()


def test_puts_sockets_into_the_state_folder_when_its_path_is_short() -> None:
    state = State.throwaway()
    state.create()

    assert state.sockets(fresh=True) == state.folder / "run"
    assert mode(state.sockets()) == 0o700

    state.remove()
    assert not state.folder.exists()


@pytest.mark.parametrize("name", ["x" * 120, "with space", "with?mark"])
def test_puts_sockets_into_a_private_temp_folder_when_the_path_will_not_do(tmp_path: Path, name: str) -> None:
    state = State(tmp_path / name)
    state.create()

    folder = state.sockets(fresh=True)

    assert len(str(folder / ".s.PGSQL.5432.lock")) <= 107
    assert state.folder not in folder.parents
    assert mode(folder) == 0o700
    assert state.sockets() == folder, "another command must find the same folder"
    state.release_sockets()
    assert not folder.exists()


def test_a_throwaway_folder_is_cleared_when_its_owner_was_killed(tmp_path: Path) -> None:
    abandoned = State.throwaway(tmp_path)
    abandoned.create()
    abandoned.lock()
    used = State.throwaway(tmp_path)
    assert abandoned.folder.exists(), "a locked folder is in use"

    abandoned.unlock()
    third = State.throwaway(tmp_path)

    assert not abandoned.folder.exists()
    assert used.folder.exists()
    assert third.folder.exists()


def test_reports_a_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Problem, match="BANKPORTAL_STATE"):
        State(tmp_path / "file" / "state").create()
