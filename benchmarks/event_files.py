"""Reading the numbers of a TensorBoard folder, beside TensorBoard's own EventAccumulator; must be 3 times as fast.

The folder is one that PyTorch's SummaryWriter makes: 60,000 numbers under three names, and a histogram now and then.
Both readers check every checksum. They take turns; the median of each counts.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np

from lstm_studio.runs.opening import open_any

STEPS, NAMES, REPEATS, TARGET = 20_000, ("loss/train", "loss/validation", "learning_rate"), 5, 3.0


def main() -> int:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        ours, theirs = [], []
        for _ in range(REPEATS):
            theirs.append(time_tensorboard(folder))
            ours.append(time_ours(folder))
    events = STEPS * len(NAMES)
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"{events:,} numbers, median of {REPEATS}, taking turns:")
    print(f"  EventAccumulator  {events / statistics.median(theirs):>9,.0f} events/s")
    print(f"  open_any          {events / statistics.median(ours):>9,.0f} events/s")
    print(f"  ratio             {ratio:.1f} (target: at least {TARGET})")
    return 0 if ratio >= TARGET else 1


def write(folder: Path) -> None:
    writer = import_module("torch.utils.tensorboard").SummaryWriter(folder)
    numbers = np.random.default_rng(0)
    for step in range(STEPS):
        for name in NAMES:
            writer.add_scalar(name, 1 / (step + 1), step)
        if step % 1000 == 0:
            writer.add_histogram("weights", numbers.normal(size=10_000), step)
    writer.close()


def time_ours(folder: Path) -> float:
    start = time.perf_counter()
    run = open_any(folder)
    elapsed = time.perf_counter() - start
    assert [len(run.scalars[name][0]) for name in NAMES] == [STEPS] * len(NAMES)
    return elapsed


def time_tensorboard(folder: Path) -> float:
    accumulator = import_module("tensorboard.backend.event_processing.event_accumulator")
    start = time.perf_counter()
    found = accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
    found.Reload()
    elapsed = time.perf_counter() - start
    assert [len(found.Scalars(name)) for name in NAMES] == [STEPS] * len(NAMES)
    return elapsed


if __name__ == "__main__":
    sys.exit(main())
