"""Models that let the items of a batch act on each other: the gradients of one go through the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from lstm_studio import trace
from lstm_studio.engine import gradients

ITEMS, STEPS, FEATURES, UNITS = 3, 7, 4, 5


class Normed(nn.Module):
    """Three layers with what normalises over the batch between them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.LSTM(FEATURES, UNITS, batch_first=True, bidirectional=True)
        self.second = nn.GRU(2 * UNITS, UNITS, batch_first=True)
        self.third = nn.RNN(UNITS, UNITS, batch_first=True)
        self.norms = nn.ModuleList((nn.BatchNorm1d(2 * UNITS), nn.BatchNorm1d(UNITS)))

    def forward(self, x: Tensor) -> Tensor:
        for layer, norm in zip((self.first, self.second), self.norms, strict=True):
            x = norm(layer(x)[0].transpose(1, 2)).transpose(1, 2)
        output: Tensor = self.third(x)[0]
        return output


class Shuffled(nn.Module):
    """A loop whose states go to other items half way, as in a search of several beams."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(FEATURES, UNITS)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), UNITS)
        steps = []
        for step, x_t in enumerate(x.unbind(1)):
            h, c = self.cell(x_t, (h, c))
            steps.append(h)
            if step == STEPS // 2:
                h, c = h[[2, 0, 1]], c[[2, 0, 1]]
        return torch.stack(steps, dim=1)


class Apart(nn.Module):
    """Two layers with what keeps the items apart between them, the second of sequences of several lengths."""

    def __init__(self) -> None:
        super().__init__()
        self.below, self.above = nn.LSTM(FEATURES, UNITS, batch_first=True), nn.GRU(UNITS, UNITS, batch_first=True)
        self.norm = nn.LayerNorm(UNITS)

    def forward(self, x: Tensor) -> Tensor:
        lengths = torch.tensor([4, 7, 2])
        packed = pack_padded_sequence(self.norm(self.below(x)[0]), lengths, batch_first=True, enforce_sorted=False)
        last: Tensor = self.above(packed)[1][0]
        return last


def by_autograd(model: nn.Module, x: Tensor, objective: Callable[[Tensor], Tensor]) -> NDArray[Any]:
    """Return dL/dx in float64, (B, T, F)."""
    entering = x.double().requires_grad_()
    found: NDArray[Any] = torch.autograd.grad(objective(model.double()(entering)), entering)[0].numpy()
    return found


@pytest.mark.parametrize("item", range(ITEMS))
@pytest.mark.parametrize("reads", ["all", "one"])
@pytest.mark.parametrize("model", [Normed, Shuffled, Apart])
def test_gradients_go_through_the_other_items(model: Callable[[], nn.Module], reads: str, item: int) -> None:
    torch.manual_seed(0)
    made, x = model().train(), torch.randn(ITEMS, STEPS, FEATURES)

    def objective(output: Tensor) -> Tensor:
        return (output if reads == "all" else output[item]).double().pow(3).sum()

    found = trace(made, x, item=item, objective=objective)["grad.input"]
    expected = by_autograd(made, x, objective)[item]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


def test_items_that_are_kept_apart_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(gradients, "_of_another", lambda call, item, upstream: asked.append(item))
    trace(Apart(), torch.randn(ITEMS, STEPS, FEATURES), objective=lambda output: output.sum())
    assert not asked
