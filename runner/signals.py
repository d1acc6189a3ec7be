"""Ctrl-C, a closed terminal and a polite kill all mean the same: stop in order."""

from __future__ import annotations

import signal
import subprocess
from types import FrameType

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """Somebody asked us to end. Not an Exception, so that no handler swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """The shell's convention for a program ended by a signal."""
        return 128 + self.number


def _raise_stop(number: int, _frame: FrameType | None) -> None:
    raise Stop(number)


def listen() -> None:
    """Turn the signals into `Stop`."""
    for number in _STOPPING:
        signal.signal(number, _raise_stop)


def pass_on(child: subprocess.Popen[bytes]) -> None:
    """While a program has the terminal: Ctrl-C reaches it anyway; pass on what reaches only us."""

    def forward(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT and child.poll() is None:
            child.send_signal(number)

    for number in _STOPPING:
        signal.signal(number, forward)
