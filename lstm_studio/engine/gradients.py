"""Gradients of an objective with respect to every step: back-propagation through time and through the rest of a model.

The forward pass was cut at each recurrent module (see ``capture``). Going back, PyTorch's autograd takes the pieces
between the cuts, and each cell its own recurrence, with all local factors computed beforehand. Measured on one thread
against giving the fused kernel its own pre-activations as input, that is as fast at 32 units and 200 steps, and 2, 6
and 10 times as fast at 64, 256 and 512 units and 1000 steps; and it can change precision where numbers grow too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_studio.engine import losses, recovery
from lstm_studio.engine.capture import Call
from lstm_studio.engine.losses import Context, CustomObjective
from lstm_studio.engine.objectives import Objective
from lstm_studio.engine.recovery import Array, CallGradients, RecoveredLayer
from lstm_studio.errors import TraceError

_NEAR_UNDERFLOW = 1e-30
"""A float32 gradient below this norm is computed again in float64: float32 loses digits below 1.2e-38."""


@dataclass(frozen=True, slots=True)
class _Root:
    """Where a piece of the graph ends, and dL with respect to that end."""

    tensor: Tensor
    gradient: Array


def gradients_of(
    objective: Objective | CustomObjective, context: Context, layers: dict[int, list[RecoveredLayer]]
) -> tuple[dict[str, Array], str]:
    """Take the gradients of one objective.

    Parameters
    ----------
    objective
        The scalar L.
    context
        The forward pass and what the objective needs to know.
    layers
        ``id`` of each call → its layers and directions as recovered.

    Returns
    -------
    dict
        ``grad.{signal}`` (T, ·) for every state, every pre-activation and the input: the total derivative through
        time; ``norm.grad.{signal}`` (T,) float64, its Euclidean norm at each step.
    str
        The precision of the former: that of the states, or float64 where float32 would have come near its underflow.

    Raises
    ------
    TraceError
        If the objective cannot be formed or does not depend on the recurrent layers.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        loss = losses.scalar(objective, context)
    if not loss.requires_grad:
        raise TraceError(
            "The objective does not depend on the recurrent layers.",
            "Choose one that does, or a model that does not detach their output.",
        )
    precision = np.dtype(np.float64 if loss.dtype == torch.float64 else np.float32)
    found, faded = _back_propagated(loss, context, layers, precision)
    if faded and precision == np.float32:
        precision = np.dtype(np.float64)
        found, _ = _back_propagated(loss, context, layers, precision)
    return found, precision.name


def _back_propagated(
    loss: Tensor, context: Context, layers: dict[int, list[RecoveredLayer]], dtype: np.dtype[Any]
) -> tuple[dict[str, Array], bool]:
    """Go back through the calls, last first, and between them through the pieces of the graph.

    Returns
    -------
    dict
        ``grad.…`` and ``norm.grad.…``.
    bool
        Whether some of them came near the underflow of float32.
    """
    roots = [_Root(loss, np.ones((), dtype))]
    found: dict[str, Array] = {}
    norms: dict[str, Array] = {}
    faded = False
    with np.errstate(all="ignore"):
        for call in reversed(context.recording.calls):
            output, *final = _upstream((call.output, *call.final), roots, dtype)
            inside = recovery.gradients(
                call,
                layers[id(call)],
                call.item(output, context.item).numpy(),
                tuple(call.state_item(state, context.item).numpy() for state in final),
            )
            roots += _ends(call, inside, context.item)
            for layer in layers[id(call)]:
                for name, array in inside.of(layer).items():
                    found[f"grad.{name}"] = array
                    norms[f"norm.grad.{name}"] = _norms(array)
                # Of the states only: the forget gate's gradient, say, is rightly zero where there is nothing to forget.
                for state in call.cell.states:
                    faded |= _fades(layer.in_time(norms[f"norm.grad.{layer.description.prefix}.{state}"]))
        found["grad.input"] = inside.input
        norms["norm.grad.input"] = _norms(inside.input)
    return found | norms, faded


def _upstream(leaves: tuple[Tensor, ...], roots: list[_Root], dtype: np.dtype[Any]) -> list[Tensor]:
    """Return dL with respect to each leaf, through all ends of the graph, on the CPU in ``dtype``."""
    sums = [torch.zeros(leaf.shape, dtype=torch.float64 if dtype == np.float64 else torch.float32) for leaf in leaves]
    for root in roots:
        # The graph may compute in float32: a gradient near its underflow goes through it multiplied by a power of two.
        largest = float(np.abs(root.gradient).max(initial=0.0))
        scale = 2.0 ** np.frexp(largest)[1] if 0 < largest < np.inf else 1.0
        entering = torch.tensor(root.gradient / scale).to(root.tensor)
        through = torch.autograd.grad(root.tensor, leaves, entering, retain_graph=True, allow_unused=True)
        for index, part in enumerate(through):
            if part is not None:
                sums[index] += part.cpu().to(sums[index].dtype) * scale
    return sums


def _ends(call: Call, inside: CallGradients, item: int) -> list[_Root]:
    """Return the ends of the pieces of the graph that feed this call, with dL with respect to them."""
    ends = []
    if call.x.requires_grad:
        whole = torch.zeros(call.x.shape, dtype=torch.from_numpy(inside.input[:0]).dtype)
        call.item(whole, item).copy_(torch.from_numpy(np.ascontiguousarray(inside.input)))
        ends.append(_Root(call.x, whole.numpy()))
    for state, gradient in zip(call.initial, inside.initial, strict=False):
        if state.requires_grad:
            whole = torch.zeros(state.shape, dtype=torch.from_numpy(gradient).dtype)
            call.state_item(whole, item).copy_(torch.from_numpy(gradient))
            ends.append(_Root(state, whole.numpy()))
    return ends


def _norms(gradient: Array) -> Array:
    """Return the Euclidean norm of each row, (T,) float64, without underflow or overflow in the squares."""
    wide = gradient.astype(np.float64)
    if gradient.dtype == np.float32:
        norms: Array = np.sqrt(np.einsum("tu,tu->t", wide, wide))
        return norms
    largest = np.abs(wide).max(axis=1, initial=0.0)
    safe = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    wide /= safe[:, None]
    scaled: Array = safe * np.sqrt(np.einsum("tu,tu->t", wide, wide))
    return scaled


def _fades(norm: Array) -> bool:
    """Return whether norms, in the order of processing, come near the underflow of float32 or end in zero."""
    positive = np.flatnonzero(norm)
    if not len(positive):
        return False
    return bool(np.abs(norm[positive]).min() < _NEAR_UNDERFLOW or (norm[: positive[-1]] == 0).any())
