"""Steps gone back through by themselves, in closed form, against the loop that any kind of cell has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lstm_studio.networks.cell import Cell
from lstm_studio.networks.cells.lstm import CELL

STEPS, UNITS = 9, 5


@pytest.mark.parametrize(
    ("module", "tolerance"),
    [
        (nn.LSTM(3, UNITS).double(), 1e-12),
        (nn.LSTM(3, UNITS, proj_size=2).double(), 1e-12),
        (nn.LSTM(3, UNITS, bias=False), 1e-5),
    ],
    ids=["float64", "projected", "float32"],
)
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_the_closed_form_is_what_the_loop_finds(module: nn.LSTM, tolerance: float) -> None:
    torch.manual_seed(0)
    dtype = next(module.parameters()).dtype
    x = torch.randn(STEPS, 3, dtype=dtype)
    outputs = module.proj_size or UNITS
    initial = torch.randn(outputs, dtype=dtype), torch.randn(UNITS, dtype=dtype)
    with torch.no_grad():
        h = module(x, tuple(state[None] for state in initial))[0]
    layer = CELL.layer(module, 0, False)
    signals: dict[str, Any] = {**CELL.recover(layer, x, h, initial).signals, "hidden_state": h.numpy()}
    weights = layer.map(lambda tensor: tensor.detach().numpy())
    random = np.random.default_rng(0)
    arrived = random.standard_normal((STEPS, outputs)), random.standard_normal((STEPS, UNITS))
    before = [array.copy() for array in arrived]
    ours = CELL.gradients_apart(weights, signals, arrived)
    theirs = Cell.gradients_apart(CELL, weights, signals, arrived)
    assert ours.signals.keys() == theirs.signals.keys()
    pairs = [(ours.signals[name], array) for name, array in theirs.signals.items()]
    pairs += [(ours.input, theirs.input), *zip(ours.initial, theirs.initial, strict=True)]
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
    assert all(np.array_equal(array, old) for array, old in zip(arrived, before, strict=True))
