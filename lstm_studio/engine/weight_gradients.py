"""What each step contributes to the gradient of the weights: the norm of dL/dW as far as it comes from step t.

With a the pre-activations, step t contributes to the gradient of [W_ih  W_hh  b] the outer product of dL/da_t and
[x_t; h_{t−1}; 1], whose Frobenius norm is ‖dL/da_t‖ · ‖[x_t; h_{t−1}; 1]‖. Where a gate multiplies a product with the
hidden state before it is added (the GRU's reset gate), the gradient of that product is multiplied by the gate too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.norms import row_norms, row_norms_by_name
from lstm_studio.engine.recovery import RecoveredLayer
from lstm_studio.networks.cell import Cell

Array = NDArray[Any]


def weight_gradient_norms(
    cell: Cell, parts: list[RecoveredLayer], gradients: Mapping[str, Array], norms: Mapping[str, Array]
) -> Array | None:
    """Return the norm at each step.

    Parameters
    ----------
    cell
        The kind of the layer.
    parts
        One layer and direction as recovered from each call of its chain, in order.
    gradients
        Full name → dL/d· (T, ·), in the order of time, of all pre-activations of the layer.
    norms
        The names with ``norm.`` before them → the norms (T,) of the former.

    Returns
    -------
    ndarray or None
        (T,) float64, in the order of time; None for a kind whose weights enter in other ways.
    """
    layer = parts[0]
    before = [signal.name for signal in layer.description.signals if signal.name.endswith(".preactivation")]
    weights = layer.weights
    width = weights.recurrent.shape[-1]
    hidden = layer.signals[layer.states[0]]
    plain = weights.input.dim() == 2 and width in {0, hidden.shape[1]} and not weights.more
    if not plain or len(weights.input) != len(before) * layer.description.units:
        return None
    x, h = (layer.in_time(np.concatenate(norm)) for norm in zip(*map(_norms_entering, parts), strict=True))
    beside = np.hypot(x, 1.0) if weights.input_bias is not None else x
    prefix = layer.description.prefix
    blame = {name: norms[f"norm.grad.{prefix}.{name}"] for name in before}
    into_input = into_hidden = reduce(np.hypot, blame.values())
    for name, gate in cell.gated_products.items():
        factor = np.concatenate([part.signals[gate] for part in parts])
        blame[name] = row_norms(gradients[f"grad.{prefix}.{name}"] * layer.in_time(factor))
        into_hidden = reduce(np.hypot, blame.values())
    whole: Array = np.hypot(into_input * beside, into_hidden * h)
    return whole


def _norms_entering(part: RecoveredLayer) -> tuple[Array, Array]:
    """Return ‖x_t‖ and ‖h_{t−1}‖ at each step, (T,) each, in the order of processing; zeros where h has no weights."""
    norms = row_norms_by_name({"x": _to_numpy(part.entering), "h": part.signals[part.states[0]]})
    before = np.zeros_like(norms["h"])
    if part.weights.recurrent.shape[-1]:
        before[0], before[1:] = np.hypot.reduce(_to_numpy(part.initial[0]), dtype=np.float64), norms["h"][:-1]
    return norms["x"], before


def _to_numpy(tensor: Any) -> Array:
    array: Array = tensor.detach().cpu().numpy()
    return array
