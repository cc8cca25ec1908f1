"""Small results made with NumPy alone: the traces obey the cells' equations, so what panels print can be checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.trace import Provenance, Trace, TraceLayer
from lstm_studio.networks import signals
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec
from lstm_studio.sequences.sequence import Encoding, Sequence, SequenceSet
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, Setup, Verdicts

LSTM_SIGNALS = (
    signals.FORGET_GATE,
    signals.INPUT_GATE,
    signals.CANDIDATE,
    signals.ADMITTED,
    signals.OUTPUT_GATE,
    signals.RETAINED,
    signals.CELL_STATE,
    signals.HIDDEN_STATE,
)
RNN_SIGNALS = (signals.RECURRENT_STATE, signals.preactivation(signals.RECURRENT_STATE))
SYMBOLS = ("E", "B", "a", "b", "c", "d", "X", "Y")
CLASSES = ("XX", "XY", "YX", "YY")


def symbol_set(count: int = 6, steps: int = 20, seed: int = 0) -> SequenceSet:
    """Temporal order in small: begins with E, ends with B, X or Y twice."""
    rng = np.random.default_rng(seed)
    sequences = []
    for index in range(count):
        symbols = rng.integers(2, 6, size=steps)
        symbols[0], symbols[-1] = 0, 1
        events = rng.integers(2, size=2)
        symbols[steps // 6], symbols[steps // 2] = 6 + events
        values = np.eye(8, dtype=np.float32)[symbols]
        target = np.asarray(2 * events[0] + events[1], np.int64)
        sequences.append(Sequence(values, SYMBOLS, target=target, name=f"s{index}", encoding=Encoding.ONE_HOT))
    return SequenceSet(
        tuple(sequences),
        source="generated · length 20 · seed 0",
        title="Temporal order",
        classes=CLASSES,
        facts=(("Encoding", "one-hot, 8"), ("Target", "class at the last step")),
    )


def number_set(count: int = 3, steps: int = 12, features: int = 2, seed: int = 0) -> SequenceSet:
    """Sequences of quantities without targets."""
    rng = np.random.default_rng(seed)
    names = tuple(f"x{index}" for index in range(features))
    sequences = (rng.normal(10, 3, size=(steps, features)).astype(np.float32) for _ in range(count))
    return SequenceSet(tuple(Sequence(values, names) for values in sequences), source="walk.csv", title="walk")


def lstm_layer(
    values: NDArray[np.float32], prefix: str, units: int, seed: int, *, backward: bool = False
) -> dict[str, NDArray[Any]]:
    """The recurrence of an LSTM with random weights, step by step, in float64 and stored as float32."""
    rng = np.random.default_rng(seed)
    steps, features = values.shape
    weights = rng.normal(0, 1, size=(4, units, features + units))
    names = [signal.name for signal in LSTM_SIGNALS]
    made = {name: np.zeros((steps, units), np.float32) for name in names}
    hidden, cell = np.zeros(units), np.zeros(units)
    for step in range(steps)[:: -1 if backward else 1]:
        i, f, g, o = weights @ np.concatenate([values[step], hidden])
        i, f, o, g = (*(1 / (1 + np.exp(-a)) for a in (i, f, o)), np.tanh(g))
        retained, admitted = f * cell, i * g
        cell = retained + admitted
        hidden = o * np.tanh(cell)
        for name, value in zip(names, (f, i, g, admitted, o, retained, cell, hidden), strict=True):
            made[name][step] = value
    return {f"{prefix}.{name}": array for name, array in made.items()}


def lstm_trace(
    sequence: Sequence,
    units: int = 5,
    seed: int = 0,
    *,
    layers: int = 1,
    bidirectional: bool = False,
    outputs: int = 0,
) -> Trace:
    """A trace of an LSTM; gradient norms fall towards the first step."""
    steps = sequence.steps
    arrays: dict[str, NDArray[Any]] = {"input": sequence.values}
    recorded = []
    for layer in range(layers):
        for suffix in ("", ".reverse")[: 1 + bidirectional]:
            prefix = f"lstm.{layer}{suffix}"
            seed += 1
            arrays.update(lstm_layer(sequence.values, prefix, units, seed, backward=bool(suffix)))
            decay = np.linspace(2, 0, steps)
            arrays[f"norm.grad.{prefix}.cell_state"] = 0.5 * 10**-decay
            arrays[f"norm.grad.{prefix}.hidden_state"] = 0.2 * 10**-decay
            recorded.append(TraceLayer(prefix, "lstm", "LSTM", units, LSTM_SIGNALS))
    if outputs:
        arrays["output"] = softmax(np.random.default_rng(seed).normal(size=(steps, outputs)))
    return Trace(arrays, tuple(recorded), Provenance(objective="last-hidden", recovery_error=2.4e-7))


def rnn_trace(sequence: Sequence, units: int = 5, seed: int = 0, *, outputs: int = 0) -> Trace:
    """A trace of a vanilla RNN whose gradient vanishes."""
    rng = np.random.default_rng(seed + 100)
    steps, features = sequence.values.shape
    weights = rng.normal(0, 0.4, size=(units, features + units))
    states, before = np.zeros((steps, units), np.float32), np.zeros((steps, units), np.float32)
    hidden = np.zeros(units)
    for step in range(steps):
        before[step] = weights @ np.concatenate([sequence.values[step], hidden])
        hidden = np.tanh(before[step])
        states[step] = hidden
    arrays: dict[str, NDArray[Any]] = {
        "input": sequence.values,
        "rnn.0.hidden_state": states,
        "rnn.0.hidden_state.preactivation": before,
        "norm.grad.rnn.0.hidden_state": 10.0 ** np.linspace(-19, 0, steps),
    }
    if outputs:
        arrays["output"] = softmax(rng.normal(size=(steps, outputs)))
    layers = (TraceLayer("rnn.0", "rnn", "Vanilla RNN", units, RNN_SIGNALS),)
    return Trace(arrays, layers, Provenance(objective="last-hidden", recovery_error=1.1e-7))


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """Probabilities over the last axis."""
    powers = np.exp(scores)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def answer(setup: Setup) -> Result:
    """What a worker would answer to a setup, with invented weights."""
    sequence = setup.data[setup.item]
    if setup.events:
        added = np.array(setup.events, np.float32)
        sequence = replace(sequence, values=np.concatenate([sequence.values, added]), raw=None)
    outputs = len(setup.data.classes)
    spec = setup.network
    units = min(spec.hidden_size, 64)
    info = NetworkInfo(
        "lstm",
        "LSTM",
        sequence.features,
        units,
        spec.layers,
        spec.bidirectional,
        1732,
        outputs,
        spec.checkpoint or f"seed {spec.seed}",
        f"lstm-{spec.seed}-{units}",
    )
    infos = [info]
    traces = [
        lstm_trace(sequence, units, spec.seed, layers=spec.layers, bidirectional=spec.bidirectional, outputs=outputs)
    ]
    if setup.companion is not None:
        infos.append(replace(info, kind="rnn", title="Vanilla RNN", parameters=484, fingerprint=f"rnn-{spec.seed}"))
        traces.append(rnn_trace(sequence, units, spec.seed, outputs=outputs))
    return Result(setup, setup.data, sequence, tuple(infos), tuple(traces))


def small_setup(data: SequenceSet | None = None, **changes: Any) -> Setup:
    """A setup with five units."""
    return replace(Setup(symbol_set() if data is None else data, network=NetworkSpec(hidden_size=5)), **changes)


class AnsweringSession(Session):
    """A session whose worker answers at once."""

    def __init__(self, setup: Setup | None = None) -> None:
        super().__init__(answer(setup or small_setup()))
        self.setup_changed.connect(self._answer)

    def _answer(self, setup: Setup) -> None:
        if setup is not self.result.setup:
            self.accept(answer(setup))


def wanted(session: Session) -> Setup:
    """The session's setup; a call, so that a type checker does not take it for unchanged."""
    return session.setup


def verdicts_of(result: Result) -> Verdicts:
    """The first network right on every sequence, the companion always says class 0."""
    targets = tuple(int(sequence.target) for sequence in result.sequences if sequence.target is not None)
    fingerprints = tuple(info.fingerprint for info in result.infos)
    return Verdicts(result.sequences, fingerprints, (targets, (0,) * len(targets))[: len(fingerprints)])
