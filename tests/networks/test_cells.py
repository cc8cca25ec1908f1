"""What the cells declare about themselves."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lstm_studio.errors import NetworkError
from lstm_studio.networks.cells import cell_of_kind, cell_of_module, cells
from lstm_studio.networks.naming import layer_prefix
from lstm_studio.networks.signals import Role, preactivation
from lstm_studio.networks.sizes import Sizes


def test_the_cells_are_found() -> None:
    assert {kind: cell.title for kind, cell in cells().items()} == {
        "feedforward": "Feed-forward",
        "gru": "GRU",
        "lstm": "LSTM",
        "lstm-1997": "1997 LSTM",
        "lstm-article": "Article LSTM",
        "rnn": "Vanilla RNN",
        "tdnn": "TDNN",
    }
    assert all(cell.kind == kind for kind, cell in cells().items())


def test_an_unknown_kind_is_refused_with_the_known() -> None:
    with pytest.raises(NetworkError, match=r"'transformer'.*Choose feedforward, gru, lstm, lstm-1997"):
        cell_of_kind("transformer")


def test_modules_are_recognised() -> None:
    for module, kind in ((torch.nn.LSTM(1, 1), "lstm"), (torch.nn.RNN(1, 1), "rnn"), (torch.nn.GRU(1, 1), "gru")):
        cell = cell_of_module(module)
        assert cell is not None
        assert cell.kind == kind
    assert cell_of_module(torch.nn.Linear(1, 1)) is None


@pytest.mark.parametrize("kind", sorted(cells()))
def test_signals_are_declared_once_and_in_the_order_of_the_stack(kind: str) -> None:
    cell = cell_of_kind(kind)
    signals = cell.signals(cell.build(Sizes(2, 3), {}))
    names = [signal.name for signal in signals]
    assert len(set(names)) == len(names)
    assert set(cell.states) <= set(names)
    squashed = [signal for signal in signals if not signal.name.endswith(".preactivation")]
    assert signals[: len(squashed)] == tuple(squashed)
    assert all(preactivation(signal) in signals for signal in squashed if f"{signal.name}.preactivation" in names)


@pytest.mark.parametrize("kind", sorted(cells()))
def test_badges_tell_the_rows_of_a_layer_apart(kind: str) -> None:
    cell = cell_of_kind(kind)
    signals = cell.signals(cell.build(Sizes(2, 3), {}))
    badges = [signal.badge for signal in signals if not signal.name.endswith(".preactivation")]
    assert len(set(badges)) == len(badges)


def test_the_lstm_declares_what_the_api_promises() -> None:
    cell = cell_of_kind("lstm")
    names = [signal.name for signal in cell.signals(cell.build(Sizes(2, 3), {}))]
    assert names[:8] == [
        "forget_gate",
        "input_gate",
        "candidate",
        "admitted",
        "output_gate",
        "retained",
        "cell_state",
        "hidden_state",
    ]
    gates = ("forget_gate", "input_gate", "candidate", "output_gate")
    assert names[8:] == [f"{gate}.preactivation" for gate in gates]


def test_ranges_follow_the_options() -> None:
    rnn, lstm = cell_of_kind("rnn"), cell_of_kind("lstm")
    tanh, relu = (rnn.signals(rnn.build(Sizes(2, 3), {"nonlinearity": name}))[0] for name in ("tanh", "relu"))
    assert (tanh.levels, relu.levels) == ((-1.0, 1.0), None)
    assert tanh.role is Role.RECURRENT
    plain, projected = (
        {s.name: s for s in lstm.signals(lstm.build(Sizes(2, 3), {"proj_size": size}))}["hidden_state"]
        for size in (0, 2)
    )
    assert (plain.levels, projected.levels) == ((-1.0, 1.0), None)


@pytest.mark.parametrize("kind", sorted(cells()))
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_weights_are_counted_in_closed_form(kind: str, layers: int, bidirectional: bool, bias: bool) -> None:
    sizes = Sizes(5, 6, layers, bidirectional, bias)
    cell = cell_of_kind(kind)
    other: dict[str, dict[str, Any]] = {
        "lstm": {"proj_size": 3},
        "lstm-1997": {"block_size": 3, "gate_recurrence": True},
        "tdnn": {"window": 2},
    }
    for options in ({}, other.get(kind, {})):
        module = cell.build(sizes, options)
        assert cell.parameter_count(sizes, options) == sum(weight.numel() for weight in module.parameters())
        assert cell.sizes(module) == sizes


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("rnn", {"nonlinearity": "sigmoid"}, "'sigmoid'.*'tanh', 'relu'"),
        ("rnn", {"proj_size": 2}, "Vanilla RNN has no option 'proj_size'"),
        ("lstm", {"proj_size": 3}, "proj_size is 3 with 3 hidden units"),
        ("lstm", {"proj_size": -1}, "proj_size is -1"),
        ("lstm", {"proj_size": True}, "proj_size is True"),
        ("lstm", {"forget_bias": "high"}, "forget_bias is 'high'"),
        ("lstm", {"forget_bias": float("nan")}, "forget_bias is nan"),
        ("lstm", {"peepholes": True}, "LSTM has no option 'peepholes'"),
        ("lstm-1997", {"block_size": 2}, "block_size is 2 with 3 hidden units.*divides"),
        ("lstm-1997", {"block_size": 0}, "block_size is 0"),
        ("lstm-1997", {"gate_recurrence": "yes"}, "gate_recurrence is 'yes'"),
        ("tdnn", {"window": 0}, "window is 0"),
        ("feedforward", {"window": 2}, "Feed-forward has no option 'window'"),
    ],
)
def test_options_are_checked(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        cell_of_kind(kind).build(Sizes(2, 3), options)


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "3", None])
def test_sizes_are_whole_numbers_of_at_least_1(size: Any) -> None:
    for arguments in ((size, 3), (3, size), (3, 3, size)):
        with pytest.raises(NetworkError, match="Give a whole number of at least 1"):
            Sizes(*arguments)


def test_layers_are_named_by_path_number_and_direction() -> None:
    assert layer_prefix("", "lstm", 0, False) == "lstm.0"
    assert layer_prefix("encoder.rnn", "lstm", 1, True) == "encoder.rnn.1.reverse"
