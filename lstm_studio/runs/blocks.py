"""The signals of a sampled step one above the other: what is done to all of them is done at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.signals import Signal

Array = NDArray[Any]

LARGEST_HALF = 65504.0
_PIECE = 1 << 14


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Signals of one layer that have the same shape.

    Parameters
    ----------
    names
        Their full names.
    signals
        What the cell declares of each.
    whole
        (N, T, ·), in the precision in which they were recovered.
    halves
        The same in float16; infinite where that does not reach.
    """

    names: tuple[str, ...]
    signals: tuple[Signal, ...]
    whole: Array
    halves: Array


def blocks_of(trace: Trace) -> list[Block]:
    """Return copies of all signals of a trace; each of its layers has one block, or two where it has a projection."""
    found = []
    for layer in trace.layers:
        widths: dict[int, list[Signal]] = {}
        for signal in layer.signals:
            widths.setdefault(trace[f"{layer.prefix}.{signal.name}"].shape[1], []).append(signal)
        for signals in widths.values():
            names = tuple(f"{layer.prefix}.{signal.name}" for signal in signals)
            whole = np.stack([trace[name] for name in names])
            found.append(Block(names, tuple(signals), whole, _halved(whole)))
    return found


def _halved(whole: Array) -> Array:
    """Return an array in float16, for which PyTorch takes a fortieth of NumPy's time.

    In pieces so small that it does not begin threads of its own: this is not done in the thread that trains.
    """
    import torch

    halves = np.empty(whole.shape, np.float16)
    source, target = torch.from_numpy(whole.reshape(-1)), torch.from_numpy(halves.reshape(-1))
    for start in range(0, whole.size, _PIECE):
        target[start : start + _PIECE].copy_(source[start : start + _PIECE])
    return halves


def gradient_dtype(dtype: str) -> str:
    """Return the precision of gradients beside signals of ``dtype``; float16 would turn those that vanish to zero."""
    return "float64" if dtype == "float64" else "float32"


def narrowed(trace: Trace, blocks: list[Block], dtype: str) -> Trace:
    """Return a sampled trace as it is kept: signals in ``dtype``, gradients as :func:`gradient_dtype` says.

    Parameters
    ----------
    trace
        Whole.
    blocks
        Its :func:`blocks_of`.
    dtype
        ``"float16"``, where that reaches; ``"float32"`` or ``"float64"``.
    """
    wide = gradient_dtype(dtype)
    arrays = {"input": _narrowed(trace["input"], dtype)}
    for block in blocks:
        half = dtype == "float16"
        for place, (name, signal) in enumerate(zip(block.names, block.signals, strict=True)):
            reaches = half and (signal.levels is not None or _fits(block.whole[place]))
            arrays[name] = block.halves[place] if reaches else _narrowed(block.whole[place], dtype)
    for name, array in trace.arrays.items():
        if name.startswith("grad."):
            arrays[name] = np.ascontiguousarray(array, wide)
        elif name not in arrays:
            arrays[name] = array
    return Trace(arrays, trace.layers, trace.provenance)


def _narrowed(array: Array, dtype: str) -> Array:
    """Return a signal in the precision in which it is kept, wider where it would not fit."""
    wider = dtype == "float16" and not _fits(array)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, "float32" if wider else dtype)


def _fits(array: Array) -> bool:
    """Return whether float16 holds all finite values of an array."""
    if array.max() < LARGEST_HALF and array.min() > -LARGEST_HALF:
        return True
    finite = array[np.isfinite(array)]
    return bool(np.abs(finite).max(initial=0.0) < LARGEST_HALF)
