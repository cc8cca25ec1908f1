"""What the fused kernel of an LSTM holds by its weights, against the steps by hand, in float64 too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstm_studio import Trace, new_network, resume, trace
from lstm_studio.engine import interventions
from lstm_studio.networks import held_by_weights
from tests.engine.test_interventions import assert_same, ways_taken
from tests.engine.test_tracing import values

GATES = ("forget_gate", "input_gate", "output_gate")


def compare(branch: Trace, expected: Trace, *, rtol: float = 1e-4, atol: float = 2e-6) -> None:
    assert set(branch.names) == set(expected.names)
    for name in branch.names:
        np.testing.assert_allclose(branch[name], expected[name], rtol=rtol, atol=atol, err_msg=name)


def by_hand(monkeypatch: pytest.MonkeyPatch, original: Trace, at: int, change: dict[str, Any]) -> Trace:
    with monkeypatch.context() as patch:
        patch.setattr(interventions, "_WORTH_A_CALL", 1_000_000)
        return resume(original, at, **change)


def held_in_one_layer(
    monkeypatch: pytest.MonkeyPatch, held: dict[str, dict[int, float]]
) -> tuple[list[str], Trace, Trace]:
    """Return which way was taken where values are held from step 20 on, what came of it, and of the steps by hand."""
    original = trace(new_network("lstm", 3, 8, seed=5, outputs=2), values(90, 3), gradients=False)
    change: dict[str, Any] = {"clamp": {f"lstm.0.{signal}": units for signal, units in held.items()}}
    with monkeypatch.context() as patch:
        ways = ways_taken(patch)
        branch = resume(original, 20, **change)
    return ways, branch, by_hand(monkeypatch, original, 20, change)


def drawn_value(random: np.random.Generator, signal: str) -> float:
    """Return a value that the kernel can hold."""
    if signal.endswith(".preactivation"):
        return float(random.choice([0, 2 * random.normal(), 30, -200]))
    if signal in GATES:
        return float(random.choice([0, random.random(), 1]))
    if signal == "cell_state":
        return float(random.choice([0, 3 * random.normal(), -1e-8, 1e6]))
    return 0.0 if signal == "retained" else float(random.choice([0, random.uniform(-1, 1), -1, 1]))


@pytest.mark.parametrize("seed", range(24))
def test_whatever_is_held_together_is_held_as_the_steps_by_hand_do(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units with several values held, in several layers, and switched off; from any step on, for a while or not."""
    random = np.random.default_rng(seed)
    units, steps = int(random.choice([1, 4, 20])), 120
    network = new_network("lstm", 3, units, 3, seed=seed, bias=bool(seed % 2), outputs=2)
    x = values(steps, 3)
    original = trace(network, x, gradients=False)
    at = 0 if seed % 3 == 0 else int(random.integers(steps - 60))
    change: dict[str, Any] = {"clamp": {}, "ablate": {}, "until": None if seed % 4 else at + 50}
    for index, layer in enumerate(original.layers):
        for signal in layer.signals:
            if random.random() < 0.4:
                chosen = random.choice(units, size=min(units, 3), replace=False).tolist()
                change["clamp"][f"{layer.prefix}.{signal.name}"] = {
                    unit: drawn_value(random, signal.name) for unit in chosen
                }
        if index == seed % 3:
            change["ablate"][layer.prefix] = random.choice(units, size=max(1, units // 2), replace=False).tolist()
    with monkeypatch.context() as patch:
        ways = ways_taken(patch)
        branch = resume(original, at, **change)
    assert ways
    assert set(ways) == {"by_kernel"}
    expected = by_hand(monkeypatch, original, at, change)
    compare(branch, expected)
    for layer in original.layers:
        off = change["ablate"].get(layer.prefix, [])
        for signal in layer.signals:
            name = f"{layer.prefix}.{signal.name}"
            wanted = change["clamp"].get(name, {})
            if signal.name in ("cell_state", "hidden_state"):
                wanted = wanted | dict.fromkeys(off, 0.0)
            for unit, value in wanted.items():
                assert (branch[name][at : change["until"], unit] == np.float32(value)).all(), (name, unit)
    assert_same(branch, original, slice(at))
    exact = resume(trace(network, x, gradients=False, dtype="float64"), at, **change)
    compare(branch, exact, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
    "held",
    [
        # What comes before a value that is held has no say in it, so that it may be one that nothing comes to.
        {"retained": {1: 0.5}, "cell_state": {1: -2.0}},
        {"retained": {1: 0.5}, "admitted": {1: 3.0}, "hidden_state": {1: 0.25}},
        {"cell_state": {1: 2.0}, "hidden_state": {1: -0.25}},
        {"forget_gate": {1: 0.5}, "forget_gate.preactivation": {1: 2.0}, "hidden_state": {1: 0.0}},
    ],
)
def test_what_is_held_later_makes_good_what_is_held_before(
    held: dict[str, dict[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ways, branch, expected = held_in_one_layer(monkeypatch, held)
    assert ways == ["by_kernel"]
    compare(branch, expected)


@pytest.mark.parametrize(
    "held",
    [
        {"retained": {1: 0.5}},
        {"retained": {1: 0.5}, "cell_state": {2: 1.0}},
        {"admitted": {1: 1.5}},
        {"hidden_state": {1: -1.001}},
        {"forget_gate": {1: 1.5}, "hidden_state": {1: 0.0}},
        {"candidate": {1: -2.0}, "cell_state": {1: 0.0}},
        # More than float32 holds.
        {"cell_state": {1: 1e39}},
        {"forget_gate": {1: 1.0}, "cell_state": {1: 1e39}},
    ],
)
def test_what_nothing_comes_to_is_held_by_hand(
    held: dict[str, dict[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ways, branch, expected = held_in_one_layer(monkeypatch, held)
    assert ways == ["by_hand"]
    assert_same(branch, expected)


@pytest.mark.parametrize("signal", ["cell_state", "hidden_state"])
def test_a_memory_that_the_kernel_does_not_keep_is_held_by_hand(signal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were its gates not at the end of their range, a memory would fade."""
    original = trace(new_network("lstm", 3, 8, seed=5), values(90, 3), gradients=False)
    change: dict[str, Any] = {"clamp": {f"lstm.0.{signal}": {1: 0.5}}}
    expected = by_hand(monkeypatch, original, 20, change)
    monkeypatch.setattr(held_by_weights, "_SATURATED", 9.0)
    ways = ways_taken(monkeypatch)
    assert_same(resume(original, 20, **change), expected)
    assert ways == ["by_hand"]


def test_states_are_held_over_many_steps_without_drift() -> None:
    network = new_network("lstm", 3, 8, seed=5)
    x = values(20_000, 3)
    change: dict[str, Any] = {"clamp": {"lstm.0.cell_state": {1: 0.3}, "lstm.0.hidden_state": {2: 0.7}}}
    branch = resume(trace(network, x, gradients=False), 10, **change)
    exact = resume(trace(network, x, gradients=False, dtype="float64"), 10, **change)
    compare(branch, exact, rtol=1e-3, atol=2e-5)


def test_missing_values_and_huge_ones_go_the_way_that_they_go_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    network = new_network("lstm", 3, 8, seed=5, outputs=2)
    x = values(90, 3)
    change: dict[str, Any] = {"ablate": {"lstm.0": [1, 2]}}
    for value in (np.nan, 1e30, np.inf):
        x[60, 1] = value
        original = trace(network, x, gradients=False)
        branch, expected = resume(original, 20, **change), by_hand(monkeypatch, original, 20, change)
        assert branch.provenance.non_finite == expected.provenance.non_finite
        for name in branch.names:
            np.testing.assert_allclose(branch[name], expected[name], rtol=1e-4, atol=2e-6, err_msg=f"{value}, {name}")


def test_another_event_gives_the_trace_of_the_other_sequence_to_the_last_bit() -> None:
    network = new_network("lstm", 3, 20, 2, seed=5, outputs=2)
    x = values(300, 3)
    branch = resume(trace(network, x, gradients=False), 0, events={0: {1: 2.0}})
    x[0, 1] = 2.0
    assert_same(branch, trace(network, x, gradients=False))
