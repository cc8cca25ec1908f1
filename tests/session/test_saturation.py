"""Gates that are shut or open: the shares against NumPy on the traces of the library."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lstm_studio as ls
from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks import signals
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import Cancelled, ignore_progress
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.compute import Computer
from lstm_studio.session.saturation import SaturationOfSet, gates_of, saturation, saturation_of
from lstm_studio.session.state import Result, Setup


def result_of(computer: Computer, **changes: Any) -> Result:
    rng = np.random.default_rng(5)
    values = [(6 * rng.normal(size=(steps, 3))).astype(np.float32) for steps in (9, 4, 17)]
    data = SequenceSet(tuple(Sequence(value, ("a", "b", "c")) for value in values))
    setup = Setup(data, item=2, network=NetworkSpec("lstm", 6, seed=1), companion=NetworkSpec("gru"))
    return computer.compute(replace(setup, **changes), ignore_progress)


def test_shares_are_those_that_numpy_counts() -> None:
    result = result_of(Computer())
    found = saturation(result)
    assert [(one.network, one.gate.name) for one in found] == [
        (network, signal.name)
        for network, trace in enumerate(result.traces)
        for signal in trace.layers[0].signals
        if signal.name.endswith("_gate")
    ]
    for one in found:
        values = result.traces[one.network][f"{one.layer.prefix}.{one.gate.name}"]
        np.testing.assert_allclose(one.shut, np.mean(values < 0.1, axis=0))
        np.testing.assert_allclose(one.open, np.mean(values > 0.9, axis=0))
        assert (one.steps, one.units_each) == (17, 1)
        assert (one.shut + one.open <= 1).all()
    assert any(one.shut.any() for one in found)
    assert any(one.open.any() for one in found)


def test_over_all_sequences_every_step_counts_once() -> None:
    computer = Computer()
    result = result_of(computer)
    found = SaturationOfSet(result).answer(computer, ignore_progress)
    networks = computer.networks_of(result)
    for one in found:
        name = f"{one.layer.prefix}.{one.gate.name}"
        values = np.concatenate(
            [ls.trace(networks[one.network], sequence, gradients=False)[name] for sequence in result.sequences]
        )
        np.testing.assert_allclose(one.shut, np.mean(values < 0.1, axis=0))
        np.testing.assert_allclose(one.open, np.mean(values > 0.9, axis=0))
        assert one.steps == 30


def test_a_network_without_gates_has_none_and_is_not_traced() -> None:
    computer = Computer()
    result = result_of(computer, companion=NetworkSpec("rnn"))
    told: list[float] = []

    def listen(fraction: float, words: str) -> None:
        told.append(fraction)

    assert {one.network for one in SaturationOfSet(result).answer(computer, listen)} == {0}
    np.testing.assert_allclose(told, [0, 1 / 3, 2 / 3])
    assert gates_of(result.traces[1].layers[0]) == ()


def test_blocks_of_units_share_a_gate() -> None:
    computer = Computer()
    result = result_of(computer, network=NetworkSpec("lstm-1997", 6), companion=None)
    sizes = {one.gate.name: (len(one.shut), one.units_each) for one in saturation(result)}
    assert all(count * each == 6 for count, each in sizes.values())


def test_what_is_not_a_number_does_not_count() -> None:
    gate = np.array([[0.05, np.nan], [0.95, np.nan], [np.nan, np.nan], [0.5, np.nan]], np.float32)
    layer = TraceLayer("lstm.0", "lstm", "LSTM", 2, (signals.FORGET_GATE, signals.CANDIDATE))
    trace = Trace({"input": np.zeros((4, 1), np.float32), "lstm.0.forget_gate": gate}, (layer,))
    (found,) = saturation_of(0, (trace,))
    np.testing.assert_allclose(found.shut, [1 / 3, np.nan])
    np.testing.assert_allclose(found.open, [1 / 3, np.nan])


def test_counting_can_be_cancelled() -> None:
    computer = Computer()

    def refuse(fraction: float, words: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        SaturationOfSet(result_of(computer)).answer(computer, refuse)
