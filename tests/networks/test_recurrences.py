"""Every kind against its recurrence written down again, and its gradients against autograd and finite differences."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lstm_studio import new_network, trace
from lstm_studio.engine.trace import Trace
from lstm_studio.networks.cells import cells
from lstm_studio.networks.network import Network
from tests.networks.recurrences import LAYERS, NUMPY, TORCH, stack

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("rnn", {"nonlinearity": "tanh"}),
    ("rnn", {"nonlinearity": "relu"}),
    ("rnn", {"nonlinearity": "relu", "initial": "identity"}),
    ("gru", {}),
    ("lstm-article", {}),
    ("lstm-1997", {}),
    ("lstm-1997", {"block_size": 2}),
    ("lstm-1997", {"gate_recurrence": True}),
    ("lstm-1997", {"block_size": 2, "gate_recurrence": True}),
    ("tdnn", {}),
    ("tdnn", {"window": 3, "nonlinearity": "relu"}),
    ("feedforward", {}),
]


def values(steps: int, features: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, 1.5, (steps, features))


def options_of(network: Network) -> dict[str, Any]:
    return network.cell.module_options(network.recurrent)


def recurrence(network: Network, x: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Return every signal as the oracle has it, in the weights' own numbers, (T, ·) float64."""
    weights = {name: weight.detach().double().numpy() for name, weight in network.recurrent.named_parameters()}
    sizes, options = network.sizes, options_of(network)
    _, named = stack(
        network.kind, x, weights, NUMPY, layers=sizes.layers, bidirectional=sizes.bidirectional, options=options
    )
    return {name: np.stack(steps) for name, steps in named.items()}


def assert_signals(traced: Trace, expected: dict[str, NDArray[Any]], tolerance: float) -> None:
    names = {name for name in traced.names if name not in {"input", "output"} and "grad." not in name}
    assert names == set(expected)
    for name, oracle in expected.items():
        np.testing.assert_allclose(traced[name], oracle, rtol=tolerance, atol=tolerance, err_msg=name)


def assert_gradients(network: Network, x: NDArray[np.float64], objective: str) -> None:
    """Compare all gradients of a float64 network with those of autograd on the unrolled recurrence."""
    network.module.double()
    traced = trace(network, x, dtype="float64", objective=objective)
    leaf = torch.tensor(x, requires_grad=True)
    weights = dict(network.recurrent.named_parameters())
    sizes, options = network.sizes, options_of(network)
    output, named = stack(
        network.kind, leaf, weights, TORCH, layers=sizes.layers, bidirectional=sizes.bidirectional, options=options
    )
    if objective == "last-hidden":
        half = output.shape[1] // sizes.directions
        loss = output[-1, :half].sum() + (output[0, half:].sum() if sizes.bidirectional else 0.0)
    else:
        loss = output[int(objective.split(":")[1]), int(objective.split(":")[2])]
    wanted = {name.removeprefix("grad.") for name in traced.names if name.startswith("grad.")}
    assert wanted - {"input"} <= set(named)
    assert wanted >= {name for name in named if name.endswith((".preactivation", ".hidden_state"))}
    expected = {"input": torch.autograd.grad(loss, leaf, retain_graph=True)[0].numpy()}
    for name in wanted - {"input"}:
        found = torch.autograd.grad(loss, named[name], retain_graph=True, allow_unused=True)
        pairs = zip(found, named[name], strict=True)
        expected[name] = np.stack([np.zeros(node.shape) if one is None else one.numpy() for one, node in pairs])
    for name, oracle in expected.items():
        largest = max(float(np.abs(oracle).max()), 1e-300)
        np.testing.assert_allclose(traced[f"grad.{name}"], oracle, rtol=1e-9, atol=1e-12 * largest, err_msg=name)


def test_every_kind_is_covered() -> None:
    assert set(LAYERS) == set(cells())
    assert {kind for kind, _ in KINDS} | {"lstm"} == set(cells())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize(
    ("layers", "bidirectional", "bias"), list(itertools.product((1, 2), (False, True), (False, True)))
)
def test_every_signal_is_that_of_the_recurrence(
    *, kind: str, options: dict[str, Any], layers: int, bidirectional: bool, bias: bool, dtype: str
) -> None:
    network = new_network(kind, 3, 4, layers, seed=7, bidirectional=bidirectional, bias=bias, **options)
    x = values(19, 3).astype(np.float32).astype(np.float64)
    traced = trace(network, x, dtype=dtype)
    assert_signals(traced, recurrence(network, x), 1e-5 if dtype == "float32" else 1e-12)
    assert traced.recovery_error < (1e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("objective", ["last-hidden", "hidden:4:1"])
@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize(
    ("layers", "bidirectional", "bias"), list(itertools.product((1, 2), (False, True), (False, True)))
)
def test_gradients_are_those_of_autograd(
    *, kind: str, options: dict[str, Any], layers: int, bidirectional: bool, bias: bool, objective: str
) -> None:
    network = new_network(kind, 3, 4, layers, seed=3, bidirectional=bidirectional, bias=bias, **options)
    assert_gradients(network, values(11, 3), objective)


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    steps=st.integers(1, 20),
    features=st.integers(1, 4),
    half_units=st.integers(1, 3),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size_follows_the_recurrence(
    *,
    kind: tuple[str, dict[str, Any]],
    steps: int,
    features: int,
    half_units: int,
    layers: int,
    bidirectional: bool,
    seed: int,
) -> None:
    network = new_network(kind[0], features, 2 * half_units, layers, seed, bidirectional=bidirectional, **kind[1])
    x = values(steps, features, seed)
    assert_gradients(network, x, "last-hidden")
    assert_signals(trace(network, x, dtype="float64", gradients=False), recurrence(network, x), 1e-12)


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_the_gradient_of_the_input_is_a_finite_difference(kind: str, options: dict[str, Any]) -> None:
    network = new_network(kind, 2, 4, 2, seed=8, **options)
    network.module.double()
    x = values(6, 2, seed=2)
    gradient = trace(network, x, dtype="float64")["grad.input"]

    def loss(x: NDArray[Any]) -> float:
        with torch.no_grad():
            return float(network.module(torch.from_numpy(x))[0][-1].sum())

    for step, feature in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[step, feature] += 1e-5
        below[step, feature] -= 1e-5
        assert gradient[step, feature] == pytest.approx((loss(above) - loss(below)) / 2e-5, rel=1e-6, abs=1e-9)
