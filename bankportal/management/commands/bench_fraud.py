"""`manage.py bench_fraud`: what a fraud decision costs with its features from a long history, all layers, and stored.

Everything in one run: single decisions one after another, two processes that decide as fast as they can, each layer beside
the call of the library that fitted it, many vectors at once, the memory of the models, and an account with 20,000 payments
a month beside ordinary ones.
"""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone
from django.utils.crypto import get_random_string
from tqdm import tqdm

from bankportal.bench import decisions, figures, layers, memory, people, posting
from bankportal.demo import staff

MEDIAN_MS, P99_MS = 3.0, 10.0
PER_SECOND, BATCH_PER_SECOND = 800, 20_000
ADDED_MB = 200.0
BUSY_TIMES = 3.0
WARM_UP = 50
TRAINING_ROWS = 12_000


class Command(BaseCommand):
    help = "Measure fraud decisions on a long history, the layers beside their libraries. For throwaway services."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
        parser.add_argument("--payments", type=int, default=1_000_000, help="payments of the history (default 1000000)")
        parser.add_argument("--customers", type=int, default=2000, help="ordinary customers (default 2000)")
        parser.add_argument("--busy-payments", type=int, default=20_000, help="of one account a month (default 20000)")
        parser.add_argument("--decisions", type=int, default=2000, help="measured one by one (default 2000)")
        parser.add_argument("--seconds", type=float, default=5, help="length of a round of two processes (default 5)")
        parser.add_argument("--rounds", type=int, default=3, help="rounds of two processes and of batches (default 3)")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        self._check(options)
        surroundings = figures.surroundings()
        with tqdm(total=7, unit="step", desc="Preparing", disable=options["verbosity"] == 0) as bar:

            def step(words: str) -> None:
                bar.set_description(words)
                bar.update()

            step("Fitting the layers")
            rows, frauds = decisions.vectors(count=TRAINING_ROWS)
            stack = decisions.fitted(rows, frauds)
            self._promote(stack, rows)
            step(f"Writing {options['payments']:,} payments")
            past = decisions.fill(
                payments=options["payments"],
                customers=options["customers"],
                busy_payments=options["busy_payments"],
                now=timezone.now(),
            )
            decisions.vacuum()
            figures.checkpoint()
            step("Deciding one by one")
            singly = self._singly(past, options["decisions"])
            step("Deciding in two processes")
            together, let_through = self._together(past, options)
            step("Layers beside their libraries")
            beside = layers.microseconds(layers.pairs(rows[:6000], frauds[:6000]), rows, rounds=300)
            step("Many vectors at once")
            many = np.tile(rows, (2, 1))[:20_000]
            batch = [layers.batch_per_second(stack, many) for _ in range(options["rounds"] + 1)][1:]
            step("Memory of the models")
            added = memory.added_megabytes()
        report = {
            **surroundings,
            "options": {
                key: options[key]
                for key in ("payments", "customers", "busy_payments", "decisions", "seconds", "rounds")
            },
            "history": {"payments": past.payments, "fill_seconds": round(past.seconds, 1)},
            "decision": singly,
            "two_processes_per_second": [round(value) for value in together],
            # A payment that is stopped costs a case more: what share of each round's was not.
            "let_through": let_through,
            "layers": beside,
            "batch_per_second": [round(value) for value in batch],
            "models_added_mb": round(added, 1),
            "took_seconds": round(time.monotonic() - began),
        }
        report["missed"] = missed(report)
        figures.save(report, options["json"])
        self.stdout.write("\n".join(lines(report)))
        if report["missed"]:
            raise CommandError("missed: " + "; ".join(report["missed"]))

    def _check(self, options: dict[str, Any]) -> None:
        if options["decisions"] < WARM_UP or options["customers"] < 1 or options["rounds"] < 1:
            raise CommandError(f"Measure at least {WARM_UP} decisions of one customer in one round.")
        if not 0 <= options["busy_payments"] <= options["payments"]:
            raise CommandError("The busy account's payments are part of all payments.")
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM fraud_decision WHERE subject_kind <> 'bench')")
            if cursor.fetchone()[0]:
                raise CommandError("This bank has real decisions, and a benchmark would leave its own beside them.")

    def _promote(self, stack: Any, rows: Any) -> None:
        now = timezone.now()
        team = staff.ensure_staff(password=get_random_string(20), now=now)
        maker, checker = team["compliance@demo.example"], team["compliance2@demo.example"]
        people.let_through(maker=maker, checker=checker, now=now)
        golden = rows[np.linspace(0, len(rows) - 1, 16).astype(int)]
        decisions.put_in_charge(stack, golden=golden, maker=maker, checker=checker, now=now)

    def _singly(self, past: decisions.Past, count: int) -> dict[str, Any]:
        """An ordinary customer and the busy one in turns, so that both met the same machine."""
        posting.become_runtime_role()
        payments = decisions.Payments(past, seed=1, begin=past.until)
        for _ in range(WARM_UP):
            decisions.decide(payments)
            decisions.decide(payments, past.busy)
        taken: dict[str, list[float]] = {"ordinary": [], "busy": []}
        began = decisions.processor_ms()
        for _ in range(count):
            taken["ordinary"].append(decisions.decide(payments) * 1000)
            taken["busy"].append(decisions.decide(payments, past.busy) * 1000)
        used = [
            round((after - before) / (2 * count), 2)
            for before, after in zip(began, decisions.processor_ms(), strict=True)
        ]
        found = {name: _milliseconds(values) for name, values in taken.items()}
        return {
            **found,
            "busy_times": round(found["busy"]["median_ms"] / found["ordinary"]["median_ms"], 2),
            # What it costs however busy the machine is with other things.
            "processor_ms": {"python": used[0], "postgresql": used[1]},
        }

    def _together(self, past: decisions.Past, options: dict[str, Any]) -> tuple[list[float], list[float]]:
        """Decisions a second of each round, and the share that was let through.

        Each round goes on where the payments of the one before end, so that no customer's clock goes back, and none has
        been silent for weeks.
        """
        found, let_through = [], []
        for number in range(options["rounds"]):
            begin = decisions.latest() + timedelta(minutes=1)
            payments = [decisions.Payments(past, seed=10 * number + caller, begin=begin) for caller in range(2)]
            calls = [partial(_one, each) for each in payments]
            found.append(posting.calls_per_second(calls, threads=1, seconds=options["seconds"]))
            let_through.append(round(decisions.let_through_since(begin), 3))
        return found, let_through


def _one(payments: decisions.Payments, _dice: object) -> None:
    decisions.decide(payments)


def _milliseconds(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"median_ms": round(cuts[49], 2), "p95_ms": round(cuts[94], 2), "p99_ms": round(cuts[98], 2)}


def missed(report: dict[str, Any]) -> list[str]:
    """A sentence for each figure that is not reached."""
    ordinary, found = report["decision"]["ordinary"], []
    if ordinary["median_ms"] > MEDIAN_MS:
        found.append(f"a decision takes {ordinary['median_ms']} ms in the median, wanted {MEDIAN_MS}")
    if ordinary["p99_ms"] > P99_MS:
        found.append(f"one decision in a hundred takes {ordinary['p99_ms']} ms or more, wanted {P99_MS}")
    if (rate := statistics.median(report["two_processes_per_second"])) < PER_SECOND:
        found.append(f"two processes decide {rate:.0f} a second, wanted {PER_SECOND}")
    if (rate := statistics.median(report["batch_per_second"])) < BATCH_PER_SECOND:
        found.append(f"a batch scores {rate:.0f} vectors a second, wanted {BATCH_PER_SECOND}")
    if report["models_added_mb"] > ADDED_MB:
        found.append(f"the models add {report['models_added_mb']} MB to a worker, wanted {ADDED_MB}")
    if report["decision"]["busy_times"] > BUSY_TIMES:
        found.append(
            f"the busy account costs {report['decision']['busy_times']} x an ordinary one, wanted {BUSY_TIMES}"
        )
    for name, layer in report["layers"].items():
        if layer["times_as_fast"] <= 1.0:
            found.append(f"{name} takes {layer['ours_us']} µs, its library {layer['library_us']}")
    return found


def lines(report: dict[str, Any]) -> list[str]:
    """The report for the terminal."""
    machine, decision = report["machine"], report["decision"]
    used = decision["processor_ms"]
    together, batch = report["two_processes_per_second"], report["batch_per_second"]
    through = report["let_through"]
    return [
        "",
        f"Machine: {machine['cpus']} x {machine['processor']}, load {machine['load_before']}",
        f"History: {report['history']['payments']:,} payments, written in {report['history']['fill_seconds']} s",
        "One decision, features from PostgreSQL, all layers, stored and committed:",
        *(
            f"  {name + ' account':<26}median {found['median_ms']:.2f} ms, p95 {found['p95_ms']:.2f}, p99 {found['p99_ms']:.2f}"
            for name, found in decision.items()
            if name in ("ordinary", "busy")
        ),
        f"  processor time            {used['python']} ms Python, {used['postgresql']} ms PostgreSQL",
        f"  busy over ordinary        {decision['busy_times']} x",
        f"  two processes             {statistics.median(together):,.0f} decisions a second ({min(together):,} to {max(together):,})",
        f"  let through meanwhile     {min(through):.0%} to {max(through):.0%}",
        f"Batch, all layers           {statistics.median(batch):,.0f} vectors a second ({min(batch):,} to {max(batch):,})",
        f"Models add to a worker      {report['models_added_mb']} MB",
        "One row in one layer, ours and its library's own call:",
        *(
            f"  {name:<26}{layer['ours_us']:>8.1f} µs {layer['library_us']:>10.1f} µs   {layer['times_as_fast']} x as fast"
            for name, layer in report["layers"].items()
        ),
    ]
