"""Starting programs so that they can never outlive this one, and finding those that an earlier run left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Identity:
    """Who a program runs as: ourselves, or for servers that refuse root, somebody who is not root.

    In a user namespace root is seen as `nobody` while its files stay root's own, so private folders work.
    """

    namespace: bool = False
    user_id: int | None = None


def _enter_user_namespace() -> None:
    assert _LIBC is not None
    if _LIBC.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} 0 1"), ("gid_map", f"{NOBODY} 0 1")):
        handle = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(handle, text.encode())
        os.close(handle)


def user_namespaces_work() -> bool:
    """Try it in a child that ends at once."""
    if _LIBC is None:
        return False
    child = os.fork()
    if child == 0:
        try:
            _enter_user_namespace()
            os._exit(0 if os.geteuid() == NOBODY else 1)
        except BaseException:  # noqa: BLE001 -- the copy must end here, whatever happened
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def server_identity() -> Identity:
    """The identity for PostgreSQL, which refuses to run as root."""
    if os.geteuid() != 0:
        return Identity()
    if user_namespaces_work():
        return Identity(namespace=True)
    return Identity(user_id=NOBODY)


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    death_signal: signal.Signals = signal.SIGTERM,
    identity: Identity | None = None,
    new_session: bool = True,
    stdin: int | IO[Any] | None = None,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program that gets `death_signal` when this process dies, however it dies.

    Call it from the main thread only: the kernel ties that signal to the thread that started the child.
    """
    parent = os.getpid()
    who = identity or Identity()

    def prepare() -> None:
        if who.namespace:
            _enter_user_namespace()
        elif who.user_id is not None:
            os.setgroups([])
            os.setgid(who.user_id)
            os.setuid(who.user_id)
        # After any change of identity, because such a change clears it.
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=new_session,
        preexec_fn=prepare,  # noqa: PLW1509 -- this process has one thread
    )


@dataclass(frozen=True)
class Seen:
    """One line of the process table."""

    pid: int
    session: int
    started: int
    state: str


def table() -> list[Seen]:
    """All processes that /proc shows; empty where there is no /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # The name is in brackets and may hold anything; the fields start after the last bracket.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        found.append(Seen(int(entry.name), int(fields[3]), int(fields[19]), fields[0]))
    return [seen for seen in found if seen.state != "Z"]


def session_members(session: int) -> list[int]:
    """Process ids that belong to this session."""
    return [seen.pid for seen in table() if seen.session == session]


def working_in(folder: Path) -> list[int]:
    """Process ids whose current folder is this one (every PostgreSQL process sits in its data folder)."""
    found = []
    for seen in table():
        try:
            if os.readlink(f"/proc/{seen.pid}/cwd") == str(folder):
                found.append(seen.pid)
        except OSError:
            continue
    return found


def send(pids: Sequence[int], sig: signal.Signals) -> None:
    """Signal each process that is still there."""
    for pid in pids:
        try:
            os.kill(pid, sig)
        except (ProcessLookupError, PermissionError):
            continue


def end_session(popen: subprocess.Popen[bytes], *, seconds: float, sig: int = signal.SIGTERM) -> bool:
    """Ask a program to end, and after `seconds` end it and its offspring by force; True when it went by itself.

    With `sig` 0 it has been asked already: some programs take a second signal for impatience.
    """
    gentle = True
    if popen.poll() is None:
        if sig:
            send([popen.pid], signal.Signals(sig))
        try:
            popen.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            gentle = False
    deadline = time.monotonic() + 1.0
    while (rest := session_members(popen.pid)) and time.monotonic() < deadline:
        if not gentle:
            break
        time.sleep(0.05)
    if rest:
        send(rest, signal.SIGKILL)
    popen.wait()
    return gentle
