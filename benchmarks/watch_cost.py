"""What ``ls.watch`` costs a training step, as ratios to the same step unwatched; and what it costs to write a record.

The training is an ``nn.LSTM`` with B 32, T 100, H 128 and Adam. Watched and unwatched steps take turns, so that a busy
machine slows all alike; the ratio for ``every`` is that of a sampled and of ``every − 1`` other steps to as many
unwatched ones. The records are of 154 KB, six signals of 100 steps and 128 units in float16, written one at a time.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.runs.format import Line
from lstm_studio.runs.writer import Writer

BATCH, STEPS, FEATURES, UNITS = 32, 100, 16, 128
ROUNDS = 30
RECORDS = 1000
RECORD_BYTES = 6 * STEPS * UNITS * 2


class Training:
    """One model and its optimiser."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.LSTM(FEATURES, UNITS, batch_first=True)
        self.optimiser = torch.optim.Adam(self.model.parameters())
        self.batch = torch.randn(BATCH, STEPS, FEATURES)

    def step(self) -> torch.Tensor:
        """Update the weights once."""
        loss: torch.Tensor = self.model(self.batch)[0].pow(2).mean()
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        self.optimiser.step()
        return loss


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        time_steps(Path(folder))
        time_records(Path(folder))


def time_steps(folder: Path) -> None:
    alone, beside = Training(), Training()
    plain: list[float] = []
    more: dict[bool, list[float]] = {False: [], True: []}
    with ls.watch(beside.model, folder / "run", every=2) as run:
        for turn in range(2 * ROUNDS + 4):
            start = time.perf_counter()
            float(alone.step().detach())
            middle = time.perf_counter()
            run.step(loss=beside.step())
            end = time.perf_counter()
            if turn >= 4:
                plain.append(middle - start)
                more[turn % 2 == 0].append((end - middle) - (middle - start))
    base = statistics.median(plain)
    # Of each pair the difference: what else the machine does comes and goes more slowly. Getting ready for a sampled
    # step is part of the one before.
    extra, rest = statistics.median(more[True]), statistics.median(more[False])
    print(f"B {BATCH}, T {STEPS}, H {UNITS}, one thread, medians of {ROUNDS}; a step unwatched {1e3 * base:.2f} ms")
    print(f"a sampled step: {1e3 * extra:+.2f} ms; one that is not: {1e3 * rest:+.3f} ms")
    print("| every | overhead, % |\n|---|---|")
    for every in (1, 10, 50):
        print(f"| {every} | {100 * (extra + (every - 1) * max(rest, 0.0)) / (every * base):.2f} |")


def time_records(folder: Path) -> None:
    writer = Writer(folder / "records")
    line, payload = Line("layer/lstm", "trace"), bytes(RECORD_BYTES)
    taken = []
    for _ in range(RECORDS):
        start = time.perf_counter()
        # The very call that the writer's thread makes; that thread has nothing to do here.
        writer._write(line, payload)
        taken.append(time.perf_counter() - start)
    writer.close()
    taken.sort()
    middle, high = taken[RECORDS // 2], taken[RECORDS * 99 // 100]
    print(f"a record of {RECORD_BYTES / 1e3:.0f} KB: p50 {1e3 * middle:.2f} ms, p99 {1e3 * high:.2f} ms")


if __name__ == "__main__":
    main()
