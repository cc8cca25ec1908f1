"""Gradients through time in float32 whose scale follows them, against autograd and the loop in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_studio.engine import rescaled
from lstm_studio.engine.norms import row_norms
from lstm_studio.networks.cell import Layer
from lstm_studio.networks.cells.lstm import CELL

Array = NDArray[Any]


def recovered(steps: int, units: int, gain: float = 1.0) -> tuple[nn.LSTM, Tensor, Layer[Array], dict[str, Array]]:
    torch.manual_seed(0)
    module = nn.LSTM(5, units)
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(gain)
        x = torch.randn(steps, 5)
        h = module(x)[0]
    layer, nothing = CELL.layer(module, 0, False), torch.zeros(units)
    signals = {**CELL.recover(layer, x, h, (nothing, nothing)).signals, "hidden_state": h.numpy()}
    return module, x, layer.map(lambda tensor: tensor.detach().numpy()), signals


def upstream(kind: str, steps: int, units: int) -> tuple[Array, tuple[Array, Array]]:
    """Return what the loss injects into the hidden states, and into the last states."""
    random = np.random.default_rng(1)
    found, final = np.zeros((steps, units)), (np.zeros(units), np.zeros(units))
    if kind == "everywhere":
        found[:] = 1e-4 * random.standard_normal(found.shape)
    elif kind == "at the end":
        found[-1] = 1.0
    elif kind == "in the last states":
        final = random.standard_normal(units), random.standard_normal(units)
    elif kind == "of very different sizes":
        some = found[::7]
        some[:] = random.standard_normal(some.shape) * 10.0 ** random.uniform(-120, 60, (len(some), 1))
    elif kind == "so small that float32 has no such numbers":
        found[steps // 2] = 1e-100 * random.standard_normal(units)
    return found, final


KINDS = (
    "everywhere",
    "at the end",
    "in the last states",
    "of very different sizes",
    "so small that float32 has no such numbers",
    "nowhere",
)


@pytest.mark.parametrize("gain", [1.0, 3.0])
@pytest.mark.parametrize("steps", [1, 60, 128, 300])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_the_loop_in_float64_finds(kind: str, steps: int, gain: float) -> None:
    """At every step by itself, however little is left there."""
    module, _, layer, signals = recovered(steps, 12, gain)
    into, final = upstream(kind, steps, 12)
    assert rescaled.is_enough(module, layer)
    found = rescaled.gradients(layer, signals, into, final)
    expected = CELL.gradients(layer, signals, into, final)
    assert found is not None
    assert list(found.signals) == list(expected.signals)
    pairs = [(found.signals[name], array) for name, array in expected.signals.items()]
    pairs += [(found.input, expected.input)]
    pairs += [(ours[None], theirs[None]) for ours, theirs in zip(found.initial, expected.initial, strict=True)]
    for ours, theirs in pairs:
        assert ours.dtype == np.float64
        largest = np.abs(theirs).max(axis=1)
        assert (np.abs(ours - theirs).max(axis=1) <= 3e-5 * largest).all()


def test_it_is_what_autograd_finds_through_the_unrolled_cell() -> None:
    """In float64, as far as the states in float32 tell."""
    module, x, layer, signals = recovered(100, 32)
    exact = module.double()
    weights = [weight.detach() for weight in exact.parameters()]
    h = c = torch.zeros(32, dtype=torch.float64, requires_grad=True)
    cells, hidden, before = [], [], []
    for x_t in x.double():
        a = weights[0] @ x_t + weights[2] + weights[1] @ h + weights[3]
        i, f, g, o = a.chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        cells.append(c)
        hidden.append(h)
        before.append(a)
    loss = (hidden[-1].pow(2) + hidden[40].sin()).sum()
    theirs = torch.autograd.grad(loss, [*cells, *hidden, *before])
    into = np.zeros((100, 32))
    into[-1], into[40] = 2 * hidden[-1].detach().numpy(), hidden[40].detach().cos().numpy()
    found = rescaled.gradients(layer, signals, into, (np.zeros(32), np.zeros(32)))
    assert found is not None
    names = ("input_gate", "forget_gate", "candidate", "output_gate")
    blame = np.concatenate([found.signals[f"{name}.preactivation"] for name in names], axis=1)
    for ours, part in zip((found.signals["cell_state"], found.signals["hidden_state"], blame), range(3), strict=True):
        expected = torch.stack(theirs[100 * part : 100 * (part + 1)]).numpy()
        np.testing.assert_allclose(row_norms(ours), row_norms(expected), rtol=1e-5)
        assert np.abs(ours - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_not_finite_is_left_to_the_loop_in_float64(odd: float) -> None:
    _, _, layer, signals = recovered(40, 6)
    into, final = upstream("everywhere", 40, 6)
    into[17, 2] = odd
    assert rescaled.gradients(layer, signals, into, final) is None


def test_saturated_units_are_left_to_the_loop_in_float64() -> None:
    _, _, layer, signals = recovered(40, 6, gain=100.0)
    assert rescaled.gradients(layer, signals, *upstream("everywhere", 40, 6)) is None


def test_it_is_for_lstms_in_float32_without_a_projection() -> None:
    for module, good in (
        (nn.LSTM(3, 4), True),
        (nn.LSTM(3, 4).double(), False),
        (nn.LSTM(3, 4, proj_size=2), False),
    ):
        layer = CELL.layer(module, 0, False).map(lambda tensor: tensor.detach().numpy())
        assert rescaled.is_enough(module, layer) is good
