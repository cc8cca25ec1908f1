"""What each step contributes to the gradient of the weights, against autograd with other weights at each step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from lstm_studio import new_network, trace
from tests.engine.test_calls import CELLS, as_stack, steps
from tests.engine.test_tracing import values


def contributions(cell: Any, x: Tensor, parameters: tuple[str, ...]) -> list[float]:
    """Return ‖dL/d[W_ih W_hh b]‖ of each step, for L the sum of the last hidden state."""
    weights = [{name: weight.detach().clone().requires_grad_() for name, weight in cell.named_parameters()} for _ in x]
    state = None
    for x_t, own in zip(x, weights, strict=True):
        state = functional_call(cell, own, (x_t, state))
    hidden = state[0] if isinstance(state, tuple) else state
    assert isinstance(hidden, Tensor)
    squares = []
    for own in weights:
        gradients = torch.autograd.grad(hidden.sum(), [own[name] for name in parameters], retain_graph=True)
        squares.append(sum(float(gradient.square().sum()) for gradient in gradients))
    return [square**0.5 for square in squares]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("cell", "stack", "kind"), CELLS)
def test_they_are_those_of_weights_of_their_own(*, cell: Any, stack: Any, kind: str, bias: bool) -> None:
    torch.manual_seed(8)
    one = cell(3, 5, bias=bias).double()
    x = steps(9, 3)
    traced = trace(as_stack(one, stack), x, dtype="float64")
    oracle = contributions(one, x, ("weight_ih", "weight_hh", "bias_ih") if bias else ("weight_ih", "weight_hh"))
    np.testing.assert_allclose(traced[f"norm.grad.{kind}.0.weights"], oracle, rtol=1e-9)


def test_a_reverse_layer_has_its_steps_in_the_order_of_time() -> None:
    network = new_network("lstm", 2, 4, bidirectional=True)
    x = values(8, 2)
    both = trace(network, x, objective=lambda output: output.sum())
    module = nn.LSTM(2, 4)
    ends = {f"{name}_l0": getattr(network.module, f"{name}_l0_reverse") for name in ("weight_ih", "weight_hh")}
    ends |= {f"{name}_l0": getattr(network.module, f"{name}_l0_reverse") for name in ("bias_ih", "bias_hh")}
    module.load_state_dict(ends)
    alone = trace(module, x[::-1].copy(), objective=lambda output: output.sum())
    np.testing.assert_allclose(
        both["norm.grad.lstm.0.reverse.weights"], alone["norm.grad.lstm.0.weights"][::-1], rtol=1e-4
    )
