"""The objectives as PyTorch scalars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lstm_studio.engine.capture import Recording
from lstm_studio.engine.objectives import Objective, ObjectiveKind
from lstm_studio.errors import TraceError

CustomObjective = Callable[[Tensor], Tensor]
"""Takes the model's output tensor (the first one, where it returns several), returns a scalar."""


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


def scalar(objective: Objective | CustomObjective, context: Context) -> Tensor:
    """Return L for one forward pass.

    Raises
    ------
    TraceError
        If the model or the sequence does not have what the objective needs.
    """
    if not isinstance(objective, Objective):
        return _custom(objective, context)
    match objective.kind:
        case ObjectiveKind.LAST_HIDDEN:
            call = context.recording.calls[-1]
            directions = call.cell.sizes(call.module).directions
            return call.state_item(call.final[0], context.item)[-directions:].sum()
        case ObjectiveKind.HIDDEN:
            return _hidden(objective, context)
        case ObjectiveKind.NEXT_STEP:
            return _next_step(context)
        case ObjectiveKind.TARGET:
            return _target(context)


def returned_tensor(returned: Any) -> Tensor:
    """Return the (first) tensor that a model returned.

    Raises
    ------
    TraceError
        If there is none.
    """
    while isinstance(returned, tuple | list) and returned:
        returned = returned[0]
    if not isinstance(returned, Tensor):
        raise TraceError(
            f"The model returns {type(returned).__name__}, not a tensor.", "Choose the objective 'last-hidden'."
        )
    return returned


def item_output(context: Context) -> Tensor:
    """Return the model's output for the traced item: (T, K), or (K,) where it answers once per sequence."""
    output = returned_tensor(context.recording.returned)
    call = context.recording.calls[-1]
    if call.batched and output.dim() == 3:
        output = call.item(output, context.item)
    elif call.batched and output.dim() >= 1:
        output = output[context.item]
    return output


def _custom(objective: CustomObjective, context: Context) -> Tensor:
    value = objective(returned_tensor(context.recording.returned))
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise TraceError(f"The objective returned {shape}, not a scalar tensor.", "Let it return one number.")
    return value.reshape(())


def _hidden(objective: Objective, context: Context) -> Tensor:
    call = context.recording.calls[-1]
    hidden = call.item(call.output, context.item)
    steps, units = hidden.shape
    if not -steps <= objective.step < steps or not 0 <= objective.unit < units:
        raise TraceError(
            f"The objective '{objective}' is outside {steps} steps and {units} units.",
            f"Choose a step from 0 to {steps - 1} and a unit from 0 to {units - 1}.",
        )
    return hidden[objective.step, objective.unit]


def _next_step(context: Context) -> Tensor:
    call = context.recording.calls[0]
    x = call.item(call.x, context.item).detach()
    output = _readout(context, ObjectiveKind.NEXT_STEP)
    if output.shape != x.shape:
        raise TraceError(
            f"The read-out gives {tuple(output.shape)}, the sequence is {tuple(x.shape)}: it cannot be the next input.",
            "Give a network whose read-out has as many outputs as the sequence has features.",
        )
    if len(x) < 2:
        raise TraceError("The sequence has one step, and so no next one.", "Give at least 2 steps.")
    predicted = output.softmax(-1) if context.readout_kind == "classes" else output
    return functional.mse_loss(predicted[:-1], x[1:])


def _target(context: Context) -> Tensor:
    if context.target is None:
        raise TraceError("The sequence has no target.", "Choose another objective, or a sequence with a target.")
    output = _readout(context, ObjectiveKind.TARGET)
    is_class = context.target.dtype.kind in "iu"
    target = torch.tensor(context.target, device=output.device, dtype=torch.long if is_class else output.dtype)
    if target.dim() == (0 if is_class else 1) and output.dim() == 2:
        output = output[-1]
    outputs = output.shape[-1]
    if is_class:
        if context.readout_kind == "values" or target.shape != output.shape[:-1]:
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
    if context.readout_kind == "classes":
        return functional.cross_entropy(output, target)
    return functional.mse_loss(output, target)


def _readout(context: Context, kind: ObjectiveKind) -> Tensor:
    call = context.recording.calls[-1]
    if context.recording.returned is None or call.path == "":
        raise TraceError(
            f"The objective '{kind}' needs a read-out, and the network has none.", "Choose the objective 'last-hidden'."
        )
    return item_output(context)
