"""Sums so large that the order in which they are added decides: right networks are traced, wrong ones still refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_studio import Trace, TraceError, new_network, trace
from lstm_studio.networks.bounds import Bounds, Rounding, exactly
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.cells import cell_of_module
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.stacked_module import StackedModule

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


class Article(StackedModule):
    """The steps of the article's LSTM one by one, adding in an order of its own."""

    def forward(self, *given: Any, **_named: Any) -> Any:
        x = given[0]
        size, weight, generator = self.hidden_size, self.get_parameter, torch.Generator().manual_seed(1)
        h, c = torch.zeros(size), torch.zeros(size)
        both = (weight("weight_ih_l0"), weight("weight_hh_l0"), weight("bias_ih_l0")[:, None])
        use = torch.cat((weight("weight_use_l0"), weight("bias_use_l0")[:, None]), dim=1)
        order, own = (torch.randperm(count, generator=generator) for count in (FEATURES + size + 1, size + 1))
        steps = []
        for x_t in x:
            values = torch.cat((x_t, h, torch.ones(1)))
            i, f, g, o = in_another_order(values, torch.cat(both, dim=1), order).chunk(4)
            kept = torch.sigmoid(f) * c
            c = kept + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(in_another_order(torch.cat((kept, torch.ones(1))), use, own))
            steps.append(h)
        return torch.stack(steps), (h[None], c[None])


class First(StackedModule):
    """The steps of the LSTM of 1997 one by one, adding in an order of its own."""

    def forward(self, *given: Any, **_named: Any) -> Any:
        x = given[0]
        blocks = self.hidden_size // self.options["block_size"]
        h, c, gates = torch.zeros(self.hidden_size), torch.zeros(self.hidden_size), torch.zeros(2 * blocks)
        parts = (self.get_parameter("weight_ih_l0"), self.get_parameter("weight_hh_l0"))
        weights = torch.cat((*parts, self.get_parameter("bias_ih_l0")[:, None]), dim=1)
        order = torch.randperm(weights.shape[1], generator=torch.Generator().manual_seed(1))
        steps, read = [], self.options["gate_recurrence"]
        for x_t in x:
            values = torch.cat((x_t, h, gates, torch.ones(1)) if read else (x_t, h, torch.ones(1)))
            a = in_another_order(values, weights, order)
            i, o = torch.sigmoid(a[:blocks]), torch.sigmoid(a[-blocks:])
            c = c + i.repeat_interleave(self.hidden_size // blocks) * torch.tanh(a[blocks:-blocks])
            h, gates = o.repeat_interleave(self.hidden_size // blocks) * torch.tanh(c), torch.cat((i, o))
            steps.append(h)
        return torch.stack(steps), (h[None], c[None], *((gates[None],) if read else ()))


class Windowed(StackedModule):
    """The steps of a TDNN or a feed-forward network one by one, adding in an order of its own."""

    def forward(self, *given: Any, **_named: Any) -> Any:
        x = given[0]
        weight = self.get_parameter("weight_ih_l0").reshape(self.hidden_size, FEATURES, -1)
        weights = torch.cat((weight.flatten(1), self.get_parameter("bias_ih_l0")[:, None]), dim=1)
        order = torch.randperm(weights.shape[1], generator=torch.Generator().manual_seed(1))
        padded = torch.cat((torch.zeros(weight.shape[2] - 1, FEATURES), x))
        windows = padded.unfold(0, weight.shape[2], 1).flatten(1)
        sums = [in_another_order(torch.cat((window, torch.ones(1))), weights, order) for window in windows]
        before = torch.stack(sums)
        h = torch.tanh(before) if self.options["nonlinearity"] == "tanh" else torch.relu(before)
        return h, h[-1:]


Module = nn.RNNBase | StackedModule
SIZES = Sizes(FEATURES, UNITS)
KINDS: dict[str, Callable[[], Module]] = {
    "tanh": lambda: Elman(FEATURES, UNITS),
    "relu": lambda: Elman(FEATURES, UNITS, nonlinearity="relu"),
    "gru": lambda: Gated(FEATURES, UNITS),
    "lstm": lambda: LongShort(FEATURES, UNITS),
    "article": lambda: Article("lstm-article", SIZES, {}),
    "1997": lambda: First("lstm-1997", SIZES, {"block_size": 2}),
    "1997-gates": lambda: First("lstm-1997", SIZES, {"block_size": 2, "gate_recurrence": True}),
    "tdnn": lambda: Windowed("tdnn", SIZES, {"window": 3}),
    "feedforward": lambda: Windowed("feedforward", SIZES, {"nonlinearity": "relu"}),
}
FIRST_CANDIDATE = {
    "gru": 2 * UNITS,
    "lstm": 2 * UNITS,
    "article": 2 * UNITS,
    "1997": UNITS // 2,
    "1997-gates": UNITS // 2,
}
"""The row of the weights where those of the candidates begin."""


def plain(module: Module) -> Module:
    """Return a copy with the forward pass of the class that it is derived from."""
    copied = copy.deepcopy(module)
    (copied.__class__,) = type(module).__bases__
    return copied


def made(kind: str, seed: int, weights: float) -> Module:
    torch.manual_seed(seed)
    module = KINDS[kind]()
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(weights)
        if kind == "relu":
            # Or it explodes, and all that counts is how far.
            module.get_parameter("weight_hh_l0").mul_(0.1 / weights)
    return module


def sequence(kind: str, module: Module, scale: float) -> Tensor:
    """Return inputs of which the last one cancels all others, for one unit of the candidate, or nearly."""
    x = scale * torch.randn(STEPS, FEATURES, generator=torch.Generator().manual_seed(7))
    row = module.get_parameter("weight_ih_l0").detach()[FIRST_CANDIDATE.get(kind, 0)].reshape(FEATURES, -1)
    # Of a window, what stands before the present step.
    earlier = row.shape[1] - 1
    for step in range(STEPS):
        seen = x[max(0, step - earlier) : step]
        others = x[step, :-1] @ row[:-1, -1] + (seen * row[:, earlier - len(seen) : earlier].T).sum()
        x[step, -1] = -others / row[-1, -1]
        if earlier:
            # Or the inputs would grow from step to step.
            x[step, -1] = x[step, -1].clamp(-8 * scale, 8 * scale)
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
        traced = trace(module, sequence(kind, module, inputs), gradients=False)
        largest = max(1.0, float(np.abs(traced[f"{traced.layers[0].prefix}.hidden_state"]).max()))
        assert traced.recovery_error <= 1e-4 * largest


def test_the_plain_difference_would_have_refused_them() -> None:
    for seed in range(5):
        module = made("tanh", seed, 1.0)
        traced = trace(module, sequence("tanh", module, 1e6), gradients=False)
        assert apart("tanh", traced) > 1e-3
        assert traced.recovery_error <= 1e-4


def pretending(module: Module, x: Tensor, change: Callable[[Tensor], None]) -> Module:
    """Return a module that returns what ``module`` does, changed."""
    with torch.no_grad():
        output, states = module(x)
    change(output)

    def forward(self: nn.Module, *_: Any) -> Any:
        del self
        return output, states

    other = plain(module)
    other.__class__ = type("Pretender", (type(other),), {"forward": forward})
    return other


@pytest.mark.parametrize(("inputs", "weights"), SCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_one_number_that_is_wrong_is_refused(kind: str, inputs: float, weights: float) -> None:
    """One unit at one step, which rounding does not explain, beside many numbers that it does."""
    module = made(kind, 0, weights)
    x = sequence(kind, module, inputs)

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
    *((kind, exchanged) for kind in ("gru", "lstm", "article")),
]


@pytest.mark.parametrize(("inputs", "weights"), SCALES)
@pytest.mark.parametrize(("kind", "change"), WRONG)
def test_weights_that_are_wrong_are_refused(
    kind: str, change: Callable[[Tensor], object], inputs: float, weights: float
) -> None:
    for seed in range(3):
        module = made(kind, seed, weights)
        x = sequence(kind, module, inputs)
        other = pretending(module, x, lambda _: None)
        with torch.no_grad():
            for name, weight in other.named_parameters():
                if name in {"weight_ih_l0", "weight_hh_l0"}:
                    change(weight)
        with pytest.raises(TraceError, match="away from the module's own"):
            trace(other, x, gradients=False)


@pytest.mark.parametrize("kind", KINDS)
def test_ordinary_sums_have_no_room(kind: str) -> None:
    """The bounds are those of the exact equations, in float64, and the plain check is as strict as without them."""
    module = made(kind, 0, 1.0)
    x = sequence(kind, module, 1.0)
    exact = plain(module).double()
    cell = cell_of(exact)
    with torch.no_grad():
        own, states = exact(x.double())
    own = own.numpy()
    layer = cell.layer(exact, 0, False).map(lambda weight: weight.numpy())
    initial = tuple(np.zeros(state.shape[1]) for state in (states if isinstance(states, tuple) else (states,)))
    before = np.concatenate((initial[0][None], own[:-1]))
    # The kind that forgets nothing does not forget either what its memory was rounded off by.
    rounding = Weighted if kind.startswith("1997") else Rounding
    bounds = cell.reachable(layer, x.double().numpy(), before, initial, rounding(np.dtype(np.float32), 1e-4))
    assert bounds is not None
    np.testing.assert_array_equal(bounds.low, bounds.high)
    np.testing.assert_allclose(bounds.low, own, rtol=1e-9, atol=1e-12)


def cell_of(module: nn.Module) -> Cell:
    cell = cell_of_module(module)
    assert cell is not None
    return cell


@pytest.mark.parametrize(("kind", "projected"), [*((kind, 0) for kind in KINDS), ("lstm", 5)])
def test_every_rounding_lies_within_the_bounds(kind: str, projected: int) -> None:
    """Sums are moved at random by what they may be off, and the steps taken from there."""
    random = np.random.default_rng(3)
    torch.manual_seed(0)
    module = (nn.LSTM(FEATURES, UNITS, proj_size=projected) if projected else plain(KINDS[kind]())).double()
    cell = cell_of(module)
    layer = cell.layer(module, 0, False).map(lambda weight: weight.numpy())
    x, h = random.normal(size=(STEPS, FEATURES)), random.uniform(-1, 1, (STEPS, projected or UNITS))
    sizes = (h.shape[1], UNITS, *((UNITS,) if kind == "1997-gates" else ()))
    initial = tuple(random.uniform(-1, 1, size) for size in sizes[: max(len(cell.states), len(sizes) - 1)])
    # As if float32 had three digits: all sums are off by about a tenth.
    coarse = Coarse(np.dtype(np.float32), 0.0)
    bounds = cell.reachable(layer, x, h, initial, coarse)
    assert bounds is not None
    assert (bounds.high > bounds.low).mean() > (0.5 if kind in {"relu", "feedforward"} else 0.9)
    for _ in range(50):
        drawn = cell.reachable(layer, x, h, initial, Drawn(np.dtype(np.float32), 0.0))
        assert drawn is not None
        np.testing.assert_array_equal(drawn.low, drawn.high)
        assert (drawn.low >= bounds.low - 1e-12).all()
        assert (drawn.low <= bounds.high + 1e-12).all()


class Coarse(Rounding):
    """Weighted sums are off by a tenth."""

    def sums(self, *products: tuple[NDArray[Any] | Bounds, NDArray[Any]], bias: NDArray[Any] | None) -> Bounds:
        exact = Rounding(self.dtype, np.inf).sums(*products, bias=bias)
        return exact.widened(np.full(exact.low.shape, 0.1))


class Weighted(Rounding):
    """Only weighted sums are rounded off, not those of memories."""

    def added(self, size: NDArray[Any]) -> NDArray[Any]:
        return np.zeros(size.shape)


class Drawn(Weighted):
    """Each weighted sum is off by something, a tenth at most, and the sums of memories by nothing."""

    def sums(self, *products: tuple[NDArray[Any] | Bounds, NDArray[Any]], bias: NDArray[Any] | None) -> Bounds:
        exact = Rounding(self.dtype, np.inf).sums(*products, bias=bias)
        np.testing.assert_array_equal(exact.low, exact.high)
        return exactly(exact.low + np.random.default_rng().uniform(-0.1, 0.1, exact.low.shape))


def test_a_sum_that_may_overflow_on_its_way_may_be_anything() -> None:
    rounding = Rounding(np.dtype(np.float32), 1e-4)
    values, weights = np.array([[3e38, 3e38, 1.0]]), np.array([[1.0, -1.0, 1.0], [0.0, 0.0, 1.0]])
    bounds = rounding.sums((values, weights), bias=None)
    assert bounds.low.tolist() == [[-np.inf, 1.0]]
    assert bounds.high.tolist() == [[np.inf, 1.0]]
    # What is infinite itself is certain.
    infinite = rounding.sums((np.array([[np.inf]]), np.array([[1.0]])), bias=None)
    assert infinite.low.tolist() == infinite.high.tolist() == [[np.inf]]


def remembering(kind: str) -> tuple[nn.Module, Tensor]:
    """Return a network that forgets nothing, and inputs that let its memories grow and shrink again.

    A batch, which PyTorch computes in other ways than one sequence.
    """
    network = new_network(kind, 2, 8)
    with torch.no_grad():
        network.module.get_parameter("weight_hh_l0").mul_(0.3)
        if kind != "lstm-1997":
            network.module.get_parameter("bias_ih_l0")[:16] = torch.tensor([1.0, 40.0]).repeat_interleave(8)
    steps = 10_000 if kind == "lstm-1997" else 5000
    way = torch.cat((torch.ones(steps), -torch.ones(steps)))[:, None, None].expand(-1, 3, 2)
    return network.module, way + 0.3 * torch.randn(way.shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kind", ["lstm", "lstm-article", "lstm-1997"])
def test_memories_that_grew_large_may_come_back_rounded_off(kind: str) -> None:
    """With every step, a memory is rounded off by some units of its last digit, and keeps that when it is small."""
    module, x = remembering(kind)
    traced = trace(module, x, gradients=False)
    c = traced[f"{kind}.0.cell_state"]
    assert np.abs(c).max() > 400
    assert traced.recovery_error <= 1e-4
    # The memories themselves are right to all digits that they have.
    with torch.no_grad():
        exact = copy.deepcopy(module).double()
    reference = trace(exact, x[:, :1].double(), gradients=False, dtype="float64")[f"{kind}.0.cell_state"]
    assert np.abs(c - reference).max() < 1e-4 * np.abs(reference).max()


@pytest.mark.parametrize("kind", ["lstm", "lstm-article", "lstm-1997"])
def test_memories_that_are_wrong_before_they_grew_are_refused(kind: str) -> None:
    module, x = remembering(kind)
    with torch.no_grad():
        output, states = module(x)
    output[20, 0, 3] += 2e-3

    def forward(self: nn.Module, *_: Any) -> Any:
        del self
        return output, states

    module.__class__ = type("Pretender", (type(module),), {"forward": forward})
    with pytest.raises(TraceError, match="away from the module's own"):
        trace(module, x, gradients=False)


def test_a_use_gate_with_wrong_weights_is_refused() -> None:
    module = made("article", 0, 1.0)
    x = sequence("article", module, 1e6)
    other = pretending(module, x, lambda _: None)
    with torch.no_grad():
        other.get_parameter("weight_use_l0").mul_(1.01)
    with pytest.raises(TraceError, match="away from the module's own"):
        trace(other, x, gradients=False)
