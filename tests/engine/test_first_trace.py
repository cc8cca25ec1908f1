"""What the first trace of a process loads, and what a borrowed layer leaves alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lstm_studio.engine.stacks import layer_with

_PROGRAM = """
import sys
import torch
from torch import nn
from lstm_studio import trace

# Of four units all may be dropped at once, and then nothing reaches the input.
torch.manual_seed(0)

class Loop(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.LSTMCell(3, 8), nn.GRUCell(8, 5), nn.RNNCell(5, 4)
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        one = two = three = None
        steps = []
        for x_t in x:
            one = self.first(x_t, one)
            two = self.second(one[0], two)
            three = self.third(two, three)
            steps.append(self.out(three))
        return torch.stack(steps)

class Dropping(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.LSTM(3, 4, num_layers=2, dropout=0.5), nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.rnn(x)[0])

for model in (Loop(), Dropping(), nn.LSTM(3, 4)):
    for objective in (None, lambda output: output.square().sum()):
        assert trace(model, torch.randn(6, 2, 3), objective=objective)["norm.grad.input"].all()
assert "sympy" not in sys.modules
"""


def test_the_first_trace_loads_no_symbolic_mathematics() -> None:
    """That took a third of a second, most of the time of the first trace."""
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True)


CELLS: list[tuple[Callable[[], nn.Module], str]] = [
    (lambda: nn.LSTMCell(3, 5), "lstm"),
    (lambda: nn.GRUCell(3, 5, bias=False), "gru"),
    (lambda: nn.RNNCell(3, 5, nonlinearity="relu"), "rnn"),
]


@pytest.mark.parametrize(("make", "kind"), CELLS)
def test_a_borrowed_layer_is_called_as_any_other(make: Callable[[], nn.Module], kind: str) -> None:
    cell = make()

    def weight(name: str) -> Tensor:
        return cell.get_parameter(name.removesuffix("_l0"))

    before = torch.get_rng_state()
    layer = layer_with(cell, 3, weight)
    assert layer is not None
    assert torch.equal(before, torch.get_rng_state())
    assert type(layer).__bases__[-1].__name__.lower() == kind
    assert list(layer.parameters()) == []
    x = torch.randn(7, 3)
    state: Tensor | tuple[Tensor, Tensor] | None = None
    expected = []
    with torch.no_grad():
        for x_t in x:
            state = cell(x_t, state)
            expected.append(state[0] if isinstance(state, tuple) else state)
        torch.testing.assert_close(layer(x)[0], torch.stack(expected))


def test_no_layer_is_made_of_anything_else() -> None:
    class Other(nn.RNNCellBase):
        pass

    other = Other(3, 5, True, 1)
    assert layer_with(other, 3, lambda name: other.get_parameter(name.removesuffix("_l0"))) is None
