"""The virtual environment: made once, filled from the lock files, filled again only when they change."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runner.console import Problem, Progress, Task, explain
from runner.state import ROOT

RUNTIME = "requirements.txt"
DEV = "requirements-dev.txt"
BENCH = "requirements-bench.txt"
_INCLUDED = {RUNTIME: [RUNTIME], DEV: [RUNTIME, DEV], BENCH: [BENCH]}
_MARK = ".bankportal.json"
_PROBE = "import sys; sys.exit(0 if sys.version_info >= (3, 11) and sys.prefix != sys.base_prefix else 1)"


def lock_hash(root: Path, wanted: str) -> str:
    """A fingerprint of what `wanted` would install."""
    digest = hashlib.sha256()
    for name in _INCLUDED[wanted]:
        digest.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    return digest.hexdigest()


class Venv:
    """`.venv` in the checkout, or another folder beside it."""

    def __init__(self, root: Path = ROOT, folder: str = ".venv") -> None:
        self.root = root
        self.folder = root / folder
        self.python = self.folder / "bin" / "python"

    def site_packages(self) -> Path:
        """The folder with the installed packages; raises `Problem` when there is none."""
        for found in sorted(self.folder.glob("lib/python3.*/site-packages")):
            return found
        raise Problem(f"{self.folder} holds no packages; delete it and start again.")

    def _recorded(self) -> dict[str, str]:
        try:
            content = json.loads((self.folder / _MARK).read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def is_current(self, wanted: str) -> bool:
        """Whether the last complete install was of these very lock files. The tools include the runtime."""
        recorded = self._recorded()
        return recorded.get(wanted) == lock_hash(self.root, wanted)

    def works(self) -> bool:
        """Whether the environment's Python starts (a moved or foreign one does not)."""
        try:
            return subprocess.run([self.python, "-c", _PROBE], check=False, capture_output=True).returncode == 0
        except OSError:
            return False

    def mark(self, wanted: str) -> None:
        """Record a complete install."""
        marks = {name: lock_hash(self.root, name) for name in _INCLUDED[wanted]}
        partial = self.folder / (_MARK + ".new")
        partial.write_text(json.dumps(marks, indent=1))
        partial.replace(self.folder / _MARK)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands may start together, but only one may install."""
        try:
            self.folder.mkdir(exist_ok=True)
            handle = os.open(self.folder / ".install.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise Problem(
                f"{self.folder} cannot be written ({error.strerror}); run as the owner of the checkout, or copy it."
            ) from error
        progress = Progress("Waiting for another install")
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    progress.tick()
                    time.sleep(0.2)
            progress.clear()
            yield
        finally:
            os.close(handle)

    def ensure(self, wanted: str, environ: Mapping[str, str]) -> None:
        """Make the environment and install `wanted` unless that was done already; raises `Problem`."""
        if self.is_current(wanted) and self.works():
            return
        with self._alone():
            if self.is_current(wanted) and self.works():
                return
            if not self.works():
                self._make()
            self._install(wanted, environ)
            self.mark(wanted)

    def _make(self) -> None:
        progress = Progress(f"Making {self.folder.name}")
        for part in ("bin", "lib", "lib64", "include", "pyvenv.cfg", _MARK):
            path = self.folder / part
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.is_dir():
                shutil.rmtree(path)
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", str(self.folder)],
            check=False,
            capture_output=True,
            text=True,
        )
        if made.returncode != 0 or not self.works():
            raise Problem(f"Python could not make {self.folder}: {(made.stderr or made.stdout).strip()}")
        progress.done()

    def _install(self, wanted: str, environ: Mapping[str, str]) -> None:
        log = self.folder / "install.log"
        log.unlink(missing_ok=True)
        env = {**environ, "VIRTUAL_ENV": str(self.folder)}
        requirements = str(self.root / wanted)
        if uv := shutil.which("uv", path=environ.get("PATH")):
            task = self._task(
                [uv, "pip", "install", "--python", str(self.python), "-r", requirements], env, log, "with uv"
            )
            if task.wait() == 0:
                task.progress.done()
                return
            task.progress.done("uv could not do it; trying pip")
        pip = self._pip(environ)
        argv = [*pip, "install", "--disable-pip-version-check", "--no-input", "-r", requirements]
        task = self._task(argv, env, log, "with pip")
        if task.wait() != 0:
            task.progress.clear()
            raise explain("Installing the packages", log)
        task.progress.done()

    def _task(self, argv: list[str], env: Mapping[str, str], log: Path, how: str) -> Task:
        return Task(title=f"Installing packages {how}", argv=argv, env=env, log=log, cwd=self.root)

    def _pip(self, environ: Mapping[str, str]) -> list[str]:
        """A pip that installs into the environment: its own, or this Python's where the system left `ensurepip` out."""
        own = [str(self.python), "-m", "pip"]
        for argv in (own, [str(self.python), "-m", "ensurepip", "--default-pip"]):
            done = subprocess.run([*argv, "--version"], check=False, capture_output=True, env=dict(environ))
            if done.returncode != 0:
                continue
            if argv is own:
                return own
            if subprocess.run(argv, check=False, capture_output=True, env=dict(environ)).returncode == 0:
                return own
        outer = [sys.executable, "-m", "pip"]
        if subprocess.run([*outer, "--version"], check=False, capture_output=True).returncode == 0:
            return [*outer, "--python", str(self.python)]
        raise Problem("Neither uv nor pip is here: install uv, or your system's python3-venv package.")
