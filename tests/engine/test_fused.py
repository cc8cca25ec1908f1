"""The two ways of computing gradients through time against each other: the fused kernels, and the loop by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lstm_studio import trace
from lstm_studio.engine import fused
from tests.engine.test_calls import Loop
from tests.engine.test_tracing import NO_PROJECTION_IN_ONEDNN, values

LAYERS: list[tuple[Any, dict[str, Any]]] = [
    (nn.LSTM, {}),
    (nn.LSTM, {"proj_size": 2}),
    (nn.GRU, {}),
    (nn.RNN, {"nonlinearity": "tanh"}),
    (nn.RNN, {"nonlinearity": "relu"}),
]


def both(monkeypatch: pytest.MonkeyPatch, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    by_hand = trace(*args, **kwargs)
    monkeypatch.setattr(fused, "is_faster", lambda device, module: True)
    return by_hand, trace(*args, **kwargs)


@pytest.mark.filterwarnings(NO_PROJECTION_IN_ONEDNN)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("layer", "options"), LAYERS)
def test_both_ways_agree(
    *, layer: Any, options: dict[str, Any], bidirectional: bool, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(5)
    module = layer(3, 4, 2, bias=bias, bidirectional=bidirectional, **options).double()
    random = torch.get_rng_state()
    by_hand, by_kernel = both(
        monkeypatch, module, values(17, 3), dtype="float64", objective=lambda output: output[11].sum() + output[2].sum()
    )
    assert torch.equal(torch.get_rng_state(), random)
    assert by_kernel.names == by_hand.names
    for name in by_hand.names:
        np.testing.assert_allclose(by_kernel[name], by_hand[name], rtol=1e-9, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.RNN])
def test_both_ways_agree_on_a_single_step_in_both_directions(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(8)
    module = layer(3, 4, bidirectional=True).double()
    by_hand, by_kernel = both(monkeypatch, module, values(1, 3), dtype="float64")
    for name in by_hand.names:
        np.testing.assert_allclose(by_kernel[name], by_hand[name], rtol=1e-9, atol=1e-15, err_msg=name)


@pytest.mark.parametrize(("kind", "layer"), [("lstm", nn.LSTM), ("gru", nn.GRU)])
def test_both_ways_agree_in_float32_over_a_range_that_float32_does_not_have(
    kind: str, layer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(6)
    by_hand, by_kernel = both(monkeypatch, layer(2, 20), values(400, 2))
    norm = by_hand[f"norm.grad.{kind}.0.hidden_state"]
    assert 0 < norm[0] < 1e-45
    np.testing.assert_allclose(by_kernel[f"norm.grad.{kind}.0.hidden_state"], norm, rtol=1e-3)


def test_both_ways_agree_in_a_loop_of_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(7)
    by_hand, by_kernel = both(monkeypatch, Loop(nn.LSTMCell(3, 4).double()), values(6, 3), dtype="float64")
    for name in by_hand.names:
        np.testing.assert_allclose(by_kernel[name], by_hand[name], rtol=1e-9, atol=1e-15, err_msg=name)


def test_the_kernels_go_back_inside_inference_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    module, x = nn.GRU(2, 3).double(), values(5, 2)
    by_hand = trace(module, x, dtype="float64")
    monkeypatch.setattr(fused, "is_faster", lambda device, module: True)
    with torch.inference_mode():
        by_kernel = trace(module, x, dtype="float64")
    np.testing.assert_allclose(by_kernel["grad.input"], by_hand["grad.input"], rtol=1e-9)


def test_the_kernels_are_for_cuda() -> None:
    module = nn.LSTM(2, 3)
    assert fused.is_faster(torch.device("cuda"), module)
    assert not fused.is_faster(torch.device("cpu"), module)
    assert not fused.is_faster(torch.device("cuda"), nn.Linear(2, 3))
