"""The objectives as PyTorch scalars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from lstm_studio.engine.call import Call
from lstm_studio.engine.capture import Recording
from lstm_studio.engine.objectives import Objective, ObjectiveKind
from lstm_studio.errors import TraceError

CustomObjective = Callable[[Tensor], Tensor]
"""Takes the output (the first tensor, where a model returns several in a tuple, mapping or dataclass), returns L."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an objective may need to know.

    Parameters
    ----------
    recording
        The forward pass.
    item
        Which sequence of the batch.
    target
        As in ``Sequence.target``, or None.
    readout_kind
        ``"classes"`` or ``"values"`` for a network with a known read-out; empty for any other model.
    """

    recording: Recording
    item: int
    target: NDArray[Any] | None
    readout_kind: str


@dataclass(frozen=True, slots=True)
class Precise:
    """L in float64.

    Parameters
    ----------
    loss
        The scalar.
    copied
        What it was computed of, in float64: a leaf.
    output
        Of which that is a copy: what the model returned.
    """

    loss: Tensor
    copied: Tensor
    output: Tensor


def scalar(objective: Objective | CustomObjective, context: Context) -> Tensor:
    """Return L for one forward pass.

    Raises
    ------
    TraceError
        If the model or the sequence does not have what the objective needs.
    """
    if isinstance(objective, Objective):
        match objective.kind:
            case ObjectiveKind.LAST_HIDDEN:
                return context.recording.chains[-1].calls[-1].last_hidden(context.item).sum()
            case ObjectiveKind.HIDDEN:
                return _hidden(objective, context)
    return _of_output(objective, context, _output(objective, context))


def precise(objective: Objective | CustomObjective, context: Context) -> Precise | None:
    """Return L computed once more, in float64, of what the model returned in less than that.

    None where L is of hidden states themselves, where the device has no float64, and where the objective cannot be
    computed in another precision than the model's.
    """
    if isinstance(objective, Objective) and objective.kind in {ObjectiveKind.LAST_HIDDEN, ObjectiveKind.HIDDEN}:
        return None
    output = _output(objective, context)
    if output.device.type == "mps" or not output.requires_grad:
        return None
    copied = output.detach().to(torch.float64).requires_grad_()
    try:
        loss = _of_output(objective, context, copied)
    except (RuntimeError, TypeError, ValueError):
        # It goes on with weights of the model, or with what else has another precision.
        return None
    return Precise(loss, copied, output) if loss.requires_grad else None


def _output(objective: Objective | CustomObjective, context: Context) -> Tensor:
    """Return what L is computed of."""
    if not isinstance(objective, Objective):
        return returned_tensor(context.recording.returned)
    if objective.kind is ObjectiveKind.TARGET and context.target is None:
        raise TraceError("The sequence has no target.", "Choose another objective, or a sequence with a target.")
    return _readout(context, objective.kind)


def _of_output(objective: Objective | CustomObjective, context: Context, output: Tensor) -> Tensor:
    """Return L of what the model returned."""
    if not isinstance(objective, Objective):
        return _custom(objective, output)
    if context.target is None or objective.kind is ObjectiveKind.NEXT_STEP:
        return _next_step(context, output)
    return _target(output, context.target, context.readout_kind)


def returned_tensor(returned: Any) -> Tensor:
    """Return the (first) tensor that a model returned.

    Raises
    ------
    TraceError
        If there is none.
    """
    while not isinstance(returned, Tensor):
        if is_dataclass(returned) and not isinstance(returned, type | Mapping):
            returned = [getattr(returned, own.name) for own in fields(returned)]
        parts = list(returned.values()) if isinstance(returned, Mapping) else returned
        # An answer may have room for a loss, say, where none was asked for.
        there = [part for part in parts if part is not None] if isinstance(parts, tuple | list) else []
        if not there:
            break
        returned = there[0]
    if not isinstance(returned, Tensor):
        raise TraceError(
            f"The model returns {type(returned).__name__}, not a tensor.", "Choose the objective 'last-hidden'."
        )
    return returned


def item_output(context: Context) -> Tensor:
    """Return the model's output for the traced item: (T, K), or (K,) where it answers once per sequence."""
    chain = context.recording.chains[-1]
    layout = chain.calls[-1].layout
    if layout.packed is not None:
        first = context.recording.returned
        while isinstance(first, tuple | list) and not isinstance(first, PackedSequence):
            first = first[0]
        if isinstance(first, PackedSequence):
            return first.data[layout.rows(context.item)]
    output = returned_tensor(context.recording.returned)
    if layout.batch_axis is None and layout.packed is None:
        return output
    if output.dim() != 3:
        return output[context.item] if output.dim() else output
    steps = sum(len(call.hidden(context.item)) for call in chain.calls)
    return output.select(_batch_axis(output, chain.calls[-1], steps), context.item)[:steps]


def _batch_axis(output: Tensor, call: Call, steps: int) -> int:
    """Return the axis of the batch in a model's (T, B, K) or (B, T, K) output."""
    if call.layout.batch_axis is not None and not call.layout.single_step:
        return call.layout.batch_axis
    items = call.layout.items
    # Packed steps and single ones say nothing about the layout of the whole: its sizes do, unless both are equal.
    fits = [axis for axis in (0, 1) if output.shape[axis] == items and output.shape[1 - axis] >= steps]
    preferred = 0 if call.layout.single_step or call.module.batch_first else 1
    return preferred if preferred in fits or not fits else fits[0]


def _custom(objective: CustomObjective, output: Tensor) -> Tensor:
    value = objective(output)
    if isinstance(value, Tensor) and value.is_complex():
        raise TraceError(f"The objective returned a complex number, of {value.dtype}.", "Let it return a real one.")
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise TraceError(f"The objective returned {shape}, not a scalar tensor.", "Let it return one number.")
    return value.reshape(())


def _hidden(objective: Objective, context: Context) -> Tensor:
    hidden = torch.cat([call.hidden(context.item) for call in context.recording.chains[-1].calls])
    steps, units = hidden.shape
    if not -steps <= objective.step < steps or not 0 <= objective.unit < units:
        raise TraceError(
            f"The objective '{objective}' is outside {steps} steps and {units} units.",
            f"Choose a step from 0 to {steps - 1} and a unit from 0 to {units - 1}.",
        )
    return hidden[objective.step, objective.unit]


def _next_step(context: Context, output: Tensor) -> Tensor:
    x = torch.cat([call.input(context.item) for call in context.recording.chains[0].calls]).detach()
    if output.shape != x.shape:
        raise TraceError(
            f"The read-out gives {tuple(output.shape)}, the sequence is {tuple(x.shape)}: it cannot be the next input.",
            "Give a network whose read-out has as many outputs as the sequence has features.",
        )
    if len(x) < 2:
        raise TraceError("The sequence has one step, and so no next one.", "Give at least 2 steps.")
    predicted = output.softmax(-1) if context.readout_kind == "classes" else output
    return functional.mse_loss(predicted[:-1], x[1:].to(predicted))


def _target(output: Tensor, wanted: NDArray[Any], readout_kind: str) -> Tensor:
    is_class = wanted.dtype.kind in "iu"
    target = torch.tensor(wanted, device=output.device, dtype=torch.long if is_class else output.dtype)
    if target.dim() == (0 if is_class else 1) and output.dim() == 2:
        output = output[-1]
    outputs = output.shape[-1]
    if is_class:
        if readout_kind == "values" or target.shape != output.shape[:-1]:
            raise TraceError(
                f"The target is a class, the read-out predicts values of shape {tuple(output.shape)}.",
                "Give a network whose read-out scores classes.",
            )
        if target.numel() and not (int(target.min()) >= 0 and int(target.max()) < outputs):
            raise TraceError(
                f"The target is class {int(target.max())}, the read-out has {outputs} outputs, 0 to {outputs - 1}.",
                "Give a network with an output for each class.",
            )
        return functional.cross_entropy(output, target)
    if target.shape != output.shape:
        raise TraceError(
            f"The target is {tuple(target.shape)}, the read-out gives {tuple(output.shape)}.",
            "Give a network with as many outputs as the target has values.",
        )
    if readout_kind == "classes":
        return functional.cross_entropy(output, target)
    return functional.mse_loss(output, target)


def _readout(context: Context, kind: ObjectiveKind) -> Tensor:
    if context.recording.returned is None or context.recording.calls[-1].path == "":
        raise TraceError(
            f"The objective '{kind}' needs a read-out, and the network has none.", "Choose the objective 'last-hidden'."
        )
    return item_output(context)
