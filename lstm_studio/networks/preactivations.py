"""All pre-activations of a layer at once, from what enters it and the hidden states that it returned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.cell import Layer
from lstm_studio.networks.deferred import Deferred, Once

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]

_SURELY_FINITE = 1e70
"""A square below it is that of a number far within the range of float32."""


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
    if x.device.type != "cpu":
        _on_its_device(layer, x, h, first, out=out, rows=rows)
        return
    entering = _entering(x.numpy(), h.numpy(), first.numpy())
    # NumPy's products take two thirds of the time of PyTorch's on processors that are not Intel's.
    with np.errstate(all="ignore"):
        if 3 * len(h) < entering.shape[1]:
            # So few steps that copying the weights would take longer.
            outputs = h.shape[1]
            recurrent, into, bias = _weights(layer)
            for gate, where in zip(out, rows, strict=True):
                np.dot(entering[:, :outputs], recurrent[where].T, gate)
                np.add(gate, entering[:, outputs:-1] @ into[where].T, gate)
                np.add(gate, bias[where], gate)
            return
        _multiply(entering, _side_by_side(_weights(layer)), rows, out)


def later_preactivations(
    layer: Layer[Tensor], x: Tensor, h: Tensor, first: Tensor, gates: int
) -> tuple[Deferred, ...] | None:
    """Return what :func:`preactivations` writes as arrays to be computed when asked for, one per gate of the weights.

    Parameters
    ----------
    layer, x, h, first
        As there, on the CPU, and h within −1…1. Of all else a copy is kept: it may change until then.
    gates
        How many there are.

    Returns
    -------
    tuple or None
        None unless it is sure that all of them will be finite.
    """
    weights, hidden = _side_by_side(_weights(layer)), h.numpy()
    entered, before = x.numpy().copy(), first.numpy().copy()
    shape = (len(hidden), len(weights) // gates)
    # |a_t| is at most the norm of the weights times that of all that enters, and a norm takes one fast product, which
    # says nothing where it overflows.
    own, into, start = (float(np.vdot(part, part)) for part in (weights, entered, before))
    if not own * (into + start + hidden.size + shape[0]) < _SURELY_FINITE:
        return None

    def compute() -> Array:
        found = np.empty((gates, *shape), hidden.dtype)
        rows = [slice(gate * shape[1], (gate + 1) * shape[1]) for gate in range(gates)]
        _multiply(_entering(entered, hidden, before), weights, rows, found)
        return found

    whole = Once(compute)
    return tuple(Deferred(shape, hidden.dtype, partial(whole.part, gate)) for gate in range(gates))


def _entering(x: Array, h: Array, first: Array) -> Array:
    """Return what the weights of :func:`_side_by_side` multiply at each step, (T, P + F + 1)."""
    outputs = h.shape[1]
    entering = np.empty((len(h), outputs + x.shape[1] + 1), h.dtype)
    entering[0, :outputs] = first
    entering[1:, :outputs] = h[:-1]
    entering[:, outputs:-1] = x
    entering[:, -1] = 1
    return entering


def _weights(layer: Layer[Tensor]) -> tuple[Array, Array, Array]:
    """Return the weights and the sum of the biases, (R, P), (R, F) and (R,)."""
    recurrent, into = layer.recurrent.numpy(), layer.input.numpy()
    biases = [bias.numpy() for bias in (layer.input_bias, layer.recurrent_bias) if bias is not None]
    return recurrent, into, sum(biases[1:], biases[0]) if biases else np.zeros(len(into), into.dtype)


def _side_by_side(weights: Sequence[Array]) -> Array:
    """Return a copy of all weights, (R, P + F + 1), in the order of :func:`_entering`."""
    recurrent, into, bias = weights
    return np.concatenate((recurrent, into, bias[:, None]), axis=1)


def _multiply(entering: Array, weights: Array, rows: list[slice], out: Array) -> None:
    for gate, where in zip(out, rows, strict=True):
        np.dot(entering, weights[where].T, gate)


def _on_its_device(layer: Layer[Tensor], x: Tensor, h: Tensor, first: Tensor, *, out: Array, rows: list[slice]) -> None:
    import torch

    before = torch.cat((first.unsqueeze(0), h[:-1])) @ layer.recurrent.t()
    before.addmm_(x, layer.input.t())
    for bias in (layer.input_bias, layer.recurrent_bias):
        if bias is not None:
            before += bias
    for gate, where in zip(out, rows, strict=True):
        gate[:] = before[:, where].cpu().numpy()
