"""Objectives that come to numbers beyond the range of float32 on their way, in a trace in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_studio import trace

BEYOND: dict[str, Callable[[Tensor], Tensor]] = {
    "large on its way": lambda output: (output * 1e30 * 1e30).sum() * 1e-60,
    "small on its way": lambda output: (output * 1e-30 * 1e-30).sum() * 1e60,
    "large in the end": lambda output: (output * 1e20).pow(2).sum(),
    "small in the end": lambda output: output.square().sum() / 1e50,
    "far too large": lambda output: (output * 1e3).exp().sum(),
}


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 5, batch_first=True)
        self.head = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.rnn(x)[0])
        return output


def by_autograd(model: nn.Module, x: Tensor, objective: Callable[[Tensor], Tensor]) -> NDArray[Any]:
    """Return dL/dx in float64."""
    precise, entering = model.double(), x.double().requires_grad_()
    returned = precise(entering)
    loss = objective(returned[0] if isinstance(returned, tuple) else returned)
    found: NDArray[Any] = torch.autograd.grad(loss, entering)[0].numpy()
    return found


@pytest.mark.parametrize("name", BEYOND)
@pytest.mark.parametrize("model", [lambda: nn.LSTM(3, 5), Tagger])
def test_gradients_are_right_where_the_objective_leaves_the_range_of_float32(
    model: Callable[[], nn.Module], name: str
) -> None:
    torch.manual_seed(0)
    made, x = model(), torch.randn(1, 12, 3) if model is Tagger else torch.randn(12, 3)
    traced = trace(made, x, objective=BEYOND[name])
    assert not traced.provenance.non_finite
    expected = by_autograd(made, x, BEYOND[name]).reshape(12, 3)
    largest = np.abs(expected).max()
    assert np.abs(traced["grad.input"].astype(np.float64) - expected).max() < 1e-3 * largest


def test_an_objective_that_is_not_finite_in_float64_either_is_marked() -> None:
    module, x = nn.LSTM(3, 5), torch.randn(12, 3)
    traced = trace(module, x, objective=lambda output: (output / 0).sum() * 0)
    assert "grad.lstm.0.hidden_state" in dict(traced.provenance.non_finite)


def test_an_objective_that_takes_float32_only_keeps_what_it_gives() -> None:
    module, x, head = nn.LSTM(3, 5), torch.randn(12, 3), nn.Linear(5, 1)
    traced = trace(module, x, objective=lambda output: (head(output) * 1e30 * 1e30).sum() * 1e-60)
    assert not traced["grad.input"].any()


def test_an_objective_that_reads_more_than_the_output_keeps_all_of_it() -> None:
    kept: list[Tensor] = []

    class Keeping(Tagger):
        def forward(self, x: Tensor) -> Tensor:
            kept.append(self.rnn(x)[0])
            output: Tensor = self.head(kept[-1])
            return output

    torch.manual_seed(0)
    model, x = Keeping(), torch.randn(1, 12, 3)

    def objective(output: Tensor) -> Tensor:
        return kept[-1][0, -1].sum() + (output * 1e-30 * 1e-30).sum() * 1e60

    traced = trace(model, x, objective=objective)
    # Infinite in float32; in float64 it would be of the output alone.
    assert "grad.rnn.0.hidden_state" in dict(traced.provenance.non_finite)


def test_an_objective_within_the_range_is_computed_once() -> None:
    precisions = []

    def objective(output: Tensor) -> Tensor:
        precisions.append(output.dtype)
        return output.square().sum()

    trace(nn.LSTM(3, 5), torch.randn(12, 3), objective=objective)
    assert precisions == [torch.float32]
