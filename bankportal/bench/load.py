"""A load generator: clients that keep their connection and send the next request as soon as the last one is answered.

It runs in a process of its own with one selector for all clients, so that it takes little of the processors from the server.
"""

from __future__ import annotations

import multiprocessing
import random
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Makes the bytes of one whole request.
Maker = Callable[[random.Random], bytes]
WARM_UP_SECONDS = 0.7
SILENCE_SECONDS = 20.0


@dataclass(slots=True)
class Load:
    """What came back after the warm-up: status -> how many (0 is a broken connection), and milliseconds of each answer."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    # The first answer that was not what was wanted.
    oddity: str = ""

    def per_second(self, status: int) -> float:
        """Wanted answers a second."""
        return self.statuses[status] / self.seconds


@dataclass(slots=True)
class _Client:
    line: socket.socket
    began: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        self.received.clear()
        self.began = time.perf_counter()
        self.line.sendall(request)

    def answer(self) -> tuple[int, bytes] | None:
        """Status and body once all of it is here; status 0 when the server hung up."""
        piece = self.line.recv(65536)
        if not piece:
            return 0, bytes(self.received)
        self.received += piece
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.received[:end]).lower()
        mark = head.find(b"content-length:")
        if mark < 0:
            return 0, bytes(self.received)
        length = int(head[mark + 15 :].split(b"\r\n", 1)[0])
        if len(self.received) < end + 4 + length:
            return None
        return int(head[9:12]), bytes(self.received[end + 4 :])


def press(*, port: int, make: Maker, wanted: int, clients: int, seconds: float, seed: int) -> Load:
    """Press for so many seconds after a warm-up. Raises RuntimeError when the generator itself fails."""
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    worker = context.Process(target=_run, args=(port, make, wanted, clients, seconds, seed, results))
    worker.start()
    try:
        found = results.get(timeout=seconds + WARM_UP_SECONDS + 2 * SILENCE_SECONDS)
    finally:
        worker.join(5)
        if worker.is_alive():
            worker.kill()
    if isinstance(found, str):
        raise RuntimeError(f"the load generator stopped: {found}")
    assert isinstance(found, Load)
    return found


def _run(port: int, make: Maker, wanted: int, clients: int, seconds: float, seed: int, results: Any) -> None:
    try:
        results.put(_measure(port, make, wanted, clients, seconds, random.Random(seed)))  # noqa: S311 (picks requests)
    except OSError as problem:
        results.put(str(problem))


def _measure(port: int, make: Maker, wanted: int, clients: int, seconds: float, dice: random.Random) -> Load:
    load = Load(seconds)
    with selectors.DefaultSelector() as selector:
        lines = [_connect(port) for _ in range(clients)]
        for line in lines:
            client = _Client(line)
            selector.register(line, selectors.EVENT_READ, client)
            client.send(make(dice))
        since = time.perf_counter() + WARM_UP_SECONDS
        until = since + seconds
        waiting = clients
        while waiting:
            ready = selector.select(SILENCE_SECONDS)
            if not ready:
                raise TimeoutError(f"no answer for {SILENCE_SECONDS:.0f} seconds")
            for key, _ in ready:
                client = key.data
                found = client.answer()
                if found is None:
                    continue
                now = time.perf_counter()
                if since <= now < until:
                    _count(load, found, wanted, (now - client.began) * 1000)
                if found[0] == 0 or now >= until:
                    selector.unregister(client.line)
                    waiting -= 1
                else:
                    client.send(make(dice))
        for line in lines:
            line.close()
    return load


def _connect(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_SECONDS)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _count(load: Load, answer: tuple[int, bytes], wanted: int, milliseconds: float) -> None:
    status, body = answer
    load.statuses[status] += 1
    if status == wanted:
        load.milliseconds.append(milliseconds)
    elif not load.oddity:
        load.oddity = f"{status}: {body[:300].decode(errors='replace')}"
