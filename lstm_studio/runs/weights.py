"""Norms of the weights of a model, of their gradients, and of what an update changed about them."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from torch import Tensor, nn

from lstm_studio.engine.norms import row_norms

_MOST_COPIED = 64 * 2**20
"""Bytes of weights of which a copy is kept, beside those of the recurrent layers."""
_SAFE = 1e-15, 1e15
"""Norms of float32 between these have lost nothing where their squares underflow or overflow."""


class Weights:
    """Follows the weights of a model over single training steps.

    Parameters
    ----------
    model
        The model.
    layers
        Its recurrent layers: ``path``, what they are called, and ``module``, their path in the model.
    """

    def __init__(self, model: nn.Module, layers: list[dict[str, Any]]) -> None:
        self._model, self._layers = model, layers
        self._every: list[nn.Parameter] = []
        self._names: list[list[str]] = []
        self._forget_biases: dict[str, list[nn.Parameter]] = {}
        self._before: list[Tensor | None] = []
        self._remembers = False
        self._whole = False

    def remember(self) -> None:
        """Keep a copy of the weights as they are before the update."""
        self._look()
        with torch.no_grad():
            for place, (weight, old) in enumerate(zip(self._every, self._before, strict=True)):
                if old is not None and old.shape == weight.shape and old.device == weight.device:
                    # The memory of the last copy: new memory of some megabytes costs more than what is written to it.
                    old.copy_(weight)
                elif self._whole or self._names[place]:
                    self._before[place] = weight.detach().clone()
        self._remembers = True

    def forget(self) -> None:
        """Say nothing of updates until :meth:`remember` is called again."""
        self._remembers = False

    @torch.no_grad()
    def norms(self, *, updated: bool = True) -> dict[str, float]:
        """Return what a ``parameters`` record says: norms by name, and the mean bias of forget gates.

        ``….norm`` and ``….gradient_norm`` of every weight of the recurrent layers, and ``….update_norm`` where a copy
        was kept; ``all.…`` of the whole model, of updates only where a copy of all of it was kept.

        Parameters
        ----------
        updated
            Whether the update has been made; if not, :meth:`update_norms` tells of it later.
        """
        if not self._remembers:
            self._look()
        found = self._measured(("norm", "gradient_norm", "update_norm") if updated else ("norm", "gradient_norm"))
        for name, biases in self._forget_biases.items():
            # The gate has the sum of both. The forget gate is the second of four.
            found[name] = sum(numbers([bias.narrow(0, len(bias) // 4, len(bias) // 4).mean() for bias in biases]))
        return found

    @torch.no_grad()
    def update_norms(self) -> dict[str, float]:
        """Return every ``….update_norm`` since the copy was kept; nothing where none was."""
        return self._measured(("update_norm",))

    def _measured(self, kinds: tuple[str, ...]) -> dict[str, float]:
        tensors: list[Tensor] = []
        told: list[tuple[list[str], str]] = []
        for weight, names, before in zip(self._every, self._names, self._before, strict=True):
            gradient = weight.grad
            if "norm" in kinds:
                tensors.append(weight)
                told.append((names, "norm"))
            if "gradient_norm" in kinds and gradient is not None:
                tensors.append(gradient.coalesce().values() if gradient.is_sparse else gradient)
                told.append((names, "gradient_norm"))
            if "update_norm" in kinds and self._remembers and before is not None and before.device == weight.device:
                # Into the memory of the copy, which has done its work.
                tensors.append(torch.sub(weight, before, out=before))
                told.append((names, "update_norm"))
        found: dict[str, float] = {}
        every: dict[str, list[float]] = {kind: [] for kind in kinds}
        for (names, kind), norm in zip(told, _norms(tensors), strict=True):
            every[kind].append(norm)
            for name in names:
                found[f"{name}.{kind}"] = norm
        if not self._whole:
            every.pop("update_norm", None)
        return found | {f"all.{kind}": math.hypot(*norms) for kind, norms in every.items() if norms}

    def _look(self) -> None:
        """Find the weights and their names, where they are not those that were found before."""
        every = list(self._model.parameters())
        if len(every) == len(self._every) and all(map(operator.is_, every, self._every)):
            return
        self._every, self._forget_biases = every, {}
        self._whole = sum(weight.numel() * weight.element_size() for weight in every) <= _MOST_COPIED
        self._before = [None] * len(every)
        named: dict[nn.Parameter, list[str]] = {}
        for layer in self._layers:
            module = self._model.get_submodule(layer["module"])
            for name, weight in module.named_parameters():
                named.setdefault(weight, []).append(f"{layer['path']}.{name}")
                if isinstance(module, nn.LSTM | nn.LSTMCell) and name.startswith("bias_"):
                    # PyTorch adds two biases.
                    end = name.partition("_")[2].partition("_")[2]
                    full = f"{layer['path']}{'.' if end else ''}{end}.forget_bias"
                    self._forget_biases.setdefault(full, []).append(weight)
        self._names = [named.get(weight, []) for weight in every]


def _norms(tensors: list[Tensor]) -> list[float]:
    """Return the norm of each, asking each device once."""
    asked = []
    for tensor in tensors:
        wide = None if tensor.dtype in {torch.float32, torch.float64} else torch.float32
        asked.append(torch.linalg.vector_norm(tensor, dtype=wide))
    found = numbers(asked)
    for place, norm in enumerate(found):
        # Gradients that vanish are what one is here to see: their squares are 0 in float32 from 1e-23 down.
        if not _SAFE[0] < norm < _SAFE[1] and bool(tensors[place].any()):
            found[place] = float(row_norms(tensors[place].cpu().double().reshape(1, -1).numpy())[0])
    return found


def numbers(tensors: list[Tensor]) -> list[float]:
    """Return the numbers in tensors of one number, asking each device once."""
    if not tensors:
        return []
    if all(tensor.device.type == "cpu" for tensor in tensors):
        return [float(tensor) for tensor in tensors]
    home = tensors[0].device
    wide = torch.float32 if home.type == "mps" else torch.float64
    flat: list[float] = torch.stack([tensor.to(home, wide).reshape(()) for tensor in tensors]).tolist()
    return flat
