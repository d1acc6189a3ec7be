"""The folder where a bank lives between two starts: data, sockets, logs, secrets, and the lock on all of it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.console import Problem

ROOT = Path(__file__).resolve().parent.parent
# The kernel allows 107 bytes for a socket's path; the longest name we append is "/.s.PGSQL.5432.lock".
MAX_SOCKET_FOLDER_BYTES = 85
_SAFE_IN_ADDRESS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")
# No letters or digits that look alike: people type this one.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_LOG_LIMIT_BYTES = 10 * 1024 * 1024


def _readable_password() -> str:
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(5)) for _ in range(4))


_GENERATORS = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(64),
    "DEMO_PASSWORD": _readable_password,
    "POSTGRES_SUPERUSER_PASSWORD": lambda: secrets.token_urlsafe(32),
    "POSTGRES_OWNER_PASSWORD": lambda: secrets.token_urlsafe(32),
    "POSTGRES_RUNTIME_PASSWORD": lambda: secrets.token_urlsafe(32),
}


class AlreadyRunning(Problem):
    """Another process holds the lock of this state folder."""


class State:
    """Paths, secrets and lock of one state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.pg_data = self.folder / "pg"
        self.valkey_data = self.folder / "valkey"
        self.storage = self.folder / "storage"
        self.static = self.folder / "static"
        self.logs = self.folder / "log"
        self.beat = self.folder / "beat"
        self._secrets_file = self.folder / "secrets.json"
        self._lock_file = self.folder / "lock"
        self._children_file = self.folder / "children.json"
        self._sockets_note = self.folder / "sockets"
        self._lock_handle: int | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> State:
        """`BANKPORTAL_STATE`, or `.local` in the checkout."""
        chosen = environ.get("BANKPORTAL_STATE", "").strip()
        return cls(Path(chosen).expanduser() if chosen else ROOT / ".local")

    @classmethod
    def throwaway(cls, parent: Path | None = None) -> State:
        """A fresh private folder that `remove` deletes; below `parent` where the disk matters."""
        parent = parent or Path(tempfile.gettempdir())
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in parent.glob("bankportal-*"):
            cls(old)._remove_if_abandoned()
        return cls(Path(tempfile.mkdtemp(prefix="bankportal-", dir=parent)))

    def _remove_if_abandoned(self) -> None:
        """A killed run leaves its throwaway folder behind: its lock is free, and it is ours."""
        try:
            if self.folder.stat().st_uid != os.geteuid() or not self._lock_file.exists():
                return
            self.lock()
        except (OSError, AlreadyRunning):
            return
        self.remove()
        self.unlock()

    def create(self) -> None:
        """Make the folders, private to this user."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            for folder in (self.valkey_data, self.storage, self.static, self.logs, self.beat):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Problem(
                f"The state folder {self.folder} cannot be used ({error.strerror}); "
                "set BANKPORTAL_STATE to a folder of yours."
            ) from error

    def remove(self) -> None:
        """Delete everything; for throwaway states."""
        self.release_sockets()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- one at a time ---------------------------------------------------------------------------

    def lock(self) -> None:
        """Take the folder for this process; raises `AlreadyRunning`. It ends with us, however we end."""
        handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 200).decode(errors="replace").strip()
            os.close(handle)
            raise AlreadyRunning(f"The bank is already running: {holder or 'starting up'}.") from None
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()}".encode())
        self._lock_handle = handle

    def note(self, text: str) -> None:
        """Tell a second start where the first one answers."""
        assert self._lock_handle is not None
        os.ftruncate(self._lock_handle, 0)
        os.pwrite(self._lock_handle, f"process {os.getpid()}, {text}".encode(), 0)

    def unlock(self) -> None:
        """Give the folder back."""
        if self._lock_handle is not None:
            os.close(self._lock_handle)
            self._lock_handle = None

    # --- secrets -----------------------------------------------------------------------------------

    def secrets(self) -> dict[str, str]:
        """The generated secrets: made once, kept in a file that only this user can read."""
        known: dict[str, str] = {}
        if self._secrets_file.exists():
            try:
                known = json.loads(self._secrets_file.read_text())
            except (OSError, ValueError) as error:
                raise Problem(f"{self._secrets_file} cannot be read: {error}") from error
            if stat.S_IMODE(self._secrets_file.stat().st_mode) != 0o600:
                self._secrets_file.chmod(0o600)
        missing = {name: make() for name, make in _GENERATORS.items() if not known.get(name)}
        if missing:
            known |= missing
            self._write_private(self._secrets_file, known)
        return known

    def _write_private(self, path: Path, content: Any) -> None:
        """Replace a file in one step, so that a power cut leaves the old or the new one, never half."""
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=f".{path.name}-")
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)

    # --- sockets ------------------------------------------------------------------------------------

    def sockets(self, *, fresh: bool = False) -> Path:
        """The folder of the Unix sockets: in the state, or in a short private temp folder when that path is too long.

        With `fresh` whatever an earlier run left there is removed.
        """
        inside = self.folder / "run"
        if fresh:
            self.release_sockets()
        elif self._sockets_note.exists():
            noted = Path(self._sockets_note.read_text())
            if noted.is_dir() and noted.stat().st_uid == os.geteuid():
                return noted
        if len(os.fsencode(inside)) <= MAX_SOCKET_FOLDER_BYTES and set(str(inside)) <= _SAFE_IN_ADDRESS:
            inside.mkdir(mode=0o700, exist_ok=True)
            return inside
        # A long TMPDIR would only move the trouble.
        parent = tempfile.gettempdir()
        if len(os.fsencode(parent)) > MAX_SOCKET_FOLDER_BYTES - 20 or not set(parent) <= _SAFE_IN_ADDRESS:
            parent = "/tmp"  # noqa: S108 -- mkdtemp makes a private folder there
        made = Path(tempfile.mkdtemp(prefix="bank-", dir=parent))
        self._sockets_note.write_text(str(made))
        return made

    def release_sockets(self) -> None:
        """Remove the sockets, and the folder when it is outside of the state."""
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        if self._sockets_note.exists():
            noted = Path(self._sockets_note.read_text())
            if noted.name.startswith("bank-") and noted.is_dir() and noted.stat().st_uid == os.geteuid():
                shutil.rmtree(noted, ignore_errors=True)
            self._sockets_note.unlink(missing_ok=True)

    # --- children of this and of an earlier run ---------------------------------------------------------

    def record_children(self, children: Mapping[str, tuple[int, int]]) -> None:
        """Remember name -> (process id, start tick) of what runs, for a start after a kill -9."""
        boot = _boot_id()
        self._write_private(self._children_file, {"boot": boot, "children": {k: list(v) for k, v in children.items()}})

    def recorded_children(self) -> dict[str, tuple[int, int]]:
        """What an earlier run had started since this machine's last boot."""
        try:
            content = json.loads(self._children_file.read_text())
        except (OSError, ValueError):
            return {}
        if content.get("boot") != _boot_id():
            return {}
        return {name: (int(pid), int(tick)) for name, (pid, tick) in content.get("children", {}).items()}

    def log(self, name: str) -> Path:
        """The log file of one program; a large one is set aside first."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
