"""Gradients of an objective with respect to every step: back-propagation through time and through the rest of a model.

The forward pass was cut at each recurrent module (see ``capture``). Going back, PyTorch's autograd takes the pieces
between the cuts, and each cell its own recurrence: with all local factors computed beforehand, one product a step, or
where that is faster by the fused kernels (see ``fused``). Both keep the range of float64,
which vanishing gradients need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_studio.engine import losses, recovery
from lstm_studio.engine.call import Call
from lstm_studio.engine.devices import no_autocast, no_inference, one_blas_thread
from lstm_studio.engine.losses import Context, CustomObjective
from lstm_studio.engine.mixing import mixes_items
from lstm_studio.engine.norms import row_norms_by_name
from lstm_studio.engine.objectives import Objective, ObjectiveKind
from lstm_studio.engine.recovery import Array, CallGradients, RecoveredLayer
from lstm_studio.engine.weight_gradients import weight_gradient_norms
from lstm_studio.errors import TraceError

_NEAR_UNDERFLOW = 1e-30
"""Gradients are kept in float64 where a norm lies below: float32 loses digits below 1.2e-38."""
_NEAR_OVERFLOW = 1e38
"""Likewise where a norm lies above: float32 ends at 3.4e38."""


@dataclass(frozen=True, slots=True)
class _Root:
    """Where a piece of the graph ends, and dL with respect to that end."""

    tensor: Tensor
    gradient: Array


@dataclass(frozen=True, slots=True)
class ObjectiveGradients:
    """The gradients of one objective.

    Parameters
    ----------
    arrays
        ``grad.{signal}`` (T, ·) for every state, every pre-activation and the input: the total derivative through
        time; ``norm.grad.{signal}`` (T,) float64, its Euclidean norm at each step; and ``norm.grad.{prefix}.weights``,
        the same of what each step contributes to the gradient of the layer's weights, where the kind has plain ones.
    dtype
        The precision of the former: that of the states, or float64 where a norm comes near the ends of float32.
    vanished
        (name, step) of the norms of states that turn to zero going back; as in ``Provenance``.
    """

    arrays: dict[str, Array]
    dtype: str
    vanished: tuple[tuple[str, int], ...]


def gradients_of(
    objective: Objective | CustomObjective, context: Context, layers: dict[int, list[RecoveredLayer]]
) -> ObjectiveGradients:
    """Take the gradients of one objective.

    Parameters
    ----------
    objective
        The scalar L.
    context
        The forward pass and what the objective needs to know.
    layers
        ``id`` of each call → its layers and directions as recovered.

    Raises
    ------
    TraceError
        If the objective cannot be formed or does not depend on the recurrent layers.
    """
    upstream = _Upstream(context.recording.calls)
    precision = _begun(upstream, objective, context)
    found = _back_propagated(upstream, context, layers)
    with np.errstate(all="ignore"):
        norms = row_norms_by_name({f"norm.{name}": array for name, array in found.items()})
        norms |= _weight_norms(context, layers, found, norms)
    states = _state_norms(layers)
    narrow = precision != torch.float64 and not any(_fades(norms[name]) for name in states)
    narrow = narrow and not _grows(np.concatenate([norms[f"norm.{name}"] for name in found]))
    if narrow:
        with np.errstate(all="ignore"):
            found = {name: array.astype(np.float32) for name, array in found.items()}
    zeros = {name: _zero_going_back(norms[name], reverse) for name, reverse in states.items()}
    vanished = tuple((name, step) for name, step in zeros.items() if step is not None)
    return ObjectiveGradients(found | norms, "float32" if narrow else "float64", vanished)


def _begun(upstream: _Upstream, objective: Objective | CustomObjective, context: Context) -> torch.dtype:
    """Carry the gradient from the objective into what the calls returned; return the precision of the objective."""
    if isinstance(objective, Objective) and objective.kind is ObjectiveKind.LAST_HIDDEN:
        # A sum: autograd would take its time to find the ones.
        call = context.recording.chains[-1].calls[-1]
        ones = np.zeros(call.final[0].shape)
        ones[call.layout.states(context.item)][-call.cell.sizes(call.module).directions :] = 1
        upstream.add(call.final[0], ones)
        return call.final[0].dtype
    with torch.inference_mode(mode=False), torch.enable_grad():
        loss = losses.scalar(objective, context)
    if not loss.requires_grad:
        raise TraceError(
            "The objective does not depend on the recurrent layers.",
            "Choose one that does, or a model that does not detach their output.",
        )
    upstream.enter(_Root(loss, np.ones(())))
    if loss.dtype != torch.float64 and upstream.is_doubtful():
        _begun_again(upstream, objective, context)
    return loss.dtype


def _begun_again(upstream: _Upstream, objective: Objective | CustomObjective, context: Context) -> None:
    """Take the objective in float64, where numbers on its way may have been beyond the range of float32.

    What it gave before stays if that cannot be done, or if it depends on more than what the model returned.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        found = losses.precise(objective, context)
        if found is None or upstream.reached(found.loss):
            return
        (gradient,) = torch.autograd.grad(found.loss, found.copied)
    upstream.clear()
    upstream.enter(_Root(found.output, gradient.cpu().numpy()))


def _back_propagated(
    upstream: _Upstream, context: Context, layers: dict[int, list[RecoveredLayer]]
) -> dict[str, Array]:
    """Go back through the calls, last first, and between them through the pieces of the graph; return ``grad.…``."""
    calls, item = context.recording.calls, context.item
    inside: dict[int, CallGradients] = {}
    mixes: bool | None = None
    with np.errstate(all="ignore"), one_blas_thread():
        for call in reversed(calls):
            found = recovery.gradients(call, layers[id(call)], *upstream.of(call, item))
            ends = _ends(call, found, item)
            others = upstream.others(call, item) if ends else []
            if others and mixes is None:
                mixes = mixes_items(calls, item, upstream.reached)
            if others and mixes:
                ends = _added([ends, *(_ends(call, _of_another(call, other, upstream), other) for other in others)])
            for root in ends:
                upstream.enter(root)
            inside[id(call)] = found
    parts: dict[str, list[Array]] = {}
    for chain in context.recording.chains:
        for call in chain.calls:
            for layer in layers[id(call)]:
                for name, array in inside[id(call)].of(layer).items():
                    parts.setdefault(f"grad.{name}", []).append(array)
    parts["grad.input"] = [inside[id(call)].input for call in context.recording.chains[0].calls]
    return {name: arrays[0] if len(arrays) == 1 else np.concatenate(arrays) for name, arrays in parts.items()}


def _of_another(call: Call, item: int, upstream: _Upstream) -> CallGradients:
    """Back-propagate through a call for an item of the batch that is not traced."""
    with no_inference(), torch.no_grad(), no_autocast(call.x.device):
        layers = recovery.recover(call, item, call.path)
    return recovery.gradients(call, layers, *upstream.of(call, item))


def _added(ends: list[list[_Root]]) -> list[_Root]:
    """Return the ends of a call with the sum of what several items bring."""
    return [_Root(same[0].tensor, np.sum([root.gradient for root in same], axis=0)) for same in zip(*ends, strict=True)]


def _weight_norms(
    context: Context, layers: dict[int, list[RecoveredLayer]], found: dict[str, Array], norms: dict[str, Array]
) -> dict[str, Array]:
    more = {}
    for chain in context.recording.chains:
        for parts in zip(*(layers[id(call)] for call in chain.calls), strict=True):
            norm = weight_gradient_norms(chain.calls[0].cell, list(parts), found, norms)
            if norm is not None:
                more[f"norm.grad.{parts[0].description.prefix}.weights"] = norm
    return more


def _state_norms(layers: dict[int, list[RecoveredLayer]]) -> dict[str, bool]:
    """Return the names of the norms that may not turn to zero unnoticed, and whether they belong to a reverse layer.

    Those of the states only: the forget gate's gradient, say, is rightly zero where there is nothing to forget.
    """
    return {
        f"norm.grad.{layer.description.prefix}.{state}": layer.reverse
        for recovered in layers.values()
        for layer in recovered
        for state in layer.states
    }


class _Upstream:
    """dL with respect to what each call returned, in float64, gathered from the ends of the graph that depend on it."""

    def __init__(self, calls: list[Call]) -> None:
        self._leaves = {id(leaf): leaf for call in calls for leaf in call.leaves}
        self._sums: dict[int, Array] = {}

    def enter(self, root: _Root) -> None:
        """Carry the gradient of one end back through its piece of the graph."""
        leaves = self.reached(root.tensor)
        if not leaves:
            return
        # The graph may compute in float32: a gradient near its underflow goes through it multiplied by a power of two.
        largest = float(np.abs(root.gradient).max(initial=0.0))
        scale = 2.0 ** np.frexp(largest)[1] if 0 < largest < np.inf else 1.0
        # As a sum of products, whose derivative is the same: before autograd takes one that enters in the middle, it
        # loads symbolic mathematics, a third of a second in the first trace.
        with no_inference(), torch.enable_grad():
            products = (root.tensor * torch.tensor(root.gradient / scale).to(root.tensor)).sum()
        try:
            through = torch.autograd.grad(products, leaves, retain_graph=True)
        except RuntimeError as error:
            raise TraceError(
                f"PyTorch cannot go back through what the model does beside its recurrent layers "
                f"({str(error).splitlines()[0][:200]}).",
                "Switch off what computes parts again on the way back, such as torch.utils.checkpoint, "
                "or trace it with gradients=False.",
            ) from error
        for leaf, part in zip(leaves, through, strict=True):
            self.add(leaf, part.cpu().to(torch.float64).numpy() * scale)

    def is_doubtful(self) -> bool:
        """Return whether a number so far is not finite, or too small to have all digits of float32, or all are zero."""
        every = [np.abs(part) for part in self._sums.values()]
        least = float(np.finfo(np.float32).tiny)
        lost = any(not np.isfinite(part).all() or ((part > 0) & (part < least)).any() for part in every)
        return lost or not any(part.any() for part in every)

    def clear(self) -> None:
        """Forget what was gathered so far."""
        self._sums.clear()

    def add(self, leaf: Tensor, part: Array) -> None:
        """Add a part of dL with respect to a leaf, in float64."""
        before = self._sums.get(id(leaf))
        self._sums[id(leaf)] = part if before is None else before + part

    def of(self, call: Call, item: int) -> tuple[Array, tuple[Array, ...]]:
        """Return dL with respect to the output (T, D·P) and the final states, each (L·D, ·), of one item."""
        final = tuple(self._sum(state)[call.layout.states(item)] for state in call.final)
        if call.layout.single_step:
            # The first state is the output itself, which counts once.
            return final[0], (np.zeros_like(final[0]), *final[1:])
        return self._sum(call.output)[_on_cpu(call.layout.rows(item))], final

    def others(self, call: Call, item: int) -> list[int]:
        """Return the other items of the batch for which something of dL was gathered."""
        layout, there = call.layout, []
        if layout.items == 1:
            return []
        for leaf, rows in ((call.output, layout.rows), *((state, layout.states) for state in call.final)):
            whole = self._sums.get(id(leaf))
            if whole is not None and whole.any():
                there.append((whole, rows))
        every = (other for other in range(layout.items) if other != item)
        return [other for other in every if any(whole[_on_cpu(rows(other))].any() for whole, rows in there)]

    def _sum(self, leaf: Tensor) -> Array:
        found = self._sums.get(id(leaf))
        return np.zeros(leaf.shape) if found is None else found

    def reached(self, tensor: Tensor) -> list[Tensor]:
        """Return the leaves that a tensor depends on; asking autograd about all of them costs too much in a loop."""
        if id(tensor) in self._leaves:
            return [tensor]
        reached, seen, left = [], set(), [tensor.grad_fn]
        while left:
            node = left.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            leaf = self._leaves.get(id(getattr(node, "variable", None)))
            if leaf is not None:
                reached.append(leaf)
            left += [before for before, _ in node.next_functions]
        return reached


def _ends(call: Call, inside: CallGradients, item: int) -> list[_Root]:
    """Return the ends of the pieces of the graph that feed this call, with dL with respect to them."""
    ends = []
    if call.x.requires_grad:
        ends.append(_Root(call.x, _placed(call.x, call.layout.rows(item), inside.input)))
    for state, gradient in zip(call.initial, inside.initial, strict=False):
        if state.requires_grad:
            ends.append(_Root(state, _placed(state, call.layout.states(item), gradient)))
    return ends


def _placed(tensor: Tensor, index: Any, gradient: Array) -> Array:
    """Return zeros shaped as ``tensor`` with the gradient of one item in its place."""
    whole = np.zeros(tensor.shape)
    whole[_on_cpu(index)] = gradient
    return whole


def _on_cpu(index: Any) -> Any:
    """Return an index of tensors as one of arrays."""
    return index.cpu().numpy() if isinstance(index, Tensor) else index


def _fades(norm: Array) -> bool:
    """Return whether norms come near the underflow of float32, or some but not all are zero."""
    if norm.min() >= _NEAR_UNDERFLOW:
        return False
    positive = norm[norm > 0]
    return bool(len(positive) and (positive.min() < _NEAR_UNDERFLOW or (norm == 0).any()))


def _grows(norm: Array) -> bool:
    """Return whether finite norms come near the overflow of float32."""
    if norm.max() <= _NEAR_OVERFLOW:
        return False
    return bool(((norm > _NEAR_OVERFLOW) & np.isfinite(norm)).any())


def _zero_going_back(norm: Array, reverse: bool) -> int | None:
    """Return the first step, against the order of processing, at which a norm is zero that was not zero before."""
    if norm.all():
        return None
    processed = norm[::-1] if reverse else norm
    positive = np.flatnonzero(processed)
    zero = np.flatnonzero(processed[: positive[-1]] == 0) if len(positive) else positive
    if not len(zero):
        return None
    step = int(zero[-1])
    return len(norm) - 1 - step if reverse else step
