"""How long a session of 50 MB takes from process start to its first paint, in fresh processes. Target: under 2.0 s.

Beside it: the window on its first sample, which is what the session adds to; and reading the file without a window.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

RUNS = 7
LIMIT = 2.0
SIZE = 50_000_000
"""Bytes, at least: noise, which no packing shrinks."""
STEPS, FEATURES = 1_000, 16

_WINDOW = """
import sys, time
began = float(sys.argv[1])
from lstm_studio.cli import run
from lstm_studio.ui import app

make_window = app.make_window

def watched(*args, **kwargs):
    window = make_window(*args, **kwargs)
    def report():
        took = time.monotonic() - began
        heavy = sorted(sys.modules.keys() & {"torch", "duckdb", "soundfile"})
        print(took, window.session.result.sequences.title.replace(" ", "-"), ",".join(heavy) or "-", flush=True)
        window.close()
    window.header.painted.connect(report)
    return window

app.make_window = watched
sys.exit(run(sys.argv[2:]))
"""
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


def measure(code: str, environment: dict[str, str], *arguments: str) -> tuple[float, str]:
    """Run code in a fresh process; return the seconds it printed, and what it showed."""
    # The monotonic clock is the same in all processes of a machine.
    line = [sys.executable, "-c", code, repr(time.monotonic()), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment)
    seconds, title, heavy = done.stdout.split()
    assert heavy == "-", f"{heavy} was imported before the first paint"
    return float(seconds), title


def main() -> int:
    """Print the distribution and return 1 if the median misses the target."""
    found: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        session = Path(folder) / "large.lstmstudio"
        began = time.monotonic()
        write(session)
        size = session.stat().st_size / 1e6
        print(f"{size:.0f} MB, computed and written in {time.monotonic() - began:.1f} s")
        # An installed program has its bytecode; some machines tell Python not to write any.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "XDG_STATE_HOME": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        programs = {"window with the session": (_WINDOW, str(session)), "window": (_WINDOW,)}
        programs["reading alone"] = (_READING, str(session))
        for program in programs.values():
            measure(program[0], environment, *program[1:])
        for _ in range(RUNS):
            # Interleaved, so that a busy moment of the machine strikes all of them.
            for name, program in programs.items():
                seconds, title = measure(program[0], environment, *program[1:])
                assert (title == "noise") is (len(program) > 1)
                found.setdefault(name, []).append(seconds)
    for name, times in found.items():
        print(
            f"{name:24} median {statistics.median(times):.2f} s, fastest {min(times):.2f} s, slowest {max(times):.2f} s"
        )
    median = statistics.median(found["window with the session"])
    print(f"first paint of {size:.0f} MB: {median:.2f} s, {median / LIMIT:.2f} of the {LIMIT:.1f} s allowed")
    return 0 if median < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
