"""What the readers of other frameworks' files have in common: layers in PyTorch's order, stacked where they follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Direction:
    """The weights of one layer and direction, gates in PyTorch's order.

    Parameters
    ----------
    input, recurrent
        (G·H, F) and (G·H, H).
    input_bias, recurrent_bias
        (G·H,), or None without bias.
    """

    input: Array
    recurrent: Array
    input_bias: Array | None = None
    recurrent_bias: Array | None = None


@dataclass(frozen=True, slots=True)
class ForeignLayer:
    """One recurrent layer of another framework's file.

    Parameters
    ----------
    path
        What to call it; the module takes the name of its first layer.
    kind
        Registered kind.
    directions
        One entry, or two with the reverse second.
    options
        Options of the kind.
    follows
        Path of the layer that feeds this one and nothing else than it does; empty where there is none.
    """

    path: str
    kind: str
    directions: tuple[Direction, ...]
    options: dict[str, Any] = field(default_factory=dict)
    follows: str = ""


def reordered(rows: Array, order: tuple[int, ...]) -> Array:
    """Return the blocks of rows, as many as ``order`` has entries, in another order."""
    blocks = np.split(rows, len(order))
    return np.concatenate([blocks[block] for block in order])


def as_modules(layers: list[ForeignLayer]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors named as in a PyTorch state dict, and the ``metadata`` of a checkpoint file.

    Layers that follow each other and are of one kind and size become one module.
    """
    tensors: dict[str, Tensor] = {}
    options: dict[str, dict[str, Any]] = {}
    stacks: dict[str, list[ForeignLayer]] = {}
    for layer in layers:
        below = next((path for path, stack in stacks.items() if stack[-1].path == layer.follows), None)
        if below is not None and _fits(stacks[below][-1], layer):
            stacks[below].append(layer)
        else:
            stacks[layer.path] = [layer]
    for path, stack in stacks.items():
        options[path] = stack[0].options
        biased = any(direction.input_bias is not None for layer in stack for direction in layer.directions)
        for index, layer in enumerate(stack):
            for direction, end in zip(layer.directions, ("", "_reverse"), strict=False):
                none = np.zeros(len(direction.input), direction.input.dtype)
                found = {"weight_ih": direction.input, "weight_hh": direction.recurrent}
                if biased:
                    found["bias_ih"] = none if direction.input_bias is None else direction.input_bias
                    found["bias_hh"] = none if direction.recurrent_bias is None else direction.recurrent_bias
                for stem, array in found.items():
                    tensors[f"{path}.{stem}_l{index}{end}"] = as_tensor(array)
    return tensors, {"modules": options}


def as_tensor(array: Array) -> Tensor:
    """Return a copy as a tensor; what is neither float32 nor float64 becomes float32."""
    wide = array.dtype == np.float64
    return torch.from_numpy(np.ascontiguousarray(array, np.float64 if wide else np.float32).copy())


def _fits(below: ForeignLayer, above: ForeignLayer) -> bool:
    units = below.directions[0].recurrent.shape[1]
    return (
        above.kind == below.kind
        and above.options == below.options
        and len(above.directions) == len(below.directions)
        and above.directions[0].recurrent.shape == below.directions[0].recurrent.shape
        and above.directions[0].input.shape[1] == units * len(below.directions)
    )
