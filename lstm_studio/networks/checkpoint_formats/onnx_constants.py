"""Tensors of an ONNX graph that follow from stored ones by being cut, joined and turned alone.

Exporters of old operator sets leave to the graph what newer ones do beforehand: to bring the blocks of gates into the
order of ONNX.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def folded(operator: str, inputs: Sequence[Array], about: Mapping[str, Any]) -> Array | None:
    """Return what an operator makes of constants, or None for one that computes.

    Parameters
    ----------
    operator
        Its type, ``"Slice"``.
    inputs
        The constants that enter.
    about
        Its attributes; of operator sets in which what they say enters instead, those are the further inputs.
    """
    first, *more = inputs

    def said(name: str, place: int) -> list[int] | None:
        if name in about:
            return [int(number) for number in about[name]]
        return [int(number) for number in more[place].reshape(-1)] if place < len(more) else None

    match operator:
        case "Concat":
            return np.concatenate(inputs, axis=about["axis"])
        case "Transpose":
            return np.transpose(first, about.get("perm"))
        case "Unsqueeze":
            return np.expand_dims(first, tuple(said("axes", 0) or ()))
        case "Squeeze":
            axes = said("axes", 0)
            return np.squeeze(first, None if axes is None else tuple(axes))
        case "Slice":
            starts, ends, axes = (said(name, place) for place, name in enumerate(("starts", "ends", "axes")))
            if starts is None or ends is None:
                raise ValueError("a slice says neither where it starts nor where it ends")
            steps = said("steps", 3) or [1] * len(starts)
            cut = [slice(None)] * first.ndim
            for axis, *bounds in zip(axes or range(len(starts)), starts, ends, steps, strict=True):
                cut[axis] = slice(*bounds)
            part: Array = first[tuple(cut)]
            return part
    return None
