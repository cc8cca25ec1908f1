"""What a search for similar stretches costs: 1,000,000 steps of 256 units, beside NumPy on the values themselves.

``python benchmarks/search_cost.py`` prints how long the index takes and how large it is, and for patterns of more and
more units how long an answer takes, beside comparing the values with the threshold and adding up where units are on
(without the margins). Needs about 2.5 GB of memory.
"""

from __future__ import annotations

import time

import numpy as np

from lstm_studio.engine.search import Pattern, SignalIndex
from lstm_studio.engine.trace import Trace

STEPS, UNITS = 1_000_000, 256
LENGTH = 20
REPETITIONS = 5


def main() -> None:
    generator = np.random.default_rng(0)
    values = generator.standard_normal((STEPS // 10, UNITS), dtype=np.float32).repeat(10, axis=0)
    # Each unit switches at steps of its own.
    for unit, by in enumerate(generator.integers(0, 10_000, UNITS)):
        values[:, unit] = np.roll(values[:, unit], by)
    trace = Trace({"input": values[:, :1], "lstm.0.hidden_state": values}, ())
    start = time.perf_counter()
    index = SignalIndex([trace], "lstm.0.hidden_state", 0.0)
    took = time.perf_counter() - start
    print(f"{STEPS:,} steps of {UNITS} units: {values.nbytes / 1e6:.0f} MB")
    print(f"index: {took:.2f} s, {index.nbytes / 1e6:.0f} MB\n")
    print(f"{'units':>8}{'answer, ms':>14}{'values, ms':>14}{'ratio':>8}")
    for units in (1, 8, 32, 128, 256):
        pattern = Pattern(tuple(range(units)), (), LENGTH, 2)
        answer = min(timed(lambda pattern=pattern: index.find(pattern)) for _ in range(REPETITIONS))
        anchor = timed(lambda units=units: on_the_values(values, units))
        print(f"{units:>8}{1e3 * answer:>14.1f}{1e3 * anchor:>14.0f}{anchor / answer:>8.0f}")


def timed(work: object) -> float:
    assert callable(work)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def on_the_values(values: np.ndarray[tuple[int, int], np.dtype[np.float32]], units: int) -> None:
    """Count the units that are on throughout each stretch, with running sums."""
    fitting = np.zeros(STEPS - LENGTH + 1, np.int16)
    for unit in range(units):
        sums = np.concatenate(([0], np.cumsum(values[:, unit] >= 0.0)))
        fitting += sums[LENGTH:] - sums[:-LENGTH] == LENGTH
    np.argpartition(-fitting, 20)


if __name__ == "__main__":
    main()
