"""The gates and cell states that PyTorch's fused LSTM kernel keeps for the way back, where it keeps them.

On the CPU in float32 the kernel is oneDNN's. While autograd records, it writes the activations of all gates and the
cell states into a block of memory of its own, for its backward pass. What is there need not be computed again: that
saves the largest part of a trace, the matrix product of all hidden states with the weights, and the running sum.

How the block is laid out is oneDNN's own business, and may change. So nothing rests on it: before the first use for a
number of units, the block of a small sequence is compared with the gates as the equations give them; and every trace
takes each step from what was read for the step before, and compares the cell states with those that were read and the
hidden states with the module's own. Where anything differs, it is computed as everywhere else.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.slopes import squashed

if TYPE_CHECKING:
    from torch import Tensor, nn

Array = NDArray[Any]

_NODE = "MkldnnRnnLayerBackward0"
_WEIGHTS, _BLOCK, _INPUT = "_saved_weight0", "_saved_result3", "_saved_input"
"""What the node of the graph calls its first matrix of weights, the block, and what enters."""
_LINE, _PAGE = 16, 1024
"""Numbers of float32 in a cache line, and in a page of memory."""
_SAME = 1e-5
"""Numbers that are computed in two ways in float32 are nearer than that; relatively, where they are larger than 1."""
_PROBED_STEPS = 3
_FEWEST = 4096
"""Cell states of which it is worth looking for those that were kept. Fewer are always computed: what memory holds from
before may look like them, and chance would decide from which of two roundings a trace goes on."""
_LIKELY = 32
"""Pages of memory that are looked at before all others, because to look at one takes long."""
_PLACES: dict[tuple[int, int], int] = {}
"""Where the cell states were last, by T and H: the first place to look at, and mostly the last."""
_MOST_PLACES = 1000


def may_be_kept(module: nn.Module, x: Tensor) -> bool:
    """Return whether a call of ``module`` leaves its gates behind where autograd records it.

    Parameters
    ----------
    module
        An ``nn.LSTM``; of a class derived from it, whose forward pass may be another, no.
    x
        What enters it.
    """
    import torch
    from torch import nn

    return (
        type(module) is nn.LSTM
        and x.dtype == torch.float32
        and x.device.type == "cpu"
        and module.proj_size == 0
        and not any(weight.is_inference() for weight in module._parameters.values() if weight is not None)
        and _is_as_expected(module.hidden_size)
    )


class Kept(NamedTuple):
    """What is kept of one layer and direction.

    Parameters
    ----------
    block
        The kernel's own block of memory.
    entering
        (T, 1, F), what entered the layer, in the order of time.
    """

    block: Tensor
    entering: Tensor


def kept_of(output: Tensor) -> dict[int, Kept]:
    """Return what the layers of a call left behind, by the address of their first matrix of weights.

    Parameters
    ----------
    output
        What the module returned, with the graph that autograd recorded.
    """
    found: dict[int, Kept] = {}
    left, seen = [output.grad_fn], set()
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        edges = node.next_functions
        if node.name() == _NODE:
            weights, block, entering = (getattr(node, name, None) for name in (_WEIGHTS, _BLOCK, _INPUT))
            if weights is not None and block is not None and entering is not None:
                found[weights.data_ptr()] = Kept(block, entering)
            # The first leads on to what entered, and the others to weights.
            edges = edges[:1]
        left += [before for before, _ in edges]
    return found


def gates_in(block: Tensor, steps: int, units: int) -> Array | None:
    """Return the gates in a block, a (T, 4, H) view in the order of the weights; None where it is too small for them.

    oneDNN gives every step a row of 4·H numbers, rounded up to whole cache lines, and one line more where all rows
    would else begin at the same place of a page of memory.
    """
    row = -(-4 * units // _LINE) * _LINE
    row += _LINE if row % 256 == 0 else 0
    numbers = block.numpy().view(np.float32)
    if numbers.size < steps * row:
        return None
    return numbers[: steps * row].reshape(steps, row)[:, : 4 * units].reshape(steps, 4, units)


def cell_states_in(block: Tensor, steps: int, first: Array) -> Array | None:
    """Return the cell states in a block, a (T − 1, H) view of all but the last; None where they are not found.

    oneDNN puts them T + 2 rows behind the start of a page of memory that comes after the gates and three times the
    hidden states, each padded. Which one that is depends on all sizes, and shows by the first of them.

    Parameters
    ----------
    block
        What the kernel kept.
    steps
        T.
    first
        (H,), the cell state after the first step.
    """
    units = len(first)
    count = (steps - 1) * units
    if steps * units < _FEWEST or not count:
        return None
    page = steps * 7 * units // _PAGE
    behind = block.numpy().view(np.float32)[page * _PAGE + (steps + 2) * units :]
    last = _PLACES.get((steps, units))
    every = (behind[: _LIKELY * _PAGE : _PAGE], behind[::_PAGE])
    looks = (np.flatnonzero(np.abs(likely - first[0]) < _SAME).tolist() for likely in every)
    for place in chain(() if last is None else (last,), chain.from_iterable(looks)):
        found = behind[place * _PAGE :][:count]
        if len(found) == count and np.abs(found[:units] - first).max() < _SAME:
            if place != last:
                if len(_PLACES) == _MOST_PLACES:
                    _PLACES.clear()
                _PLACES[steps, units] = place
            states: Array = found.reshape(-1, units)
            return states
    return None


def are_same(one: Array, other: Array, scratch: Array | None = None) -> bool:
    """Return whether all numbers are the same but for rounding in float32, and none of them NaN or infinite."""
    apart: Array = np.subtract(one, other, scratch)
    # None is larger than the root of the sum of all squares, which takes one fast product.
    if np.vdot(apart, apart) <= _SAME**2 or max(apart.max(), -apart.min()) <= _SAME:
        return True
    apart *= apart
    apart /= 1 + other * other
    return bool(apart.max() <= _SAME**2)


@cache
def _is_as_expected(units: int) -> bool:
    """Return whether the gates of so many units are where :func:`gates_in` looks for them."""
    import torch

    random = np.random.default_rng(0)
    shapes = ((4 * units, 1), (4 * units, units), (4 * units,), (4 * units,))
    drawn = [(random.normal(size=shape) / np.sqrt(units)).astype(np.float32) for shape in shapes]
    x = random.normal(size=(_PROBED_STEPS, 1, 1)).astype(np.float32)
    with torch.inference_mode(mode=False), torch.enable_grad():
        # As a module calls it, but without one: to make it would move the random state, or take half a second.
        weights = [torch.from_numpy(weight).requires_grad_() for weight in drawn]
        begin = (torch.zeros(1, 1, units), torch.zeros(1, 1, units))
        output = torch.lstm(torch.from_numpy(x), begin, weights, True, 1, 0.0, True, False, False)[0]
        entering, recurrent, *biases = drawn
        kept = kept_of(output).get(entering.ctypes.data)
    gates = None if kept is None else gates_in(kept.block, _PROBED_STEPS, units)
    if gates is None:
        return False
    before = np.zeros(units, np.float32)
    for x_t, h_t, found in zip(x[:, 0], output.detach().numpy()[:, 0], gates, strict=True):
        a = (entering @ x_t + recurrent @ before + sum(biases)).reshape(4, units)
        expected = squashed(a)
        expected[2] = np.tanh(a[2])
        if not np.abs(found - expected).max() < _SAME:
            return False
        before = h_t
    return True
