"""Models that call their recurrent layers in other ways than once on the whole sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence, pad_packed_sequence

from lstm_studio import Trace, TraceError, trace

CELLS: list[tuple[Callable[..., nn.Module], Callable[..., nn.RNNBase], str]] = [
    (nn.LSTMCell, nn.LSTM, "lstm"),
    (nn.GRUCell, nn.GRU, "gru"),
    (nn.RNNCell, nn.RNN, "rnn"),
]


class Loop(nn.Module):
    """A cell in a loop over the steps; what it does with its state between them can be chosen."""

    def __init__(self, cell: nn.Module, between: Callable[[Any], Any] = lambda state: state) -> None:
        super().__init__()
        self.cell = cell
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        state = None
        outputs = []
        for x_t in x:
            state = self.cell(x_t, state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
            state = self.between(state)
        return torch.stack(outputs)


def as_stack(cell: Any, stack: Callable[..., nn.RNNBase]) -> nn.RNNBase:
    """Return the fused stack of one layer with the weights of a cell."""
    module = stack(cell.input_size, cell.hidden_size, bias=cell.bias).to(cell.weight_ih.dtype)
    module.load_state_dict({f"{name}_l0": weight for name, weight in cell.state_dict().items()})
    return module


def steps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def assert_same_trace(found: Trace, oracle: Trace, renamed: dict[str, str], rtol: float = 1e-9) -> None:
    """Every array of ``oracle`` is in ``found``, under the name that ``renamed`` makes of it."""
    for name in oracle.names:
        other = name
        for before, after in renamed.items():
            other = other.replace(before, after)
        np.testing.assert_allclose(found[other], oracle[name], rtol=rtol, atol=1e-14, err_msg=other)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(("cell", "stack", "kind"), CELLS)
def test_a_cell_in_a_loop_is_traced_as_the_fused_layer(
    *, cell: Callable[..., nn.Module], stack: Callable[..., nn.RNNBase], kind: str, batched: bool, bias: bool
) -> None:
    torch.manual_seed(1)
    one = cell(3, 5, bias=bias).double()
    x = steps(11, 4, 3) if batched else steps(11, 3)
    item = 2 if batched else 0
    found = trace(Loop(one), x, item=item, dtype="float64")
    oracle = trace(as_stack(one, stack), x[:, 2] if batched else x, dtype="float64")
    assert_same_trace(found, oracle, {f"{kind}.0": "cell.0"})
    assert found.names == [name.replace(f"{kind}.0", "cell.0") for name in oracle.names]
    assert [layer.kind for layer in found.layers] == [kind]


def test_vanishing_through_a_loop_of_cells_keeps_the_range_of_float64() -> None:
    cell = nn.RNNCell(1, 1, bias=False, nonlinearity="relu")
    with torch.no_grad():
        for weight, value in zip(cell.parameters(), (1.0, 0.25), strict=True):
            weight.fill_(value)
    traced = trace(Loop(cell), np.ones((120, 1), np.float32))
    np.testing.assert_allclose(traced["norm.grad.cell.0.hidden_state"], 0.25 ** np.arange(119.0, -1, -1), rtol=1e-9)


def test_a_state_that_is_changed_between_steps_is_followed() -> None:
    """Attention, zoneout, masks: the gradient through what the model does between steps is autograd's."""
    torch.manual_seed(2)
    model = Loop(nn.LSTMCell(3, 4).double(), lambda state: (state[0] * 0.5, state[1].tanh()))
    x = steps(9, 2, 3).requires_grad_()
    traced = trace(model, x, item=1, dtype="float64")
    assert [layer.prefix for layer in traced.layers] == ["cell.0"]
    state: Any = None
    hidden, cells = [], []
    for x_t in x:
        state = model.cell(x_t, state)
        state[0].retain_grad()
        hidden.append(state[0])
        cells.append(state[1])
        state = (state[0] * 0.5, state[1].tanh())
    hidden[-1][1].sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(traced["grad.input"], x.grad[:, 1].numpy(), rtol=1e-9, atol=1e-15)
    gradients = torch.stack([h.grad[1] for h in hidden if h.grad is not None])
    np.testing.assert_allclose(traced["grad.cell.0.hidden_state"], gradients.numpy(), rtol=1e-9, atol=1e-15)
    states = torch.stack([c[1] for c in cells]).detach()
    np.testing.assert_allclose(traced["cell.0.cell_state"], states.numpy(), rtol=1e-9)


@pytest.mark.parametrize("shape", [(12, 3), (12, 2, 3)])
def test_pieces_that_hand_their_states_on_are_one_sequence(shape: tuple[int, ...]) -> None:
    class Pieces(nn.Module):
        def __init__(self, length: int) -> None:
            super().__init__()
            self.length = length
            self.rnn = nn.LSTM(3, 4, 2)

        def forward(self, x: Tensor) -> Tensor:
            state = None
            outputs = []
            for piece in torch.split(x, self.length):
                output, state = self.rnn(piece, state)
                outputs.append(output)
            return torch.cat(outputs)

    whole = Pieces(12).double()
    for length in (1, 5):
        pieces = Pieces(length).double()
        pieces.load_state_dict(whole.state_dict())
        oracle = trace(whole, steps(*shape), dtype="float64", objective=lambda output: output[7].sum())
        found = trace(pieces, steps(*shape), dtype="float64", objective=lambda output: output[7].sum())
        assert found.names == oracle.names
        assert_same_trace(found, oracle, {})


def test_independent_calls_of_one_layer_are_numbered() -> None:
    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(2, 3)
            self.same = self.rnn

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat((self.rnn(x)[0], self.same(x.flip(0))[0]), -1)

    model = Siamese().double()
    x = steps(7, 2)
    traced = trace(model, x, dtype="float64", objective=lambda output: output.square().sum())
    assert [layer.prefix for layer in traced.layers] == ["rnn.0", "rnn#2.0"]
    for prefix, entering in (("rnn.0", x), ("rnn#2.0", x.flip(0))):
        alone = trace(model.rnn, entering, dtype="float64", objective=lambda output: output.square().sum())
        assert_same_trace(traced, without_input(alone), {"gru.0": prefix})


def without_input(traced: Trace) -> Trace:
    arrays = {name: array for name, array in traced.arrays.items() if not name.endswith("input")}
    return Trace(arrays, traced.layers, traced.provenance)


class Packing(nn.Module):
    """Sequences of unequal length, packed."""

    def __init__(self, module: nn.RNNBase, lengths: list[int]) -> None:
        super().__init__()
        self.rnn = module
        self.lengths = lengths

    def forward(self, x: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, torch.tensor(self.lengths), self.rnn.batch_first, enforce_sorted=False)
        output: Tensor = pad_packed_sequence(self.rnn(packed)[0], self.rnn.batch_first)[0]
        return output


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("stack", [nn.LSTM, nn.GRU])
def test_packed_sequences_are_as_long_as_they_are(stack: Any, batch_first: bool) -> None:
    torch.manual_seed(3)
    module = stack(3, 4, 2, bidirectional=True, batch_first=batch_first).double()
    x = steps(3, 9, 3)
    lengths = [4, 9, 6]
    model = Packing(module, lengths)
    for item, length in enumerate(lengths):
        found = trace(model, x if batch_first else x.transpose(0, 1), item=item, dtype="float64")
        oracle = trace(module, x[item, :length], dtype="float64")
        assert_same_trace(found, oracle, {f"{'lstm' if stack is nn.LSTM else 'gru'}.": "rnn."})


def test_a_bare_module_takes_a_packed_sequence() -> None:
    module = nn.RNN(2, 3).double()
    pieces = [steps(length, 2, seed=length) for length in (3, 8, 5)]
    packed: PackedSequence = pack_sequence(pieces, enforce_sorted=False)
    for item, piece in enumerate(pieces):
        assert_same_trace(trace(module, packed, item=item, dtype="float64"), trace(module, piece, dtype="float64"), {})
    with pytest.raises(TraceError, match="no item 3 in a batch of 3"):
        trace(module, packed, item=3)


@pytest.mark.parametrize("batched", [False, True])
def test_initial_states_are_taken_as_given(batched: bool) -> None:
    class Started(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(2, 3)
            self.start = nn.Parameter(torch.full((2, 1, 3), 0.7))

        def forward(self, x: Tensor) -> Tensor:
            start = self.start.expand(2, x.shape[1], 3) if batched else self.start[:, 0]
            output: Tensor = self.rnn(x, (start[:1].contiguous(), start[1:].contiguous()))[0]
            return output

    model = Started().double()
    traced = trace(model, steps(5, 4, 2) if batched else steps(5, 2), dtype="float64", item=1 if batched else 0)
    retained = traced["rnn.0.forget_gate"][0] * 0.7
    np.testing.assert_allclose(traced["rnn.0.retained"][0], retained, rtol=1e-6)
    assert traced.recovery_error < 1e-14


@pytest.mark.parametrize("inside", [False, True])
def test_autocast_does_not_reach_the_recurrent_layers(inside: bool) -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.into = nn.Linear(3, 4)
            self.rnn = nn.LSTM(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=inside or torch.is_autocast_enabled("cpu")):
                output: Tensor = self.rnn(self.into(x))[0]
                return output

    model, x = Mixed(), steps(6, 3).float()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not inside):
        entered = model.into(x)
        traced = trace(model, x)
        assert torch.is_autocast_enabled("cpu") is not inside
    assert traced["rnn.0.hidden_state"].dtype == np.float32
    assert traced.recovery_error < 1e-6
    if not inside:
        assert entered.dtype == torch.bfloat16
    assert torch.tensor(traced["input"]).to(torch.bfloat16).float().equal(torch.tensor(traced["input"]))
    assert traced["norm.grad.input"].min() > 0


def test_a_bare_cell_asks_for_its_loop() -> None:
    with pytest.raises(TraceError, match=r"A bare GRUCell computes one step.*loop"):
        trace(nn.GRUCell(2, 3), np.zeros((4, 2)))


def test_features_that_do_not_fit_a_cell_name_it() -> None:
    with pytest.raises(TraceError, match=r"cell \(LSTMCell\) takes 2 features a step, and receives 3"):
        trace(Loop(nn.LSTMCell(2, 3)), np.zeros((4, 3)))


def test_a_model_of_cells_is_left_as_found() -> None:
    torch.manual_seed(4)
    model = Loop(nn.LSTMCell(2, 3))
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    random = torch.get_rng_state()
    hooks = len(model.cell._forward_hooks), len(model.cell._forward_pre_hooks)
    trace(model, np.zeros((4, 2)))
    with pytest.raises(TraceError):
        trace(model, np.zeros((4, 3)))
    assert torch.equal(torch.get_rng_state(), random)
    assert (len(model.cell._forward_hooks), len(model.cell._forward_pre_hooks)) == hooks
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


def test_a_model_of_two_inputs_is_given_both() -> None:
    class Translator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.GRU(3, 4)
            self.words = nn.Embedding(5, 2)
            self.decoder = nn.GRU(2, 4)

        def forward(self, x: Tensor, said: Tensor) -> Tensor:
            output: Tensor = self.decoder(self.words(said), self.encoder(x)[1])[0]
            return output

    torch.manual_seed(9)
    model = Translator().double()
    x, said = steps(6, 3), torch.tensor([4, 0, 2])
    traced = trace(model, x, said, dtype="float64")
    entered = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(entered, said)[-1].sum(), entered)
    np.testing.assert_allclose(traced["grad.input"], gradient.numpy(), rtol=1e-9, atol=1e-15)
    assert traced["decoder.0.hidden_state"].shape == (3, 4)


class BothWays(nn.Module):
    """One cell, run forwards and then backwards from the same learned states."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(3, 4)
        self.start = nn.ParameterList([nn.Parameter(torch.randn(4)), nn.Parameter(torch.randn(4))])

    def forward(self, x: Tensor) -> Tensor:
        directions = []
        for steps in (x.unbind(0), x.unbind(0)[::-1]):
            h, c = (state.expand(x.shape[1], -1) for state in self.start)
            hidden = []
            for event in steps:
                h, c = self.cell(event, (h, 0.9 * c))
                hidden.append(h)
            directions.append(torch.stack(hidden))
        return torch.cat((directions[0], directions[1].flip(0)), dim=-1)


def test_a_loop_that_is_run_once_more_from_learned_states_is_another_sequence() -> None:
    model = BothWays().double()
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    traced = trace(model, x, item=1, dtype="float64", objective=lambda output: output[:, 1].square().sum())
    assert [layer.prefix for layer in traced.layers] == ["cell.0", "cell#2.0"]
    output = model(x)[:, 1].detach().numpy()
    np.testing.assert_allclose(traced["cell.0.hidden_state"], output[:, :4], rtol=1e-9)
    np.testing.assert_allclose(traced["cell#2.0.hidden_state"], output[::-1, 4:], rtol=1e-9)


class InPlace(nn.Module):
    """Writes each new state over the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(3, 4)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[1], 4)
        hidden = torch.empty(len(x), *h.shape)
        for step, event in enumerate(x):
            h.copy_(self.cell(event, h))
            hidden[step] = h
        return hidden


def test_states_that_are_written_over_are_one_sequence() -> None:
    model = InPlace()
    x = torch.randn(6, 2, 3)
    traced = trace(model, x, item=1, gradients=False)
    assert [layer.prefix for layer in traced.layers] == ["cell.0"]
    np.testing.assert_allclose(traced["cell.0.hidden_state"], model(x)[:, 1], atol=1e-6)


class Truncated(nn.Module):
    """Back-propagation through time in pieces: each starts with the states of the one before, detached."""

    def __init__(self, stack: Any) -> None:
        super().__init__()
        self.rnn = stack(3, 4, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        states, outputs = None, []
        for piece in torch.split(x, 2, dim=1):
            output, states = self.rnn(piece, states)
            states = states.detach() if isinstance(states, Tensor) else tuple(state.detach() for state in states)
            outputs.append(output)
        return torch.cat(outputs, dim=1)


@pytest.mark.parametrize("stack", [nn.LSTM, nn.GRU, nn.RNN])
def test_pieces_that_are_detached_from_each_other_are_one_sequence_with_gradients_that_end_there(stack: Any) -> None:
    model = Truncated(stack).double()
    x = steps(2, 7, 3).double()

    def loss(output: Tensor) -> Tensor:
        return output[1].square().sum()

    traced = trace(model, x, item=1, dtype="float64", objective=loss, memory=True)
    assert traced.steps == 7
    assert [layer.prefix for layer in traced.layers] == ["rnn.0", "rnn.1"]
    entering = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(loss(model(entering)), entering)
    np.testing.assert_allclose(traced["grad.input"], expected[1].numpy(), rtol=1e-9, atol=1e-15)
    with torch.no_grad():
        np.testing.assert_allclose(traced["rnn.1.hidden_state"], model(x)[1].numpy(), atol=1e-14)
