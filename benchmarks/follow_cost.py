"""What following costs: from a record's writing to its being read, the share of a core, and opening a long run.

Eight processes write ten steps a second each, a trace of 154 KB, its statistics and the numbers of the step, as
``ls.watch`` does; one process follows them all, looking as often as ``follow`` does. How old a step is when it has been
read says the clock that its numbers carry. The long run is one of 150 MB with a trace of 154 KB at every 50th step and
numbers at all; TensorBoard's own reader gets a tenth as many bytes, the traces as tensors, and its time is multiplied.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np

from lstm_studio.runs.format import SCALARS, STATISTICS, TRACE, Line
from lstm_studio.runs.like import POLL_SECONDS
from lstm_studio.runs.reader import Run, open_run
from lstm_studio.runs.writer import Writer, json_bytes
from lstm_studio.sequences.tensors import pack

WRITERS, PER_SECOND, SECONDS = 8, 10, 15
STEPS, UNITS, SIGNALS = (
    100,
    128,
    ("forget_gate", "input_gate", "candidate", "output_gate", "cell_state", "hidden_state"),
)
LONG_BYTES, EVERY, PART, OPENINGS = 150_000_000, 50, 10, 5
MOST_AGE, MOST_SHARE, MOST_OPENING = 0.150, 0.05, 1.0
_SCALARS, _TRACE, _STATISTICS = Line(SCALARS, SCALARS), Line("layer/lstm", TRACE), Line("layer/lstm", STATISTICS)


def main() -> int:
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        good = follow(Path(folder) / "runs")
        return 0 if open_long(Path(folder)) and good else 1


def block(step: int) -> bytes:
    """Return a trace of 154 KB, as it lies in a record."""
    arrays = {f"lstm.0.{name}": np.zeros((STEPS, UNITS), np.float16) for name in SIGNALS}
    return pack(arrays, {"step": str(step), "item": "0", "path": "lstm", "lstm_studio": "{}"})


def put_step(writer: Writer, step: int, trace: bytes | None) -> None:
    """Hand one training step over; its numbers last, as the recorder does."""
    if trace is not None:
        writer.put(_TRACE, trace)
        means = {f"lstm.0.{name}.{what}": 0.5 for name in SIGNALS for what in ("mean", "deviation", "below_0.1")}
        norms = {"hidden_state": [0.9**lag for lag in range(STEPS)], "cell_state": [0.99**lag for lag in range(STEPS)]}
        writer.put(_STATISTICS, json_bytes({"step": step, "values": means, "lags": {"lstm.0": norms}}))
    now = time.time()
    writer.put(_SCALARS, json_bytes({"rows": [[step, now, {"loss": 1 / (step + 1), "accuracy": 0.5, "wall": now}]]}))


def write(folder: Path) -> None:
    """Write a run at a steady pace: the process of one of the writers."""
    folder.mkdir(parents=True)
    writer = Writer(folder / "rank00000")
    (folder / "run.json").write_text('{"format": 1, "layers": [{"path": "lstm"}]}')
    begin = time.monotonic()
    for step in range(PER_SECOND * SECONDS):
        time.sleep(max(begin + step / PER_SECOND - time.monotonic(), 0))
        put_step(writer, step, block(step))
    writer.close()


def follow(folder: Path) -> bool:
    """Follow all writers at once."""
    names = [f"run{number}" for number in range(WRITERS)]
    children = [
        subprocess.Popen([sys.executable, "-m", "benchmarks.follow_cost", str(folder / name)]) for name in names
    ]
    while not all((folder / name / "run.json").exists() for name in names):
        time.sleep(0.05)
    runs = [open_run(folder / name) for name in names]
    seen = [0] * WRITERS
    ages: list[float] = []
    begin, spent = time.monotonic(), time.process_time()
    while any(child.poll() is None for child in children):
        for index, run in enumerate(runs):
            run.refresh()
            if "wall" in run.scalars:
                walls = run.scalars["wall"][1]
                ages += (time.time() - walls[seen[index] :]).tolist()
                seen[index] = len(walls)
        time.sleep(POLL_SECONDS)
    share = (time.process_time() - spent) / (time.monotonic() - begin)
    for run in runs:
        run.refresh()
        assert len(run.scalars["loss"][0]) == len(run.steps) == PER_SECOND * SECONDS
        assert not run.problems
    ages.sort()
    middle, high = ages[len(ages) // 2], ages[len(ages) * 95 // 100]
    print(f"{WRITERS} writers × {PER_SECOND} steps/s with a trace of {len(block(0)) / 1e3:.0f} KB each:")
    print(f"  written to read   p50 {1e3 * middle:.0f} ms, p95 {1e3 * high:.0f} ms (target: {1e3 * MOST_AGE:.0f})")
    print(f"  share of a core   {100 * share:.1f} % (target: at most {100 * MOST_SHARE:.0f} %)")
    return high <= MOST_AGE and share <= MOST_SHARE


def open_long(folder: Path) -> bool:
    """Open a long run to its curves."""
    writer = Writer(folder / "long" / "rank00000")
    trace = block(0)
    for step in range(LONG_BYTES // len(trace) * EVERY):
        while writer._waiting and len(writer._waiting) > 1000:
            time.sleep(0.001)
        put_step(writer, step, block(step) if step % EVERY == 0 else None)
    writer.close()
    (folder / "long" / "run.json").write_text('{"format": 1, "layers": [{"path": "lstm"}]}')
    size = sum(path.stat().st_size for path in folder.rglob("long/**/*.mcap"))
    taken = []
    for _ in range(OPENINGS):
        start = time.perf_counter()
        run: Run = open_run(folder / "long")
        curves = run.scalars, run.statistics, run.lags
        taken.append(time.perf_counter() - start)
        assert all(curves)
        assert len(run.scalars["loss"][0]) == step + 1
    # The fastest: what else the machine does is no part of it.
    ours = min(taken)
    theirs = PART * time_tensorboard(folder / "events", LONG_BYTES // PART // len(trace), trace)
    print(f"a run of {size / 1e6:.0f} MB, {step + 1:,} steps, {len(run.steps)} traces:")
    middle = statistics.median(taken)
    print(
        f"  open_run          {ours:.2f} s, median of {OPENINGS} {middle:.2f} s (target: at most {MOST_OPENING:.0f} s)"
    )
    print(f"  EventAccumulator  {theirs:.1f} s, {PART} times that of a tenth; ratio {theirs / ours:.0f}")
    return ours <= MOST_OPENING


def time_tensorboard(folder: Path, traces: int, trace: bytes) -> float:
    """Return how long TensorBoard takes to read so many traces, and the numbers of all steps."""
    warnings.simplefilter("ignore")
    writer = import_module("torch.utils.tensorboard").SummaryWriter(folder)
    summary = import_module("tensorboard.compat.proto.summary_pb2").Summary
    tensors = import_module("tensorboard.compat.proto.tensor_pb2").TensorProto
    for step in range(traces * EVERY):
        writer.add_scalar("loss", 1 / (step + 1), step)
        writer.add_scalar("accuracy", 0.5, step)
        if step % EVERY == 0:
            tensor = tensors(dtype=7, string_val=[trace])
            writer.file_writer.add_summary(summary(value=[summary.Value(tag="trace", tensor=tensor)]), step)
    writer.close()
    accumulator = import_module("tensorboard.backend.event_processing.event_accumulator")
    start = time.perf_counter()
    found = accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    assert len(found.Scalars("loss")) == traces * EVERY
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
