"""Sessions for tests, and what identifies what they show; run with a folder it opens every session in there."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from lstm_studio.engine.trace import Trace
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.compute import Computer
from lstm_studio.session.session import Session
from lstm_studio.session.session_file import SUFFIX, read_session
from lstm_studio.session.state import Result, Setup


def walk(count: int = 3, steps: int = 9, features: int = 2, seed: int = 0) -> SequenceSet:
    """Sequences of quantities."""
    rng = np.random.default_rng(seed)
    names = tuple(f"x{index}" for index in range(features))
    made = (rng.normal(3, 2, size=(steps + index, features)).astype(np.float32) for index in range(count))
    return SequenceSet(tuple(Sequence(values, names) for values in made), source="walk.csv", title="walk")


def computed(setup: Setup) -> Session:
    """Return a session whose setup has been computed."""
    return Session(Computer().compute(setup, ignore_progress))


def digest(trace: Trace) -> str:
    """Return what two traces have in common when every bit of every array is the same."""
    summed = hashlib.sha256()
    for name in sorted(trace.names):
        array = trace[name]
        summed.update(f"{name} {array.dtype} {array.shape}".encode())
        summed.update(np.ascontiguousarray(array).tobytes())
    return summed.hexdigest()


def digests(result: Result) -> list[str]:
    """Return those of all networks, branches and of what is compared with."""
    every = [*result.traces, *(trace for branch in result.branches for trace in branch)]
    if result.second is not None:
        every.append(result.second[0])
    return [digest(trace) for trace in every]


def main(folder: Path) -> None:
    """Print what every session in a folder shows as it is stored, and when it is computed again."""
    found = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        contents = read_session(path, Path("networks"))
        assert contents.result is not None, contents.problems
        again = Computer().compute(contents.setup, ignore_progress)
        infos = [info.fingerprint for info in again.infos]
        found[path.stem] = [digests(contents.result), digests(again), infos, list(contents.problems)]
    print(json.dumps(found))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main(Path(sys.argv[1]))
