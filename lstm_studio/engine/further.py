"""What a model is called with besides the sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_studio.arguments import shown
from lstm_studio.errors import TraceError
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.network import ReadoutNetwork


def moved(value: Any, dtype: torch.dtype, where: torch.device) -> Any:
    """Return tensors, alone or in tuples, lists and dictionaries, on a device, and numbers in a precision."""
    if isinstance(value, Tensor):
        return value.detach().to(device=where, dtype=dtype if value.is_floating_point() else None)
    if type(value) in {tuple, list}:
        return type(value)(moved(part, dtype, where) for part in value)
    if type(value) is dict:
        return {name: moved(part, dtype, where) for name, part in value.items()}
    return value


def check(
    model: nn.Module,
    modules: Mapping[str, tuple[nn.Module, Cell]],
    x: Tensor | PackedSequence,
    inputs: Sequence[Any],
) -> None:
    """Raise where further inputs are not what a recurrent module or a network takes; any other model says so itself.

    Parameters
    ----------
    model, modules
        The model and its :func:`~.capture.recurrent_modules`.
    x
        The sequence as the model is called with it.
    inputs
        What follows it.

    Raises
    ------
    TraceError
        If there are too many, or they are no initial states.
    """
    if isinstance(model, ReadoutNetwork):
        if inputs:
            raise TraceError("A network with a read-out takes the sequence only.", "Leave out what follows it.")
        return
    if not inputs or "" not in modules or type(model).forward is not _usual(model):
        return
    cell = modules[""][1]
    sizes = cell.sizes(model)
    rows = sizes.layers * sizes.directions
    batch = _batch(model, x)
    shapes = [
        (rows, *batch, cell.output_size(model) if place == 0 else sizes.hidden_size)
        for place, _ in enumerate(cell.states)
    ]
    cure = f"Give {'a tensor' if len(shapes) == 1 else 'a tuple of tensors'} of {' and '.join(map(str, shapes))}."
    if len(inputs) > 1:
        raise TraceError(
            f"{cell.title} takes the sequence and its initial states, and {len(inputs)} inputs follow.", cure
        )
    given = inputs[0]
    states = (given,) if len(shapes) == 1 else given
    fit = isinstance(states, tuple | list) and len(states) == len(shapes)
    if given is None or (fit and all(_is(state, shape) for state, shape in zip(states, shapes, strict=True))):
        return
    raise TraceError(f"The initial states of {cell.title} are {_in_words(given)}.", cure)


def _usual(model: nn.Module) -> Any:
    """Return the forward pass of PyTorch's module that ``model`` is, or None: others may take what they like."""
    kinds = (nn.LSTM, nn.GRU, nn.RNN)
    return next((kind.forward for kind in kinds if isinstance(model, kind)), None)


def _batch(model: nn.Module, x: Tensor | PackedSequence) -> tuple[int, ...]:
    if isinstance(x, PackedSequence):
        return (int(x.batch_sizes[0]),)
    return () if x.dim() == 2 else (x.shape[0 if model.batch_first else 1],)


def _is(state: Any, shape: tuple[int, ...]) -> bool:
    return isinstance(state, Tensor) and state.is_floating_point() and tuple(state.shape) == shape


def _in_words(given: Any) -> str:
    parts = given if isinstance(given, tuple | list) else [given]
    if parts and all(isinstance(part, Tensor) for part in parts):
        return " and ".join(f"{part.dtype} of {tuple(part.shape)}".removeprefix("torch.") for part in parts)
    return shown(given)
