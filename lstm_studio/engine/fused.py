"""Gradients through time by PyTorch's fused kernels, for devices on which a loop over the steps is hopeless.

A kernel is given its own pre-activations as input: a layer whose input weights are the identity and whose recurrent
weights are the user's. One backward pass with respect to that input then is dL/da_t for all steps at once; the states
follow by one product and one scan. All in float64, whose range vanishing gradients need. Unlike the loop by hand
(:meth:`Cell.gradients`), the kernels take slopes from squashed values: a unit whose pre-activation exceeds some 18
(tanh) or 36 (σ) in size passes nothing.

On the CPU the loop by hand is faster at every size that was measured (see ``docs/guide/quantities.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_studio.networks.cell import Gradients, Layer
from lstm_studio.networks.scan import linear_scan
from lstm_studio.networks.signals import (
    CANDIDATE,
    CANDIDATE_STATE,
    CELL_STATE,
    FORGET_GATE,
    HIDDEN_STATE,
    INPUT_GATE,
    OUTPUT_GATE,
    RECURRENT_STATE,
    RESET_GATE,
    UPDATE_GATE,
    Signal,
    preactivation,
)
from lstm_studio.networks.slopes import tanh_slope

Array = NDArray[Any]


def is_faster(device: torch.device, module: nn.Module) -> bool:
    """Return whether to go this way: on CUDA, for the layers that PyTorch has a fused kernel for."""
    return device.type == "cuda" and isinstance(module, nn.LSTM | nn.GRU | nn.RNN)


@torch.inference_mode(mode=False)
def gradients(
    layer: Layer[Tensor],
    x: Tensor,
    initial: tuple[Tensor, ...],
    signals: Mapping[str, Array],
    *,
    upstream: Array,
    final: tuple[Array, ...],
) -> Gradients:
    """Back-propagate through time, as :meth:`Cell.gradients` does by hand.

    Parameters
    ----------
    layer
        One layer and direction of an ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``.
    x
        (T, F), what entered, in the order of processing.
    initial
        One (P,) or (H,) tensor per state.
    signals
        All declared signals as recovered, (T, H).
    upstream
        (T, P) float64: dL/dh_t as far as it does not pass through later steps.
    final
        One float64 array per state: dL with respect to the last state, beyond ``upstream``.

    Returns
    -------
    Gradients
        On the CPU, float64.
    """
    kernel = _kernel(layer)
    wide = layer.map(Tensor.double)
    entering = x.double() @ wide.input.t()
    if wide.input_bias is not None:
        entering += wide.input_bias
    start = [state.double().reshape(1, -1).requires_grad_() for state in initial]
    entering.requires_grad_()
    with torch.enable_grad():
        hidden, states = kernel(entering, tuple(start) if len(start) > 1 else start[0])
        ends = [hidden, *(states if isinstance(states, tuple) else (states,))]
        given = [upstream, *(state[None] for state in final)]
        # Of a single step that was turned round NumPy keeps the negative stride, which PyTorch refuses.
        into = [torch.from_numpy(gradient.copy()).to(entering) for gradient in given]
        da, *before = (found.cpu() for found in torch.autograd.grad(ends, [entering, *start], into))
    flat: Array = da.numpy()
    blocks, states_from = _in_weight_order(layer.module)
    units = flat.shape[1] // len(blocks)
    named = {name: flat[:, row * units : (row + 1) * units] for row, name in enumerate(blocks)}
    found = states_from(wide.map(_to_numpy), signals, named, upstream, final)
    entered: Array = flat @ _to_numpy(wide.input)
    return Gradients(found | named, entered, tuple(_to_numpy(state)[0] for state in before))


def _kernel(layer: Layer[Tensor]) -> nn.RNNBase:
    """Return the fused layer with the recurrent weights of ``layer`` that takes its pre-activations as they are.

    It is in training mode, which cuDNN asks for before it goes back; nothing of the user's has to change for that.
    """
    module, rows = layer.module, len(layer.input)
    kind: Callable[..., nn.RNNBase]
    if isinstance(module, nn.LSTM):
        kind = partial(nn.LSTM, proj_size=module.proj_size)
    elif isinstance(module, nn.GRU):
        kind = nn.GRU
    else:
        kind = partial(nn.RNN, nonlinearity=module.nonlinearity)
    # On no device at first: drawing initial weights would move the random state.
    kernel = kind(rows, module.hidden_size, device="meta", dtype=torch.float64)
    kernel = kernel.to_empty(device=layer.input.device).requires_grad_(False)
    weights: dict[str, Tensor | None] = {
        "weight_ih_l0": torch.eye(rows, dtype=torch.float64),
        "weight_hh_l0": layer.recurrent,
        "bias_ih_l0": None,
        "bias_hh_l0": layer.recurrent_bias,
        "weight_hr_l0": layer.projection,
    }
    for name, parameter in kernel.named_parameters():
        weight = weights[name]
        parameter.copy_(torch.zeros_like(parameter) if weight is None else weight)
    return kernel


_Assembly = Callable[
    [Layer[Array], Mapping[str, Array], dict[str, Array], Array, tuple[Array, ...]],
    dict[str, Array],
]


def _in_weight_order(module: nn.Module) -> tuple[tuple[str, ...], _Assembly]:
    """Return the names of the pre-activations in the order of the weights, and what gives the states' gradients."""
    gates: tuple[Signal, ...]
    states: _Assembly
    if isinstance(module, nn.LSTM):
        gates, states = (INPUT_GATE, FORGET_GATE, CANDIDATE, OUTPUT_GATE), _lstm_states
    elif isinstance(module, nn.GRU):
        gates, states = (RESET_GATE, UPDATE_GATE, CANDIDATE_STATE), _gru_states
    else:
        gates, states = (RECURRENT_STATE,), _rnn_states
    return tuple(preactivation(gate).name for gate in gates), states


def _rnn_states(
    layer: Layer[Array], _signals: Mapping[str, Array], da: dict[str, Array], upstream: Array, final: tuple[Array, ...]
) -> dict[str, Array]:
    (blame,) = da.values()
    return {HIDDEN_STATE.name: _through_weights(blame, layer, upstream, final[0])}


def _lstm_states(
    layer: Layer[Array], signals: Mapping[str, Array], da: dict[str, Array], upstream: Array, final: tuple[Array, ...]
) -> dict[str, Array]:
    dh = _through_weights(np.concatenate(list(da.values()), axis=1), layer, upstream, final[0])
    dm = dh if layer.projection is None else dh @ layer.projection
    dc = _backward_scan(
        signals[FORGET_GATE.name], dm * signals[OUTPUT_GATE.name] * tanh_slope(signals[CELL_STATE.name]), final[1]
    )
    return {HIDDEN_STATE.name: dh, CELL_STATE.name: dc}


def _gru_states(
    layer: Layer[Array], signals: Mapping[str, Array], da: dict[str, Array], upstream: Array, final: tuple[Array, ...]
) -> dict[str, Array]:
    reset, update, candidate = da.values()
    blame = np.concatenate((reset, update, candidate * signals[RESET_GATE.name]), axis=1)
    direct = _through_weights(blame, layer, upstream, np.zeros_like(final[0]))
    return {HIDDEN_STATE.name: _backward_scan(signals[UPDATE_GATE.name], direct, final[0])}


def _through_weights(blame: Array, layer: Layer[Array], upstream: Array, last: Array) -> Array:
    """Return upstream_t + W_hhᵀ dL/da_{t+1}, with ``last`` in place of what would come after the last step."""
    dh = upstream.copy()
    dh[:-1] += blame[1:] @ layer.recurrent
    dh[-1] += last
    return dh


def _backward_scan(factor: Array, term: Array, last: Array) -> Array:
    """Return y with y_t = term_t + factor_{t+1} ⊙ y_{t+1}, where ``last`` comes from after the last step."""
    later = np.concatenate((np.ones_like(factor[:1]), factor[:0:-1]))
    return linear_scan(later.astype(np.float64), term[::-1], last)[::-1]


def _to_numpy(tensor: Tensor) -> Array:
    array: Array = tensor.detach().cpu().numpy()
    return array
