"""Sums so large that the order in which they are added decides: right networks are traced, wrong ones still refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_studio import Trace, TraceError, trace
from lstm_studio.networks.bounds import Bounds, Rounding, exactly
from lstm_studio.networks.cells import cell_of_kind

STEPS, FEATURES, UNITS = 60, 6, 16


def in_another_order(values: Tensor, weights: Tensor, order: Tensor) -> Tensor:
    """Return a weighted sum as a kernel may compute it that adds one term after the other, (R,)."""
    total = torch.zeros(len(weights))
    for place in order.tolist():
        total = total + weights[:, place] * values[place]
    return total


def side_by_side(module: nn.RNNBase) -> Tensor:
    """Return all weights of a layer and the sum of its biases, (R, F + H + 1)."""
    weight = module.get_parameter
    bias = weight("bias_ih_l0") + weight("bias_hh_l0")
    return torch.cat((weight("weight_ih_l0"), weight("weight_hh_l0"), bias[:, None]), dim=1)


class Elman(nn.RNN):
    """The steps of ``nn.RNN`` one by one, adding in an order of its own."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        del hx
        h = torch.zeros(self.hidden_size)
        order = torch.randperm(self.input_size + self.hidden_size + 1, generator=torch.Generator().manual_seed(1))
        weights = side_by_side(self)
        squash = torch.tanh if self.nonlinearity == "tanh" else torch.relu
        steps = []
        for x_t in x:
            h = squash(in_another_order(torch.cat((x_t, h, torch.ones(1))), weights, order))
            steps.append(h)
        return torch.stack(steps), h[None]


class Gated(nn.GRU):
    """The steps of ``nn.GRU`` one by one, adding in an order of its own."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        del hx
        h, size = torch.zeros(self.hidden_size), self.hidden_size
        generator = torch.Generator().manual_seed(1)
        of_x = torch.randperm(self.input_size + 1, generator=generator)
        of_h = torch.randperm(size + 1, generator=generator)
        weight = self.get_parameter
        into = torch.cat((weight("weight_ih_l0"), weight("bias_ih_l0")[:, None]), dim=1)
        recurrent = torch.cat((weight("weight_hh_l0"), weight("bias_hh_l0")[:, None]), dim=1)
        steps = []
        for x_t in x:
            one = in_another_order(torch.cat((x_t, torch.ones(1))), into, of_x)
            two = in_another_order(torch.cat((h, torch.ones(1))), recurrent, of_h)
            r, z = torch.sigmoid(one[: 2 * size] + two[: 2 * size]).chunk(2)
            h = z * h + (1 - z) * torch.tanh(one[2 * size :] + r * two[2 * size :])
            steps.append(h)
        return torch.stack(steps), h[None]


class LongShort(nn.LSTM):
    """The steps of ``nn.LSTM`` one by one, adding in an order of its own."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        del hx
        h, c = torch.zeros(self.hidden_size), torch.zeros(self.hidden_size)
        order = torch.randperm(self.input_size + self.hidden_size + 1, generator=torch.Generator().manual_seed(1))
        weights = side_by_side(self)
        steps = []
        for x_t in x:
            i, f, g, o = in_another_order(torch.cat((x_t, h, torch.ones(1))), weights, order).chunk(4)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        return torch.stack(steps), (h[None], c[None])


Make = Callable[[], nn.RNNBase]
KINDS: dict[str, Make] = {
    "tanh": lambda: Elman(FEATURES, UNITS),
    "relu": lambda: Elman(FEATURES, UNITS, nonlinearity="relu"),
    "gru": lambda: Gated(FEATURES, UNITS),
    "lstm": lambda: LongShort(FEATURES, UNITS),
}


def made(kind: str, seed: int, weights: float) -> nn.RNNBase:
    torch.manual_seed(seed)
    module = KINDS[kind]()
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(weights)
        if kind == "relu":
            # Or it explodes, and all that counts is how far.
            module.get_parameter("weight_hh_l0").mul_(0.1 / weights)
    return module


def sequence(module: nn.RNNBase, scale: float) -> Tensor:
    """Return inputs of which the last one cancels all others, for one unit of the candidate, or nearly."""
    x = scale * torch.randn(STEPS, FEATURES, generator=torch.Generator().manual_seed(7))
    row = module.get_parameter("weight_ih_l0").detach()[2 * UNITS if isinstance(module, nn.GRU | nn.LSTM) else 0]
    x[:, -1] = -(x[:, :-1] @ row[:-1]) / row[-1]
    return x


SCALES = [(1e4, 1.0), (1e6, 1.0), (1.0, 1e3), (1e3, 100.0)]
"""Of the inputs, and of the weights."""


def apart(kind: str, traced: Trace) -> float:
    """Return how far the hidden states of an Elman network are from those that follow from its pre-activations."""
    before = traced["rnn.0.hidden_state.preactivation"]
    again = np.tanh(before) if kind == "tanh" else np.maximum(before, 0)
    return float(np.abs(again - traced["rnn.0.hidden_state"]).max())


@pytest.mark.parametrize(("inputs", "weights"), SCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_differs_by_rounding_alone_is_traced(kind: str, inputs: float, weights: float) -> None:
    for seed in range(5):
        module = made(kind, seed, weights)
        traced = trace(module, sequence(module, inputs), gradients=False)
        largest = max(1.0, float(np.abs(traced[f"{traced.layers[0].prefix}.hidden_state"]).max()))
        assert traced.recovery_error <= 1e-4 * largest


def test_the_plain_difference_would_have_refused_them() -> None:
    for seed in range(5):
        module = made("tanh", seed, 1.0)
        traced = trace(module, sequence(module, 1e6), gradients=False)
        assert apart("tanh", traced) > 1e-3
        assert traced.recovery_error <= 1e-4


def pretending(module: nn.RNNBase, x: Tensor, change: Callable[[Tensor], None]) -> nn.Module:
    """Return a module that returns what ``module`` does, changed."""
    with torch.no_grad():
        output, states = module(x)
    change(output)
    kinds: tuple[type[nn.RNNBase], ...] = (nn.LSTM, nn.GRU, nn.RNN)
    kind = next(kind for kind in kinds if isinstance(module, kind))

    def forward(self: nn.Module, *_: Any) -> Any:
        del self
        return output, states

    pretender = type("Pretender", (kind,), {"forward": forward})
    other: nn.Module = pretender(FEATURES, UNITS, **({"nonlinearity": module.nonlinearity} if kind is nn.RNN else {}))
    other.load_state_dict(module.state_dict())
    return other


@pytest.mark.parametrize(("inputs", "weights"), SCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_one_number_that_is_wrong_is_refused(kind: str, inputs: float, weights: float) -> None:
    """One unit at one step, which rounding does not explain, beside many numbers that it does."""
    module = made(kind, 0, weights)
    x = sequence(module, inputs)

    def change(output: Tensor) -> None:
        # In the last step, so that no other one follows from it.
        output[-1, 3] += 2e-3 * max(1.0, float(output.abs().max()))

    assert trace(pretending(module, x, lambda _: None), x, gradients=False).recovery_error >= 0
    with pytest.raises(TraceError, match="away from the module's own"):
        trace(pretending(module, x, change), x, gradients=False)


def rolled(weight: Tensor) -> None:
    weight.copy_(weight.roll(1, 0))


def exchanged(weight: Tensor) -> None:
    """Exchange the first gate with the last."""
    blocks = weight.view(-1, UNITS, *weight.shape[1:])
    blocks.copy_(blocks.flip(0))


def a_little_larger(weight: Tensor) -> None:
    weight.mul_(1 + 1e-3)


WRONG = [
    *((kind, change) for kind in KINDS for change in (rolled, Tensor.neg_)),
    ("relu", a_little_larger),
    ("gru", exchanged),
    ("lstm", exchanged),
]


@pytest.mark.parametrize(("inputs", "weights"), SCALES)
@pytest.mark.parametrize(("kind", "change"), WRONG)
def test_weights_that_are_wrong_are_refused(
    kind: str, change: Callable[[Tensor], object], inputs: float, weights: float
) -> None:
    for seed in range(3):
        module = made(kind, seed, weights)
        x = sequence(module, inputs)
        other = pretending(module, x, lambda _: None)
        with torch.no_grad():
            for name in ("weight_ih_l0", "weight_hh_l0"):
                change(other.get_parameter(name))
        with pytest.raises(TraceError, match="away from the module's own"):
            trace(other, x, gradients=False)


@pytest.mark.parametrize("kind", KINDS)
def test_ordinary_sums_have_no_room(kind: str) -> None:
    """The bounds are those of the exact equations, in float64, and the plain check is as strict as without them."""
    module = made(kind, 0, 1.0)
    x = sequence(module, 1.0)
    cell = cell_of_kind("rnn" if kind in {"tanh", "relu"} else kind)
    plain = {"tanh": nn.RNN, "relu": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[kind]
    exact = plain(FEATURES, UNITS, **({"nonlinearity": kind} if plain is nn.RNN else {}))
    exact.load_state_dict(module.state_dict())
    exact.double()
    with torch.no_grad():
        own = exact(x.double())[0].numpy()
    layer = cell.layer(exact, 0, False).map(lambda weight: weight.numpy())
    initial = tuple(np.zeros(UNITS) for _ in cell.states)
    before = np.concatenate((initial[0][None], own[:-1]))
    bounds = cell.reachable(layer, x.double().numpy(), before, initial, Rounding(np.dtype(np.float32), 1e-4))
    assert bounds is not None
    np.testing.assert_array_equal(bounds.low, bounds.high)
    np.testing.assert_allclose(bounds.low, own, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("kind", "projected"), [*((kind, 0) for kind in KINDS), ("lstm", 5)])
def test_every_rounding_lies_within_the_bounds(kind: str, projected: int) -> None:
    """Sums are moved at random by what they may be off, and the steps taken from there."""
    options: dict[str, Any] = {"proj_size": projected} if kind == "lstm" else {}
    random = np.random.default_rng(3)
    cell = cell_of_kind("rnn" if kind in {"tanh", "relu"} else kind)
    torch.manual_seed(0)
    plain: Any = {"tanh": nn.RNN, "relu": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[kind]
    module = plain(FEATURES, UNITS, **options, **({"nonlinearity": kind} if plain is nn.RNN else {})).double()
    layer = cell.layer(module, 0, False).map(lambda weight: weight.numpy())
    x, h = random.normal(size=(STEPS, FEATURES)), random.uniform(-1, 1, (STEPS, projected or UNITS))
    sizes = (h.shape[1], UNITS)
    initial = tuple(random.uniform(-1, 1, size) for size, _ in zip(sizes, cell.states, strict=False))
    # As if float32 had three digits: all sums are off by about a tenth.
    coarse = Coarse(np.dtype(np.float32), 0.0)
    bounds = cell.reachable(layer, x, h, initial, coarse)
    assert bounds is not None
    assert (bounds.high > bounds.low).mean() > (0.5 if kind == "relu" else 0.9)
    for _ in range(50):
        drawn = cell.reachable(layer, x, h, initial, Drawn(np.dtype(np.float32), 0.0))
        assert drawn is not None
        np.testing.assert_array_equal(drawn.low, drawn.high)
        assert (drawn.low >= bounds.low - 1e-12).all()
        assert (drawn.low <= bounds.high + 1e-12).all()


class Coarse(Rounding):
    """Sums are off by a tenth."""

    def sums(self, *products: tuple[NDArray[Any], NDArray[Any]], bias: NDArray[Any] | None) -> Bounds:
        total = sum(values @ weights.T for values, weights in products) + (0.0 if bias is None else bias)
        return Bounds(total - 0.1, total + 0.1)


class Drawn(Rounding):
    """Each sum is off by something, a tenth at most."""

    def sums(self, *products: tuple[NDArray[Any], NDArray[Any]], bias: NDArray[Any] | None) -> Bounds:
        total = sum(values @ weights.T for values, weights in products) + (0.0 if bias is None else bias)
        return exactly(total + np.random.default_rng().uniform(-0.1, 0.1, total.shape))


def test_a_sum_that_may_overflow_on_its_way_may_be_anything() -> None:
    rounding = Rounding(np.dtype(np.float32), 1e-4)
    values, weights = np.array([[3e38, 3e38, 1.0]]), np.array([[1.0, -1.0, 1.0], [0.0, 0.0, 1.0]])
    bounds = rounding.sums((values, weights), bias=None)
    assert bounds.low.tolist() == [[-np.inf, 1.0]]
    assert bounds.high.tolist() == [[np.inf, 1.0]]
    # What is infinite itself is certain.
    infinite = rounding.sums((np.array([[np.inf]]), np.array([[1.0]])), bias=None)
    assert infinite.low.tolist() == infinite.high.tolist() == [[np.inf]]
