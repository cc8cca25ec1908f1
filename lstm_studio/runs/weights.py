"""Norms of the weights of a model, of their gradients, and of what an update changed about them."""

from __future__ import annotations

import math
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
        self._before: dict[nn.Parameter, Tensor] = {}
        self._whole = False

    def remember(self) -> None:
        """Keep a copy of the weights as they are before the update."""
        every = list(self._model.parameters())
        self._whole = sum(weight.numel() * weight.element_size() for weight in every) <= _MOST_COPIED
        weights = every if self._whole else self._recurrent()
        with torch.no_grad():
            kept = {}
            for weight in weights:
                old = self._before.get(weight)
                fits = old is not None and old.shape == weight.shape and old.device == weight.device
                # The memory of the last copy: new memory of some megabytes costs more than what is written to it.
                kept[weight] = old.copy_(weight) if old is not None and fits else weight.detach().clone()
        self._before = kept

    def forget(self) -> None:
        """Say nothing of updates until :meth:`remember` is called again."""
        self._whole = False
        self._before = {}

    @torch.no_grad()
    def norms(self) -> dict[str, float]:
        """Return what a ``parameters`` record says: norms by name, and the mean bias of forget gates.

        ``….norm`` and ``….gradient_norm`` of every weight of the recurrent layers, and ``….update_norm`` where a copy
        was kept; ``all.…`` of the whole model, of updates only where a copy of all of it was kept.
        """
        every = list(self._model.parameters())
        taken = _Norms()
        of = {weight: self._three(weight, taken) for weight in every}
        places: dict[str, int] = {}
        for layer in self._layers:
            module = self._model.get_submodule(layer["module"])
            biases: dict[str, Tensor] = {}
            for name, weight in module.named_parameters():
                full = f"{layer['path']}.{name}"
                places |= {f"{full}.{kind}": place for kind, place in of[weight].items()}
                if isinstance(module, nn.LSTM | nn.LSTMCell) and name.startswith("bias_"):
                    # PyTorch adds two biases; the gate has their sum. The forget gate is the second of four.
                    end = name.partition("_")[2].partition("_")[2]
                    part = weight.detach().chunk(4)[1].mean()
                    biases[end] = part if end not in biases else biases[end] + part
            for end, bias in biases.items():
                places[f"{layer['path']}{'.' if end else ''}{end}.forget_bias"] = taken.add_number(bias)
        numbers = taken.numbers()
        found = {name: numbers[place] for name, place in places.items()}
        for kind in ("norm", "gradient_norm", "update_norm"):
            parts = [numbers[kinds[kind]] for kinds in of.values() if kind in kinds]
            if parts and (kind != "update_norm" or self._whole):
                found[f"all.{kind}"] = math.hypot(*parts)
        return found

    def _recurrent(self) -> list[nn.Parameter]:
        modules = (self._model.get_submodule(layer["module"]) for layer in self._layers)
        return list(dict.fromkeys(weight for module in modules for weight in module.parameters()))

    def _three(self, weight: nn.Parameter, taken: _Norms) -> dict[str, int]:
        places = {"norm": taken.add(weight.detach())}
        gradient = weight.grad
        if gradient is not None:
            places["gradient_norm"] = taken.add(gradient.coalesce().values() if gradient.is_sparse else gradient)
        before = self._before.get(weight)
        if before is not None and before.shape == weight.shape and before.device == weight.device:
            places["update_norm"] = taken.add(weight.detach() - before)
        return places


class _Norms:
    """Norms of tensors and other single numbers, of which each device is asked once."""

    def __init__(self) -> None:
        self._tensors: list[Tensor | None] = []
        self._found: list[Tensor] = []

    def add(self, tensor: Tensor) -> int:
        """Ask for a norm, and return its place."""
        wide = torch.float64 if tensor.dtype == torch.float64 else torch.float32
        self._found.append(torch.linalg.vector_norm(tensor, dtype=wide))
        self._tensors.append(tensor)
        return len(self._found) - 1

    def add_number(self, number: Tensor) -> int:
        """Ask for a number, and return its place."""
        self._found.append(number)
        self._tensors.append(None)
        return len(self._found) - 1

    def numbers(self) -> list[float]:
        """Return everything that was asked for."""
        found = numbers(self._found)
        for place, (value, tensor) in enumerate(zip(found, self._tensors, strict=True)):
            if tensor is None or _SAFE[0] < value < _SAFE[1]:
                continue
            # Gradients that vanish are what one is here to see: their squares are 0 in float32 from 1e-23 down.
            if tensor.numel() and bool(tensor.any()):
                found[place] = float(row_norms(tensor.detach().cpu().double().reshape(1, -1).numpy())[0])
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
