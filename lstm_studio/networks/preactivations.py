"""All pre-activations of a layer at once, from what enters it and the hidden states that it returned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.cell import Layer

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]


def side_by_side(count: int, like: Tensor, units: int) -> Array:
    """Return an uninitialised (count, T, units) array in the precision of ``like``, a (T, ·) tensor.

    The signals of a layer lie in one stretch of memory: a system that is asked for many pieces of some megabytes hands
    each out page by page, which takes longer than it takes to compute what goes into them.
    """
    return np.empty((count, len(like), units), str(like.dtype).removeprefix("torch."))


def preactivations(
    layer: Layer[Tensor], x: Tensor, h: Tensor, first: Tensor, *, out: Array, order: Sequence[int] | None = None
) -> None:
    """Write W_ih x_t + b_ih + W_hh h_{t−1} + b_hh into ``out``, gate by gate.

    Parameters
    ----------
    layer
        The weights: gates times H rows.
    x, h
        (T, F) and (T, P), what enters and the hidden states.
    first
        (P,), the hidden state before the first step.
    out
        (gates, T, H), on the CPU whatever the device.
    order
        Which gate of the weights comes first, second and so on; None for theirs.
    """
    gates, _, units = out.shape
    rows = [slice(gate * units, (gate + 1) * units) for gate in order or range(gates)]
    biases = [bias for bias in (layer.input_bias, layer.recurrent_bias) if bias is not None]
    bias = sum(biases[1:], biases[0]) if biases else None
    if x.device.type != "cpu":
        _on_its_device(layer, x, h, first, bias=bias, out=out, rows=rows)
        return

    outputs, features = h.shape[1], x.shape[1]
    entering = np.empty((len(h), outputs + features + 1), out.dtype)
    entering[0, :outputs] = first.numpy()
    entering[1:, :outputs] = h.numpy()[:-1]
    entering[:, outputs:-1] = x.numpy()
    entering[:, -1] = 1
    recurrent, into = layer.recurrent.numpy(), layer.input.numpy()
    beside = np.zeros(len(into), out.dtype) if bias is None else bias.numpy()
    # NumPy's products take two thirds of the time of PyTorch's on processors that are not Intel's.
    with np.errstate(all="ignore"):
        if 3 * len(h) < entering.shape[1]:
            # So few steps that copying the weights would take longer.
            for gate, where in zip(out, rows, strict=True):
                np.dot(entering[:, :outputs], recurrent[where].T, gate)
                np.add(gate, entering[:, outputs:-1] @ into[where].T, gate)
                np.add(gate, beside[where], gate)
            return
        weights = np.concatenate((recurrent, into, beside[:, None]), axis=1)
        for gate, where in zip(out, rows, strict=True):
            np.dot(entering, weights[where].T, gate)


def _on_its_device(
    layer: Layer[Tensor], x: Tensor, h: Tensor, first: Tensor, *, bias: Tensor | None, out: Array, rows: list[slice]
) -> None:
    import torch

    before = torch.cat((first.unsqueeze(0), h[:-1])) @ layer.recurrent.t()
    before.addmm_(x, layer.input.t())
    if bias is not None:
        before += bias
    for gate, where in zip(out, rows, strict=True):
        gate[:] = before[:, where].cpu().numpy()
