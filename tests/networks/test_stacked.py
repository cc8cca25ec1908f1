"""The module behind the kinds that PyTorch does not have, and what is particular to each of them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lstm_studio import NetworkError, new_network, trace
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.cells import cell_of_kind, cells
from lstm_studio.networks.companion import parameter_count
from lstm_studio.networks.network import Network
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.stacked_module import StackedModule

OWN: list[tuple[str, dict[str, Any]]] = [
    ("lstm-article", {}),
    ("lstm-1997", {"block_size": 2}),
    ("lstm-1997", {"block_size": 2, "gate_recurrence": True}),
    ("tdnn", {"window": 3}),
    ("feedforward", {"nonlinearity": "relu"}),
]


def module_of(kind: str, options: dict[str, Any], *, layers: int = 2, batch_first: bool = False) -> StackedModule:
    torch.manual_seed(0)
    return StackedModule(kind, Sizes(3, 4, layers, bidirectional=True), options, batch_first=batch_first)


def as_states(returned: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (returned,) if isinstance(returned, Tensor) else returned


@pytest.mark.parametrize(("kind", "options"), OWN)
def test_a_batch_is_its_items_side_by_side(kind: str, options: dict[str, Any]) -> None:
    module = module_of(kind, options)
    first = module_of(kind, options, batch_first=True)
    first.load_state_dict(module.state_dict())
    x = torch.randn(7, 5, 3)
    together, states = module(x)
    other, other_states = first(x.transpose(0, 1))
    assert together.shape == (7, 5, 8)
    torch.testing.assert_close(other.transpose(0, 1), together)
    for state, same in zip(as_states(states), as_states(other_states), strict=True):
        torch.testing.assert_close(state, same)
    for item in range(5):
        alone, last = module(x[:, item])
        torch.testing.assert_close(alone, together[:, item])
        for state, whole in zip(as_states(last), as_states(states), strict=True):
            torch.testing.assert_close(state, whole[:, item])


@pytest.mark.parametrize(("kind", "options"), OWN[:3])
def test_a_sequence_can_be_cut_in_two(kind: str, options: dict[str, Any]) -> None:
    torch.manual_seed(1)
    module = StackedModule(kind, Sizes(3, 4, 2), options)
    x = torch.randn(9, 3)
    whole, last = module(x)
    before, middle = module(x[:4])
    after, end = module(x[4:], middle)
    torch.testing.assert_close(torch.cat((before, after)), whole)
    for state, same in zip(end, last, strict=True):
        torch.testing.assert_close(state, same)


@pytest.mark.parametrize(("kind", "options"), OWN)
def test_training_changes_every_weight(kind: str, options: dict[str, Any]) -> None:
    network = new_network(kind, 2, 4, layers=2, outputs=1, readout="values", **options)
    module = network.module
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    torch.manual_seed(0)
    x, target = torch.randn(6, 2), torch.randn(6, 1)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.03)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(module(x), target)
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    assert all(not torch.equal(weight, before[name]) for name, weight in module.named_parameters())


@pytest.mark.parametrize(("kind", "options"), OWN)
def test_a_copy_is_of_the_same_kind(kind: str, options: dict[str, Any]) -> None:
    module = module_of(kind, options)
    twin = copy.deepcopy(module).double()
    assert cell_of_kind(kind).accepts(twin)
    assert cell_of_kind(kind).module_options(twin) == module.options
    assert kind in repr(module)


@pytest.mark.parametrize("inputs", [False, True])
@pytest.mark.parametrize(("kind", "options"), [*OWN, ("gru", {}), ("lstm", {"proj_size": 2}), ("rnn", {})])
def test_many_rows_at_once_go_back_as_each_does_alone(kind: str, options: dict[str, Any], *, inputs: bool) -> None:
    network = new_network(kind, 3, 4, seed=5, **options)
    network.module.double()
    traced = trace(network, np.random.default_rng(0).normal(size=(6, 3)), dtype="float64")
    cell, prefix = network.cell, network.layers[0].prefix
    signals = {signal.name: traced[f"{prefix}.{signal.name}"] for signal in cell.signals(network.recurrent)}
    layer = cell.layer(network.recurrent, 0, False).map(lambda weight: weight.numpy())
    rng = np.random.default_rng(1)
    sizes = [state.shape[-1] for state in as_states(network.recurrent(torch.zeros(1, 3, dtype=torch.float64))[1])]
    rows = tuple(rng.normal(size=(5, size)) for size in sizes)
    at_once = cell.pull_back(layer, signals, inputs=inputs)
    singly = Cell.pull_back(cell, layer, signals, inputs=inputs)
    for step in reversed(range(6)):
        found, expected = at_once(step, rows), singly(step, rows)
        for one, other in zip((*found.totals, *found.before), (*expected.totals, *expected.before), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-14)
        assert (found.input is None) == (expected.input is None) == (not inputs)
        if found.input is not None and expected.input is not None:
            np.testing.assert_allclose(found.input, expected.input, rtol=1e-11, atol=1e-14)
        rows = found.before


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *((kind, {}) for kind, cell in cells().items() if cell.can_step),
        ("lstm-1997", {"block_size": 2}),
        ("lstm-1997", {"block_size": 2, "gate_recurrence": True}),
    ],
)
def test_steps_by_hand_are_those_of_the_module(kind: str, options: dict[str, Any], dtype: str) -> None:
    network = new_network(kind, 3, 4, seed=5, **options)
    traced = trace(network, np.random.default_rng(0).normal(size=(9, 3)), dtype=dtype)
    cell = network.cell
    wide = {"float32": torch.float32, "float64": torch.float64}[dtype]
    layer = cell.layer(network.recurrent, 0, False).map(lambda weight: weight.to(wide).numpy())
    start = {name: np.zeros_like(traced[f"{kind}.0.{name}"][0]) for name in _names(network)}
    states = cell.states_after(network.recurrent, start)
    entering = cell.entering(layer, traced["input"])
    found = cell.by_hand(layer, entering, states, {})
    assert set(found) == _names(network)
    for name, values in found.items():
        assert values.dtype == dtype
        tolerance = 1e-6 if dtype == "float32" else 1e-13
        np.testing.assert_allclose(values, traced[f"{kind}.0.{name}"], atol=tolerance, err_msg=name)
    states = cell.states_after(network.recurrent, {name: values[3] for name, values in found.items()})
    for name, values in cell.by_hand(layer, entering[4:], states, {}).items():
        np.testing.assert_array_equal(values, found[name][4:], err_msg=name)


def _names(network: Network) -> set[str]:
    return {signal.name for signal in network.cell.signals(network.recurrent)}


def test_a_kind_without_single_steps_says_so() -> None:
    network = new_network("tdnn", 3, 4)
    assert not network.cell.can_step
    layer = network.cell.layer(network.recurrent, 0, False).map(lambda weight: weight.numpy())
    with pytest.raises(NetworkError, match="is not computed step by step"):
        network.cell.by_hand(layer, np.zeros((1, 4)), (np.zeros(4),), {})


def test_direct_paths_are_those_of_the_memory() -> None:
    x = np.random.default_rng(0).normal(size=(6, 3))
    for kind, name in (("lstm", "forget_gate"), ("lstm-article", "forget_gate"), ("gru", "update_gate")):
        traced = trace(new_network(kind, 3, 4), x)
        cell = cell_of_kind(kind)
        own = {key.removeprefix(f"{kind}.0."): traced[key] for key in traced.names if key.startswith(kind)}
        path = cell.direct_path(own)
        assert path is not None
        np.testing.assert_allclose(path, np.log10(own[name].astype(np.float64)), rtol=1e-5)
    carousel = cell_of_kind("lstm-1997").direct_path({"cell_state": np.ones((6, 4))})
    assert carousel is not None
    assert not carousel.any()


def test_the_article_wiring_starts_as_a_shortcut() -> None:
    network = new_network("lstm-article", 2, 3, seed=4)
    weights = dict(network.module.named_parameters())
    assert torch.equal(weights["weight_use_l0"], torch.eye(3))
    assert not weights["bias_use_l0"].any()
    traced = trace(network, np.random.default_rng(0).normal(size=(8, 2)))
    expected = traced["lstm-article.0.output_gate"] * np.tanh(traced["lstm-article.0.retained"])
    np.testing.assert_allclose(traced["lstm-article.0.hidden_state"], expected, atol=1e-6)
    # Nothing is retained at the first step, and so nothing is said, whatever was learned.
    assert not traced["lstm-article.0.hidden_state"][0].any()
    assert traced["lstm-article.0.admitted"][0].all()


def test_the_carousel_of_1997_keeps_its_gradient_whole() -> None:
    network = new_network("lstm-1997", 2, 6, seed=2, block_size=3)
    with torch.no_grad():
        network.module.get_parameter("weight_hh_l0").zero_()
    traced = trace(network, np.random.default_rng(0).normal(size=(40, 2)))
    assert traced["lstm-1997.0.input_gate"].shape == (40, 2)
    gradient = traced["grad.lstm-1997.0.cell_state"]
    np.testing.assert_allclose(gradient, np.broadcast_to(gradient[-1], gradient.shape), rtol=1e-12)


def test_what_leaves_the_window_is_gone() -> None:
    network = new_network("tdnn", 2, 3, layers=2, seed=1, window=4)
    traced = trace(network, np.random.default_rng(0).normal(size=(12, 2)))
    felt = np.flatnonzero(traced["norm.grad.input"])
    # Two layers that each look three steps back see the last seven inputs.
    assert felt.tolist() == list(range(12 - 7, 12))


def test_a_feed_forward_network_feels_the_present_only() -> None:
    traced = trace(new_network("feedforward", 2, 3, layers=2), np.ones((5, 2)))
    assert np.flatnonzero(traced["norm.grad.input"]).tolist() == [4]


def test_a_hidden_state_of_1997_reads_the_gates_of_the_step_before() -> None:
    network = new_network("lstm-1997", 1, 2, seed=3, gate_recurrence=True)
    x = np.random.default_rng(0).normal(size=(5, 1))
    before = trace(network, x)["lstm-1997.0.hidden_state"]
    with torch.no_grad():
        network.module.get_parameter("weight_hh_l0")[:, 2:] = 0.0
    after = trace(network, x)["lstm-1997.0.hidden_state"]
    np.testing.assert_array_equal(before[0], after[0])
    assert (before[1:] != after[1:]).all()


@pytest.mark.parametrize(
    ("inputs", "outputs", "blocks", "size", "biases", "published"),
    [
        # Published are the totals. Which units have biases is inferred from them: it is the one number that fits.
        pytest.param(7, 7, 4, 1, 8, 264, id="1: embedded Reber, 4 blocks of 1"),
        pytest.param(7, 7, 3, 2, 6, 276, id="1: embedded Reber, 3 blocks of 2"),
        pytest.param(54, 2, 2, 1, 0, 364, id="2c: 50 random inputs, 2 blocks of 1"),
        pytest.param(104, 2, 2, 1, 0, 664, id="2c: 100 random inputs"),
        pytest.param(204, 2, 2, 1, 0, 1264, id="2c: 200 random inputs"),
        pytest.param(504, 2, 2, 1, 0, 3064, id="2c: 500 random inputs"),
        pytest.param(1004, 2, 2, 1, 0, 6064, id="2c: 1000 random inputs"),
        pytest.param(1, 1, 3, 1, 9, 102, id="3: two-sequence, 3 blocks of 1"),
        pytest.param(2, 1, 2, 2, 9, 93, id="4 and 5: adding and multiplication, 2 blocks of 2"),
        pytest.param(8, 4, 2, 2, 12, 156, id="6a: temporal order, 2 blocks of 2"),
        pytest.param(8, 8, 3, 2, 20, 308, id="6b: temporal order, 3 blocks of 2"),
    ],
)
def test_weights_of_1997_are_as_many_as_published(
    *, inputs: int, outputs: int, blocks: int, size: int, biases: int, published: int
) -> None:
    cells, gates = blocks * size, 2 * blocks
    options: dict[str, Any] = {"block_size": size, "gate_recurrence": True}
    cell = cell_of_kind("lstm-1997")
    hidden = cell.parameter_count(Sizes(inputs, cells, bias=False), options)
    assert hidden == (cells + gates) * (inputs + cells + gates)
    assert hidden + outputs * cells + biases == published
    built = new_network("lstm-1997", inputs, cells, outputs=outputs, **options)
    assert built.info().parameters == hidden + (cells + gates) + outputs * cells + outputs
    assert built.info().parameters == parameter_count("lstm-1997", inputs, cells, outputs=outputs, **options)
