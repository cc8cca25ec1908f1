"""How long a session of 50 MB takes from process start to its first paint, in fresh processes. Target: under 2.0 s.

Beside it: the window on its first sample, which is what the session adds to; and reading the file without a window.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks._fresh import WINDOW, environment, tell, timed

RUNS = 7
LIMIT = 2.0
SIZE = 50_000_000
"""Bytes, at least: noise, which no packing shrinks."""
STEPS, FEATURES = 1_000, 16

_READING = """
import sys, time, tempfile
from pathlib import Path
from lstm_studio.session.session_file import read_session
with tempfile.TemporaryDirectory() as folder:
    began = time.monotonic()
    contents = read_session(Path(sys.argv[2]), Path(folder))
    print(time.monotonic() - began, contents.title, "-")
"""


def write(path: Path) -> None:
    """Write a session with so many sequences that the file is large enough."""
    from lstm_studio.progress import ignore_progress
    from lstm_studio.sequences.sequence import Sequence, SequenceSet
    from lstm_studio.session.compute import Computer
    from lstm_studio.session.session import Session
    from lstm_studio.session.session_file import contents_of, write_session
    from lstm_studio.session.state import Setup

    rng = np.random.default_rng(0)
    names = tuple(f"x{index}" for index in range(FEATURES))
    count = SIZE // (STEPS * FEATURES * 4) + 1
    noise = (rng.normal(size=(STEPS, FEATURES)).astype(np.float32) for _ in range(count))
    data = SequenceSet(tuple(Sequence(values, names) for values in noise), title="noise")
    session = Session(Computer().compute(Setup(data), ignore_progress))
    write_session(contents_of(session), path)


def main() -> int:
    """Print the distribution and return 1 if the median misses the target."""
    found: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        session = Path(folder) / "large.lstmstudio"
        began = time.monotonic()
        write(session)
        size = session.stat().st_size / 1e6
        print(f"{size:.0f} MB, computed and written in {time.monotonic() - began:.1f} s")
        around = environment(folder)
        programs = {"window with the session": (WINDOW, str(session)), "window": (WINDOW,)}
        programs["reading alone"] = (_READING, str(session))
        for program in programs.values():
            timed(program[0], around, *program[1:])
        for _ in range(RUNS):
            # Interleaved, so that a busy moment of the machine strikes all of them.
            for name, program in programs.items():
                seconds, title = timed(program[0], around, *program[1:])
                assert (title == "noise") is (len(program) > 1)
                found.setdefault(name, []).append(seconds)
    tell(found)
    median = statistics.median(found["window with the session"])
    print(f"first paint of {size:.0f} MB: {median:.2f} s, {median / LIMIT:.2f} of the {LIMIT:.1f} s allowed")
    return 0 if median < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
