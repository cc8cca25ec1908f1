from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from lstm_studio import new_network, trace
from lstm_studio.errors import NetworkError
from lstm_studio.networks.cells import cells
from lstm_studio.networks.companion import nearest_hidden_size, parameter_count
from lstm_studio.networks.network import build, fingerprint
from lstm_studio.networks.spec import NetworkSpec


@pytest.mark.parametrize("kind", sorted(cells()))
def test_the_seed_decides_the_weights_and_nothing_else_changes(kind: str) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, same, other = (new_network(kind, 3, 4, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_a_network_without_read_out_is_the_bare_module() -> None:
    assert type(new_network("lstm", 3, 4).module) is torch.nn.LSTM
    assert type(new_network("rnn", 3, 4, nonlinearity="relu").module) is torch.nn.RNN
    assert not new_network("lstm", 3, 4).module.training


@pytest.mark.parametrize("kind", sorted(cells()))
def test_signals_are_called_the_same_with_and_without_read_out(kind: str) -> None:
    x = np.ones((3, 2))
    bare, wrapped = new_network(kind, 2, 3, seed=4), new_network(kind, 2, 3, seed=4, outputs=2)
    assert sorted(name.partition(".")[0] for name in dict(wrapped.module.named_children())) == sorted([kind, "readout"])
    without, with_readout = trace(bare, x), trace(wrapped, x)
    assert set(with_readout.names) - set(without.names) == {"output"}
    # The read-out draws its weights after the recurrent layers, so those are the same.
    name = f"{kind}.0.hidden_state"
    np.testing.assert_array_equal(without[name], with_readout[name])


def test_what_a_panel_shows() -> None:
    network = new_network("lstm", 3, 4, 2, seed=6, bidirectional=True, outputs=5, readout="values")
    info = network.info()
    assert (info.kind, info.title, info.source) == ("lstm", "LSTM", "seed 6")
    assert (info.input_size, info.hidden_size, info.layers, info.bidirectional, info.outputs) == (3, 4, 2, True, 5)
    assert info.parameters == sum(weight.numel() for weight in network.module.parameters())
    assert info.fingerprint == network.fingerprint == fingerprint(network.module)
    assert [layer.prefix for layer in network.layers] == ["lstm.0", "lstm.0.reverse", "lstm.1", "lstm.1.reverse"]
    assert [layer.input_size for layer in network.layers] == [3, 3, 8, 8]
    assert network.readout_kind == "values"


def test_the_fingerprint_follows_every_weight() -> None:
    network = new_network("rnn", 2, 3)
    before = network.fingerprint
    with torch.no_grad():
        next(network.module.parameters())[0, 0] += 1e-6
    assert network.fingerprint != before
    assert len(before) == 16


def test_the_fingerprint_notices_what_pytorch_does_not_count() -> None:
    network = new_network("lstm", 3, 5, outputs=3)
    seen = {network.fingerprint}
    weight = network.recurrent.get_parameter("weight_hh_l0")
    weight.data[2, 3] = -weight.data[2, 3]
    seen.add(network.fingerprint)
    weight.detach().numpy()[0, 0] = 0.0
    seen.add(network.fingerprint)
    weight.detach().numpy()[0, 0] = -0.0
    seen.add(network.fingerprint)
    weight.data = weight.data.clone().t().contiguous().t()
    weight.data[1, 1] = np.nan
    seen.add(network.fingerprint)
    network.module.bfloat16()
    seen.add(network.fingerprint)
    network.module.register_buffer("calls", torch.zeros(1))
    seen.add(network.fingerprint)
    assert len(seen) == 7
    assert network.fingerprint == fingerprint(copy.deepcopy(network.module))


def test_the_forget_bias_is_added_once() -> None:
    network = new_network("lstm", 2, 3, layers=2, bidirectional=True, forget_bias=1.5)
    weights = dict(network.module.named_parameters())
    for end in ("_l0", "_l0_reverse", "_l1", "_l1_reverse"):
        total = weights[f"bias_ih{end}"] + weights[f"bias_hh{end}"]
        assert torch.equal(total[3:6], torch.full((3,), 1.5))
        assert not torch.equal(total[:3], torch.full((3,), 1.5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "esn"}, "no kind of network called 'esn'"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"layers": 0}, "layers is 0"),
        ({"seed": -1}, "^seed is -1"),
        ({"seed": 2**63}, "seed"),
        ({"seed": 1.5}, r"^seed is 1\.5"),
        ({"seed": "a"}, "^seed is 'a'"),
        ({"outputs": -1}, "outputs is -1"),
        ({"outputs": "3"}, "outputs is '3'"),
        ({"hidden_size": 10**12}, "do not fit into the memory"),
        ({"readout": "logits"}, "'logits'"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"kind": "lstm", "input_size": 2, "hidden_size": 3}
    with pytest.raises(NetworkError, match=message):
        new_network(**usual | arguments)


def test_a_network_is_built_as_wanted() -> None:
    network = build(NetworkSpec("rnn", 5, 2, bidirectional=True, seed=9), input_size=3)
    assert network.fingerprint == new_network("rnn", 3, 5, 2, 9, bidirectional=True).fingerprint


@pytest.mark.parametrize("outputs", [0, 4])
@pytest.mark.parametrize("kind", sorted(cells()))
def test_the_count_is_that_of_the_network(kind: str, outputs: int) -> None:
    count = parameter_count(kind, 3, 6, 2, bidirectional=True, outputs=outputs)
    assert count == new_network(kind, 3, 6, 2, bidirectional=True, outputs=outputs).info().parameters


@pytest.mark.parametrize("budget", [1, 50, 1000, 4736, 123456])
@pytest.mark.parametrize("kind", sorted(cells()))
def test_the_companion_is_the_nearest_of_all_sizes(kind: str, budget: int) -> None:
    found = nearest_hidden_size(kind, budget, 3, 2, outputs=2)
    distances = [abs(parameter_count(kind, 3, size, 2, outputs=2) - budget) for size in range(1, 400)]
    assert found == 1 + distances.index(min(distances))


def test_the_companion_keeps_its_blocks_whole() -> None:
    found = nearest_hidden_size("lstm-1997", 5000, 3, block_size=4)
    assert found % 4 == 0
    counts = {size: parameter_count("lstm-1997", 3, size, block_size=4) for size in range(4, 200, 4)}
    assert abs(counts[found] - 5000) == min(abs(count - 5000) for count in counts.values())


def test_the_companion_of_the_same_kind_has_the_same_size() -> None:
    assert nearest_hidden_size("lstm", parameter_count("lstm", 4, 32), 4) == 32
    with pytest.raises(NetworkError, match="budget of 0"):
        nearest_hidden_size("rnn", 0, 3)
