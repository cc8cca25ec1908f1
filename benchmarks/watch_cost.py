"""What ``ls.watch`` costs a training step, as ratios to the same step unwatched; and what it costs to write a record.

The training is an ``nn.LSTM`` with B 32, T 100, H 128 and Adam. Watched and unwatched steps are taken in pairs, in
either order by lot, so that a busy machine slows all alike and neither profits from being second; of each pair the
difference counts. The ratio for ``every`` is that of a sampled and of ``every − 1`` other steps to as many unwatched
ones: at every 50 steps no stopwatch would tell it from nothing.

The records of what is sampled are made in the writer's thread, beside the steps that follow, which need not wait for it
where a processor is free; so the time of the training's own thread is told too. Then the same of eight sampled items,
and of a loop over ``nn.LSTMCell``.

The records are of 154 KB, six signals of 100 steps and 128 units in float16, written with pauses between, as a training
hands them over.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.runs.format import Line
from lstm_studio.runs.writer import Writer

BATCH, STEPS, FEATURES, UNITS = 32, 100, 16, 128
ROUNDS = 100
RECORDS = 1000
RECORD_BYTES = 6 * STEPS * UNITS * 2


class Loop(nn.Module):
    """A loop over a cell."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(FEATURES, UNITS)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """Return the last hidden state."""
        h = c = torch.zeros(len(x), UNITS)
        for x_t in x.unbind(1):
            h, c = self.cell(x_t, (h, c))
        return (h,)


def stack() -> nn.Module:
    return nn.LSTM(FEATURES, UNITS, batch_first=True)


class Training:
    """One model and its optimiser."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        torch.manual_seed(0)
        self.model = make()
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
        time_steps(Path(folder) / "stack", "nn.LSTM", stack)
        time_steps(Path(folder) / "eight", "nn.LSTM, 8 sequences", stack, sequences=8, rounds=ROUNDS // 2)
        time_steps(Path(folder) / "loop", "a loop over nn.LSTMCell", Loop, rounds=ROUNDS // 4)
        time_records(Path(folder))


def time_steps(
    folder: Path, title: str, make: Callable[[], nn.Module], *, sequences: int = 1, rounds: int = ROUNDS
) -> None:
    alone, beside = Training(make), Training(make)
    plain: list[float] = []
    # By place: a sampled step; one that follows it; and one that gets ready for the next.
    more: list[list[float]] = [[], [], []]
    busy: list[list[float]] = [[], [], []]
    lot = np.random.default_rng(0)
    with ls.watch(beside.model, folder, every=3, sequences=sequences) as run:

        def watched() -> None:
            run.step(loss=beside.step())

        def unwatched() -> None:
            float(alone.step().detach())

        for turn in range(3 * rounds + 6):
            steps = [watched, unwatched]
            lot.shuffle(steps)
            found = {step: timed(step) for step in steps}
            if turn >= 6:
                plain.append(found[unwatched][0])
                for kept, at, before in zip((more, busy), found[watched], found[unwatched], strict=True):
                    kept[turn % 3].append(at - before)
    base = statistics.median(plain)
    sampled, rest = costs(more)
    about = f"B {BATCH}, T {STEPS}, H {UNITS}, one thread, medians of {rounds}"
    print(f"{title}: {about}; a step unwatched {1e3 * base:.2f} ms")
    print(f"a sampled step: {1e3 * sampled:+.2f} ms; one that is not: {1e3 * rest:+.3f} ms")
    own = costs(busy)
    print(f"of that in the thread that trains: {1e3 * own[0]:+.2f} and {1e3 * own[1]:+.3f} ms of processor time")
    print("| every | overhead, % |\n|---|---|")
    for every in (1, 10, 50):
        print(f"| {every} | {100 * (sampled + (every - 1) * max(rest, 0.0)) / (every * base):.2f} |")
    print()


def costs(differences: list[list[float]]) -> tuple[float, float]:
    """Return what a sampled step costs, getting ready for it included, and one that is not sampled."""
    sampled, rest, ready = map(statistics.median, differences)
    return sampled + ready - rest, rest


def timed(step: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds of a step on the wall, and those that this thread was at work."""
    wall, own = time.perf_counter(), time.thread_time()
    step()
    return time.perf_counter() - wall, time.thread_time() - own


def time_records(folder: Path) -> None:
    writer = Writer(folder / "records")
    line, payload = Line("layer/lstm", "trace"), bytes(RECORD_BYTES)
    taken = []
    for _ in range(RECORDS):
        time.sleep(0.002)
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
