"""Keeping the bank's programs alive together: started in order, watched, stopped in reverse order."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner import process
from runner.console import Problem, Progress, say, tail
from runner.state import ROOT, State

RESTART_PAUSE_SECONDS = 1.0
RESTART_WINDOW_SECONDS = 60.0
LEFTOVER_SECONDS = 20.0


@dataclass
class Program:
    """One long-running program and how it is asked to end."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    # What the kernel sends when run.py dies without a chance to stop it: the quickest safe way out.
    death_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    identity: process.Identity = field(default_factory=process.Identity)
    cwd: Path = ROOT
    prepare: Callable[[], None] | None = None
    popen: subprocess.Popen[bytes] | None = None
    restarted_at: float = 0.0
    # Servers that others depend on are only asked to end when the others have ended.
    is_service: bool = False
    _asked: bool = False

    def start(self) -> None:
        """Start it with its output appended to its log."""
        if self.prepare:
            self.prepare()
        with self.log.open("ab") as log:
            self.popen = process.spawn(
                self.argv,
                env=self.env,
                cwd=self.cwd,
                death_signal=self.death_signal,
                identity=self.identity,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def exit_code(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self.popen.poll() if self.popen else None

    def ask_to_stop(self) -> None:
        """Send the stop signal without waiting."""
        if self.exit_code() is None and self.popen and not self._asked:
            self._asked = True
            process.send([self.popen.pid], self.stop_signal)

    def stop(self) -> bool:
        """End it and its offspring; True when it went by itself."""
        if self.popen is None:
            return True
        self.ask_to_stop()
        gentle = process.end_session(self.popen, seconds=self.stop_seconds, sig=0)
        self.popen = None
        self._asked = False
        return gentle


class Supervisor:
    """The programs of one state folder."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.programs: list[Program] = []

    def start(self, program: Program) -> None:
        """Start a program and remember it, also for the start after a kill -9."""
        program.start()
        self.programs.append(program)
        self._record()

    def _record(self) -> None:
        ticks = {seen.pid: seen.started for seen in process.table()}
        children = {p.name: p.popen.pid for p in self.programs if p.popen}
        self.state.record_children({name: (pid, ticks.get(pid, 0)) for name, pid in children.items()})

    def wait_until(self, title: str, ready: Callable[[], bool], *, programs: Sequence[Program], seconds: float) -> None:
        """Wait until `ready` says so; raises `Problem` when a program ends first or time runs out."""
        progress = Progress(title)
        while not ready():
            for program in programs:
                if (code := program.exit_code()) is not None:
                    progress.clear()
                    raise Problem(
                        f"{program.name} ended with code {code}. The end of {program.log}:\n{tail(program.log)}"
                    )
            if progress.seconds > seconds:
                progress.clear()
                logs = "\n".join(f"The end of {p.log}:\n{tail(p.log)}" for p in programs)
                raise Problem(f"{title}: no answer after {seconds:.0f} seconds. {logs}")
            progress.tick()
            time.sleep(0.03)
        progress.done()

    def watch(self) -> None:
        """Look once at every program. A crashed one is restarted; a second crash within a minute is a `Problem`."""
        for program in self.programs:
            code = program.exit_code()
            if code is None:
                continue
            now = time.monotonic()
            what = f"{program.name} ended with code {code}. The end of {program.log}:\n{tail(program.log)}"
            if program.restarted_at and now - program.restarted_at < RESTART_WINDOW_SECONDS:
                raise Problem(f"{what}\nIt had just been restarted, so everything stops.")
            say(what)
            say(f"Restarting {program.name}.")
            program.stop()
            time.sleep(RESTART_PAUSE_SECONDS)
            program.start()
            program.restarted_at = now
            self._record()

    def stop(self, *, quiet: bool = False) -> None:
        """Stop everything, the last started first; what serves people ends before what it stands on."""
        started = time.monotonic()
        for program in reversed(self.programs):
            if not program.is_service:
                program.ask_to_stop()
        for program in reversed(self.programs):
            if program.popen is None:
                continue
            before = time.monotonic()
            gentle = program.stop()
            took = time.monotonic() - before
            if not quiet and (took > 2 or not gentle):
                say(f"  {program.name} stopped after {took:.1f} s" + ("" if gentle else ", by force"))
        if self.programs:
            self.programs = []
            self.state.record_children({})
        self.state.release_sockets()
        if not quiet:
            say(f"Stopped in {time.monotonic() - started:.1f} s.")

    def stop_now(self) -> None:
        """Force everything down at once; PostgreSQL is still asked, and recovers from its log at the next start."""
        for program in reversed(self.programs):
            program.stop_seconds = 0.5 if program.name != "postgres" else 3.0
        self.stop(quiet=True)


def leftovers(state: State) -> list[int]:
    """Processes of an earlier run of this state that still live."""
    recorded = state.recorded_children()
    table = process.table()
    by_pid = {seen.pid: seen for seen in table}
    found = set(process.working_in(state.pg_data))
    for pid, tick in recorded.values():
        # A process id that now belongs to somebody else says so by its start.
        if pid in by_pid and by_pid[pid].started != tick:
            continue
        found |= {seen.pid for seen in table if seen.session == pid}
    return sorted(found)


def wait_for_leftovers(state: State) -> None:
    """After a kill -9 the old programs are on their way out: wait for them, force the slow ones; raises `Problem`."""
    progress = Progress("Waiting for an earlier run to end")
    forced = False
    while rest := leftovers(state):
        if progress.seconds > LEFTOVER_SECONDS:
            progress.clear()
            raise Problem(
                f"Programs of an earlier run do not end (process ids {', '.join(map(str, rest))}); "
                "end them and start again."
            )
        if progress.seconds > LEFTOVER_SECONDS / 2 and not forced:
            database = set(process.working_in(state.pg_data))
            process.send([pid for pid in rest if pid not in database], signal.SIGKILL)
            process.send(sorted(database), signal.SIGQUIT)
            forced = True
        progress.tick()
        time.sleep(0.1)
    progress.clear()
