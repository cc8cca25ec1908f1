"""Gradients against autograd on an unrolled stack, and against finite differences."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lstm_studio import Sequence, TraceError, new_network, trace
from lstm_studio.networks.network import Network
from tests.engine.test_tracing import KINDS, NO_PROJECTION_IN_ONEDNN, values
from tests.engine.unrolled import unrolled


def double(network: Network) -> nn.RNNBase:
    recurrent = network.recurrent
    assert isinstance(recurrent, nn.RNNBase)
    return recurrent.double()


def last_hidden(module: nn.RNNBase, output: Tensor) -> Tensor:
    if not module.bidirectional:
        return output[-1].sum()
    half = output.shape[1] // 2
    return output[-1, :half].sum() + output[0, half:].sum()


def assert_gradients(traced: Any, module: nn.RNNBase, x: Tensor, prefix: str, loss: str) -> None:
    output, nodes = unrolled(module, x, prefix)
    scalar = last_hidden(module, output) if loss == "last-hidden" else output[int(loss.split(":")[1]), 1]
    found = torch.autograd.grad(scalar, [x, *nodes.values()], allow_unused=True)
    by_name: dict[str, list[Any]] = {}
    for key, node, gradient in zip(nodes, nodes.values(), found[1:], strict=True):
        name, _, step = key.rpartition(":")
        array = np.zeros(node.shape) if gradient is None else gradient.numpy()
        by_name.setdefault(name, [None] * len(x))[int(step)] = array
    names = {name.removeprefix("grad.") for name in traced.names if name.startswith("grad.")}
    assert names == {"input", *by_name}
    for name, oracle in {"input": found[0].numpy(), **{n: np.stack(a) for n, a in by_name.items()}}.items():
        largest = max(float(np.abs(oracle).max()), 1e-300)
        np.testing.assert_allclose(traced[f"grad.{name}"], oracle, rtol=1e-9, atol=1e-12 * largest, err_msg=name)
        norms = np.sqrt((oracle**2).sum(axis=1))
        np.testing.assert_allclose(traced[f"norm.grad.{name}"], norms, rtol=1e-9, atol=1e-12 * largest, err_msg=name)
        assert traced[f"norm.grad.{name}"].dtype == np.float64


@pytest.mark.filterwarnings(NO_PROJECTION_IN_ONEDNN)
@pytest.mark.parametrize("loss", ["last-hidden", "hidden:4:1"])
@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize(
    ("layers", "bidirectional", "bias"), list(itertools.product((1, 2), (False, True), (False, True)))
)
def test_gradients_are_those_of_autograd(
    *, kind: str, options: dict[str, Any], layers: int, bidirectional: bool, bias: bool, loss: str
) -> None:
    network = new_network(kind, 3, 4, layers, seed=3, bidirectional=bidirectional, bias=bias, **options)
    module = double(network)
    x = torch.from_numpy(values(13, 3)).double().requires_grad_()
    traced = trace(network, x, dtype="float64", objective=loss)
    assert_gradients(traced, module, x, kind, loss)
    assert traced.provenance.objective == loss
    assert traced.provenance.gradient_dtype == "float64"


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS[:3]),
    steps=st.integers(1, 25),
    features=st.integers(1, 4),
    units=st.integers(2, 6),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradients_of_any_size_are_those_of_autograd(
    *,
    kind: tuple[str, dict[str, Any]],
    steps: int,
    features: int,
    units: int,
    layers: int,
    bidirectional: bool,
    seed: int,
) -> None:
    network = new_network(kind[0], features, units, layers, seed, bidirectional=bidirectional, **kind[1])
    module = double(network)
    x = torch.from_numpy(values(steps, features, seed)).double().requires_grad_()
    traced = trace(network, x, dtype="float64")
    assert_gradients(traced, module, x, kind[0], "last-hidden")


@pytest.mark.parametrize(("kind", "units"), [("lstm", 5), ("lstm", 200), ("rnn", 400)])
def test_float32_gradients_are_within_rounding_of_float64(kind: str, units: int) -> None:
    network = new_network(kind, 3, units, 2, seed=4)
    x = values(30, 3)
    narrow, wide = trace(network, x), trace(network, x, dtype="float64")
    assert narrow.provenance.gradient_dtype == "float32"
    for name in narrow.names:
        if name.startswith("norm.grad."):
            np.testing.assert_allclose(narrow[name], wide[name], rtol=2e-4, err_msg=name)


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_the_gradient_of_the_input_is_a_finite_difference(kind: str) -> None:
    network = new_network(kind, 2, 4, 2, seed=8, bidirectional=True)
    double(network)
    x = values(7, 2).astype(np.float64)
    gradient = trace(network, x, dtype="float64")["grad.input"]

    def loss(x: np.ndarray[Any, Any]) -> float:
        with torch.no_grad():
            return float(last_hidden(double(network), network.module(torch.from_numpy(x))[0]))

    for step, feature in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[step, feature] += 1e-5
        below[step, feature] -= 1e-5
        assert gradient[step, feature] == pytest.approx((loss(above) - loss(below)) / 2e-5, rel=1e-6, abs=1e-9)


def assert_input_gradient(network: Network, x: Tensor, traced: Any, loss: Tensor) -> None:
    np.testing.assert_allclose(traced["grad.input"], torch.autograd.grad(loss, x)[0].numpy(), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    ("readout", "target"),
    [
        ("classes", np.array(2)),
        ("values", np.array([0.5, -1.0, 2.0], np.float32)),
        ("values", values(8, 3, seed=5)),
        ("classes", np.eye(3, dtype=np.float32)[np.arange(8) % 3]),
        ("classes", np.arange(8) % 3),
    ],
)
def test_the_target_is_the_default_objective_of_a_read_out(readout: str, target: np.ndarray[Any, Any]) -> None:
    network = new_network("lstm", 2, 4, seed=1, outputs=3, readout=readout)
    network.module.double()
    sequence = Sequence(values(8, 2), ("a", "b"), target=target)
    traced = trace(network, sequence, dtype="float64")
    assert traced.provenance.objective == "target"
    x = torch.tensor(sequence.values, dtype=torch.float64, requires_grad=True)
    output = network.module(x)
    output = output if len(target.shape) == 2 or target.shape == (8,) else output[-1]
    wanted = torch.from_numpy(target)
    if readout == "classes":
        loss = nn.functional.cross_entropy(output, wanted if target.dtype.kind == "i" else wanted.double())
    else:
        loss = nn.functional.mse_loss(output, wanted.double())
    assert_input_gradient(network, x, traced, loss)


def test_without_a_read_out_a_target_falls_back_to_the_last_hidden_state() -> None:
    sequence = Sequence(values(8, 2), ("a", "b"), target=np.array(1))
    assert trace(new_network("rnn", 2, 3), sequence).provenance.objective == "last-hidden"


def test_the_next_step_is_predicted_through_the_read_out() -> None:
    network = new_network("rnn", 2, 4, seed=1, outputs=2, readout="values")
    network.module.double()
    x = torch.from_numpy(values(9, 2)).double().requires_grad_()
    traced = trace(network, x, dtype="float64", objective="next-step")
    loss = nn.functional.mse_loss(network.module(x)[:-1], x.detach()[1:])
    assert_input_gradient(network, x, traced, loss)


def test_a_callable_is_an_objective() -> None:
    network = new_network("lstm", 2, 4, seed=1)
    double(network)
    x = torch.from_numpy(values(9, 2)).double().requires_grad_()

    def energy(output: Tensor) -> Tensor:
        return output.square().sum()

    traced = trace(network, x, dtype="float64", objective=energy)
    assert "energy" in traced.provenance.objective
    assert_input_gradient(network, x, traced, energy(network.module(x)[0]))


@pytest.mark.parametrize(
    ("outputs", "target", "objective", "message"),
    [
        (0, None, "target", "no target"),
        (0, np.array(1), "target", "needs a read-out"),
        (0, None, "next-step", "needs a read-out"),
        (3, None, "next-step", r"\(8, 3\).*\(8, 2\)"),
        (3, np.array(3), "target", "class 3, the read-out has 3 outputs, 0 to 2"),
        (3, np.array([1.0, 2.0]), "target", r"target is \(2,\), the read-out gives \(3,\)"),
        (0, None, "hidden:8:0", "8 steps and 4 units"),
        (0, None, "hidden:0:4", "step from 0 to 7 and a unit from 0 to 3"),
        (0, None, lambda output: output, "not a scalar"),
        (0, None, lambda output: torch.zeros(()), "does not depend"),
        (0, None, lambda output: torch.fft.fft(output).sum(), "returned a complex number"),
    ],
)
def test_an_objective_that_cannot_be_formed_says_why(
    outputs: int, target: np.ndarray[Any, Any] | None, objective: Any, message: str
) -> None:
    sequence = Sequence(values(8, 2), ("a", "b"), target=target)
    with pytest.raises(TraceError, match=message):
        trace(new_network("lstm", 2, 4, outputs=outputs), sequence, objective=objective)


def fading(rate: float, dtype: torch.dtype = torch.float32) -> nn.RNN:
    """Return a linear (relu) chain of one unit whose gradient shrinks by exactly ``rate`` a step."""
    module = nn.RNN(1, 1, nonlinearity="relu", bias=False).to(dtype)
    with torch.no_grad():
        for weight, value in zip(module.parameters(), (1.0, rate), strict=True):
            weight.fill_(value)
    return module


def test_vanishing_is_not_hidden_by_the_range_of_float32() -> None:
    traced = trace(fading(0.25), np.ones((300, 1)))
    assert traced.provenance.gradient_dtype == "float64"
    lags = np.arange(299, -1, -1)
    np.testing.assert_allclose(traced["norm.grad.rnn.0.hidden_state"], 0.25**lags, rtol=1e-9)
    assert traced["grad.rnn.0.hidden_state"][0, 0] == pytest.approx(0.25**299, rel=1e-9)
    assert traced.provenance.vanished == ()


def test_vanishing_below_float64_is_said() -> None:
    traced = trace(fading(0.25), np.ones((600, 1)))
    norm = traced["norm.grad.rnn.0.hidden_state"]
    ((name, step),) = traced.provenance.vanished
    assert name == "norm.grad.rnn.0.hidden_state"
    assert not norm[: step + 1].any()
    # Cut within 32 steps: among the subnormal numbers of float64 factors above 1/2 would never reach zero.
    assert 0 < norm[step + 1] < 1e-289
    lags = np.arange(598 - step, -1, -1)
    np.testing.assert_allclose(norm[step + 1 :], 0.25**lags, rtol=1e-9)


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_a_new_event_is_felt_where_the_later_ones_have_vanished(kind: str) -> None:
    """The objective touches both ends of the sequence: what comes from the far end is cut, what is near is not."""
    module = new_network(kind, 1, 3, seed=1).module
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(0.05)
    x = values(1200, 1)
    both = trace(module, x, objective=lambda output: output[-1].sum() + output[10].sum())
    near = trace(module, x[:11], objective=lambda output: output[10].sum())
    name = f"norm.grad.{kind}.0.hidden_state"
    assert (both[name] == 0).any()
    np.testing.assert_allclose(both[name][:11], near[name], rtol=1e-6)


def test_saturated_units_still_pass_a_little() -> None:
    """In float32 tanh(12) is 1, and 1 − tanh² would be 0: the gradient would be shown as cut."""
    module = nn.RNN(1, 1, bias=False)
    with torch.no_grad():
        for weight, value in zip(module.parameters(), (12.0, 1.0), strict=True):
            weight.fill_(value)
    traced = trace(module, np.ones((5, 1)))
    assert traced["rnn.0.hidden_state"][0, 0] == 1.0
    # cosh²(12) = e^24 / 4 to eleven digits at the first step; 13 enters from the second on.
    slopes = 4 * np.exp(-2 * np.array([12.0, 13, 13, 13, 13]))
    np.testing.assert_allclose(
        traced["norm.grad.rnn.0.hidden_state.preactivation"], slopes[::-1].cumprod()[::-1], rtol=1e-5
    )


@pytest.mark.parametrize("units", [200, 600])
def test_large_matrices_keep_vanishing_gradients(units: int) -> None:
    """Above a size the product with the weights is in float32, scaled; here against plain float64."""
    module = nn.RNN(2, units)
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(0.1)
    x = values(60, 2)
    narrow, wide = trace(module, x), trace(module, x, dtype="float64")
    norm, oracle = narrow["norm.grad.rnn.0.hidden_state"], wide["norm.grad.rnn.0.hidden_state"]
    assert oracle[0] < 1e-60
    assert narrow.provenance.gradient_dtype == "float64"
    np.testing.assert_allclose(norm, oracle, rtol=2e-3)
