"""A sampled step of a training as something to look at: its traces as they were recorded, and no network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_studio.engine.trace import Trace
from lstm_studio.errors import RunError
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec
from lstm_studio.progress import Progress
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.run_words import number_words
from lstm_studio.session.state import Recorded, Result, Setup


@dataclass(frozen=True, slots=True)
class OpenStep(Question):
    """Read one sampled step of a training; answered with a :class:`~lstm_studio.session.state.Result`."""

    recorded: Recorded

    title = "Reading the recorded step"
    about_result = False

    def answer(self, tools: Tools, progress: Progress) -> Result:  # noqa: ARG002 - there is no network
        """Read it."""
        return recorded_result(self.recorded, progress)


def recorded_result(recorded: Recorded, progress: Progress) -> Result:
    """Return what was recorded at one step of a training as what the window shows.

    Raises
    ------
    RunError
        If the run, the step or the sequence is not there, or damaged.
    """
    from lstm_studio.runs.opening import open_any

    progress(-1.0, f"Reading step {number_words(recorded.step)}")
    run = open_any(recorded.address)
    trace = run.trace(recorded.step, recorded.item)
    if not trace.layers or "input" not in trace:
        raise RunError(f"{recorded.address}, step {recorded.step}, has no layer.", "Choose another step.")
    values = np.asarray(trace["input"], np.float32)
    names = tuple(f"x{feature + 1}" for feature in range(values.shape[1]))
    title = f"{run.title}, step {number_words(recorded.step)}"
    sequence = Sequence(values, names, name=f"sequence {recorded.item + 1}")
    sequences = SequenceSet((sequence,), title=title)
    info = info_of(trace, f"recorded at step {number_words(recorded.step)}")
    spec = NetworkSpec(info.kind, info.hidden_size, info.layers, info.bidirectional)
    setup = Setup(sequences, network=spec, companion=None, recorded=recorded)
    return Result(setup, sequences, sequence, (info,), (trace,))


def info_of(trace: Trace, source: str) -> NetworkInfo:
    """Return what a recorded trace tells of the network that it is of."""
    layers = trace.layers
    first = layers[0]
    both = any(layer.prefix.endswith(".reverse") for layer in layers)
    same = [layer for layer in layers if layer.kind == first.kind and not layer.prefix.endswith(".reverse")]
    return NetworkInfo(
        first.kind,
        first.title,
        int(trace["input"].shape[1]),
        first.units,
        max(1, len(same)),
        both,
        0,
        0,
        source,
        trace.provenance.network,
    )
