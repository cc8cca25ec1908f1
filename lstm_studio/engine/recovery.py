"""What happened inside one recurrent module: its signals recovered, and its gradients through time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_studio.engine import fused, rescaled
from lstm_studio.engine.call import Call
from lstm_studio.engine.dropout import passed_on
from lstm_studio.engine.trace import TraceLayer
from lstm_studio.errors import TraceError
from lstm_studio.networks.bounds import Rounding
from lstm_studio.networks.cell import Cell, Gradients, HeldSteps, Layer
from lstm_studio.networks.deferred import Arrays, Deferred, parts_of
from lstm_studio.networks.naming import layer_prefix

Array = NDArray[Any]

TOLERANCES = {"float32": 1e-4, "float64": 1e-10}
"""Largest recovery error, relative to the largest hidden state where that exceeds 1."""
_TOLERANCES = {np.dtype(name): tolerance for name, tolerance in TOLERANCES.items()}


@dataclass(frozen=True, slots=True)
class RecoveredLayer:
    """One layer and direction of one call.

    Parameters
    ----------
    description
        Its prefix and signals.
    weights
        As tensors on the module's device.
    signals
        Declared name → (T, ·) array, in the order of processing.
    reverse
        Whether that is against the order of time.
    states
        The signals that are carried from step to step.
    error
        max |recomputed hidden state − the module's own|, as far as no rounding of large sums explains it.
    entering
        (T, F), its input in the order of processing.
    initial
        One (P,) or (H,) tensor per state, before the first step.
    passed
        (T, D·P), in the order of time: what dropout multiplied the hidden states of both directions with on the way to
        the layer above; None where nothing did.
    held
        Where signals were held, in a branch.
    finite
        Whether all signals are known to be finite.
    """

    description: TraceLayer
    weights: Layer[Tensor]
    signals: Mapping[str, Array]
    reverse: bool
    states: tuple[str, ...]
    error: float
    entering: Tensor
    initial: tuple[Tensor, ...]
    passed: Array | None = None
    held: HeldSteps = field(default_factory=dict)
    finite: bool = False

    def in_time(self, array: Array) -> Array:
        """Return an array in the order of processing in the order of time, or the other way round."""
        return array[::-1] if self.reverse else array

    def parts_in_time(self) -> dict[str, Array | Deferred]:
        """Return the signals in the order of time, by full name, without computing any."""
        parts = parts_of(self.signals).items()
        if not self.reverse:
            return {f"{self.description.prefix}.{name}": part for name, part in parts}
        return {
            f"{self.description.prefix}.{name}": part.backwards() if isinstance(part, Deferred) else part[::-1]
            for name, part in parts
        }


def joined(parts: list[list[RecoveredLayer]]) -> list[RecoveredLayer]:
    """Return the layers of all calls of a chain as if it were one call.

    Parameters
    ----------
    parts
        What :func:`recover` returned for each call, in order.
    """
    if len(parts) == 1:
        return parts[0]
    whole = []
    for same in zip(*parts, strict=True):
        first = same[0]
        signals = {name: np.concatenate([part.signals[name] for part in same]) for name in first.signals}
        error, finite = max(part.error for part in same), all(part.finite for part in same)
        description = replace(first.description, changed=_are_changed(list(same)))
        whole.append(replace(first, description=description, signals=Arrays(signals), error=error, finite=finite))
    return whole


def _are_changed(parts: list[RecoveredLayer]) -> bool:
    """Return whether a part starts with other states than the one before ended with."""
    for place, state in enumerate(parts[0].states):
        ended = np.stack([part.signals[state][-1] for part in parts[:-1]])
        started = torch.stack([part.initial[place] for part in parts[1:]])
        tolerance = _TOLERANCES[ended.dtype]
        if not np.allclose(_to_numpy(started), ended, rtol=tolerance, atol=tolerance, equal_nan=True):
            return True
    return False


def recover(call: Call, item: int, path: str, *, tolerance: float | None = None) -> list[RecoveredLayer]:
    """Recover the signals of all layers and directions, from the input up, forward before reverse.

    Parameters
    ----------
    call
        The call.
    item
        Which sequence of the batch.
    path
        That of its chain.
    tolerance
        In place of :data:`TOLERANCES`, for hidden states that were computed in less than their precision.

    Raises
    ------
    TraceError
        If what is recovered does not explain the hidden states that the module returned.
    """
    module, cell = call.holder, call.cell
    sizes = cell.sizes(module)
    directions, top = sizes.directions, sizes.layers - 1
    out = cell.output_size(module)
    x = call.input(item).detach()
    initial = _initial(call, item, sizes.layers * directions)
    declared = cell.signals(module)
    usual = {option.name: option.default for option in cell.options}
    options = {name: value for name, value in cell.module_options(module).items() if value != usual.get(name)}
    dropped = passed_on(call, item)
    weights = [cell.layer(module, row // directions, row % directions == 1) for row in range(sizes.layers * directions)]
    places = [layer.input.data_ptr() for layer in weights]
    # Layers that share a matrix cannot be told apart by it.
    kept = [call.kept.get(place) if call.kept and places.count(place) == 1 else None for place in places]
    recovered = []
    for index in range(sizes.layers):
        first = index * directions
        rows = slice(first, first + directions)
        passed = dropped[index] if index < len(dropped) else None
        above = None if index == top else kept[first + directions]
        if index == top:
            both = call.hidden(item).detach()
        elif passed is not None:
            both = passed.hidden
        elif above is not None:
            both = above.entering.detach().squeeze(1)
        else:
            both = cell.run(weights[rows], x, tuple(state[rows] for state in initial))
        factor = None if passed is None else _to_numpy(passed.factor)
        for direction, layer in enumerate(weights[rows]):
            reverse = direction == 1
            h = both[:, direction * out : (direction + 1) * out]
            entering = x.flip(0) if reverse else x
            h = h.flip(0) if reverse else h
            start = tuple(state[first + direction] for state in initial)
            own = _to_numpy(h)
            prefix = layer_prefix(path, cell.kind, index, reverse)
            description = TraceLayer(prefix, cell.kind, cell.title, sizes.hidden_size, declared, options)
            left = kept[first + direction]
            found = None if left is None else cell.recover_kept(layer, entering, h, start, left.block)
            error = np.inf if found is None else _distance(found.hidden_state, own)
            # Nor is what was kept taken where a number is not finite, which the equations show step by step.
            if found is None or not error <= _TOLERANCES[own.dtype]:
                found = cell.recover(layer, entering, h, start)
                error = _difference(found.hidden_state, own)
            parts: dict[str, Array | Deferred] = {**found.signals, **found.later, cell.states[0]: own}
            signals = Arrays({signal.name: parts[signal.name] for signal in declared})
            if not _is_close(error, own, tolerance):
                no, went = _unexplained(call, description, error, signals), (entering, h, start)
                error = _beyond_rounding(cell, layer, went, found.hidden_state, tolerance=tolerance, refusal=no)
            about = (description, layer, signals, reverse, cell.states, error, entering, start, factor)
            recovered.append(RecoveredLayer(*about, finite=found.finite))
        x = both if passed is None else both * passed.factor
    return recovered


@dataclass(frozen=True, slots=True)
class CallGradients:
    """Total derivatives of L for one call, in float64.

    Parameters
    ----------
    signals
        Full canonical name, without ``grad.`` → (T, ·) array in the order of time.
    input
        (T, F).
    initial
        One (L·D, P or H) array per state.
    """

    signals: dict[str, Array]
    input: Array
    initial: tuple[Array, ...]

    def of(self, layer: RecoveredLayer) -> dict[str, Array]:
        """Return the part of ``signals`` that belongs to one layer and direction, in the order of its signals."""
        names = (f"{layer.description.prefix}.{signal.name}" for signal in layer.description.signals)
        return {name: self.signals[name] for name in names if name in self.signals}


def gradients(
    call: Call, layers: list[RecoveredLayer], output: Array, final: tuple[Array, ...], *, quick: bool = False
) -> CallGradients:
    """Back-propagate through all layers and directions of one call.

    Parameters
    ----------
    call
        The call.
    layers
        What :func:`recover` returned for it.
    output
        (T, D·P) float64: dL with respect to what the module returned.
    final
        One (L·D, P or H) float64 array per state: dL with respect to the final states that the module returned.
    quick
        Whether the rounding of float32 will do, for the sake of time.
    """
    sizes = call.cell.sizes(call.module)
    out = call.cell.output_size(call.module)
    named: dict[str, Array] = {}
    initial = tuple(np.empty_like(state) for state in final)
    upstream = output
    for index in reversed(range(sizes.layers)):
        below: Array | None = None
        passed = layers[index * sizes.directions].passed
        upstream = upstream if passed is None else upstream * passed
        for direction in range(sizes.directions):
            row = index * sizes.directions + direction
            layer = layers[row]
            entering = layer.in_time(upstream[:, direction * out : (direction + 1) * out])
            ends = np.ascontiguousarray(entering), tuple(state[row] for state in final)
            found = _through_time(call, layer, *ends, quick=quick)
            for name, array in found.signals.items():
                named[f"{layer.description.prefix}.{name}"] = layer.in_time(array)
            for state, value in zip(initial, found.initial, strict=True):
                state[row] = value
            through = layer.in_time(found.input)
            below = through if below is None else below + through
        if below is None:
            raise TypeError(f"{call.path} has no directions")
        upstream = below
    return CallGradients(named, upstream, initial)


def _through_time(
    call: Call, layer: RecoveredLayer, upstream: Array, final: tuple[Array, ...], *, quick: bool
) -> Gradients:
    """Back-propagate through one layer and direction, the way that is faster where it ran."""
    if fused.is_faster(layer.entering.device, call.module):
        return fused.gradients(
            layer.weights, layer.entering, layer.initial, layer.signals, upstream=upstream, final=final
        )
    weights = layer.weights.map(_to_numpy)
    if quick and rescaled.is_enough(call.module, weights):
        found = rescaled.gradients(weights, layer.signals, upstream, final)
        if found is not None:
            return found
    return call.cell.gradients(weights, layer.signals, upstream, final, layer.held)


def _initial(call: Call, item: int, rows: int) -> tuple[Tensor, ...]:
    """Return the states before the first step of one item, each (L·D, P or H)."""
    if call.initial:
        return tuple(call.state(state, item).detach() for state in call.initial)
    return tuple(state.new_zeros((rows, state.shape[-1])) for state in call.final)


def _difference(recomputed: Array, own: Array) -> float:
    """Return max |recomputed − own| over finite entries."""
    difference = _distance(recomputed, own)
    if not np.isfinite(difference):
        both = np.isfinite(recomputed) & np.isfinite(own)
        difference = float(np.abs(recomputed[both] - own[both]).max(initial=0.0))
    return difference


def _distance(recomputed: Array, own: Array) -> float:
    """Return max |recomputed − own|, which is not finite where an entry of one of them is not."""
    with np.errstate(all="ignore"):
        apart = recomputed - own
        return float(max(apart.max(), -apart.min()))


def _beyond_rounding(
    cell: Cell,
    layer: Layer[Tensor],
    went: tuple[Tensor, Tensor, tuple[Tensor, ...]],
    recomputed: Array,
    *,
    tolerance: float | None,
    refusal: TraceError,
) -> float:
    """Return how far hidden states are from what the equations give, however large sums are rounded off on the way.

    Of a hidden state that may be rounded off by less than what is allowed, that is how far it is from the module's own;
    of any other, how far the farther one of both is from the bounds within which all roundings lie. Each step is taken
    from the module's own hidden state before it, so that no step excuses the next.

    Parameters
    ----------
    cell, layer
        The kind and the weights.
    went
        What entered, the module's own hidden states, and the initial ones, in the order of processing.
    recomputed
        The hidden states as recovered.
    tolerance
        As for :func:`recover`.
    refusal
        What is raised where that is more than is allowed, too.
    """
    entering, h, initial = went
    own = _to_numpy(h)
    allowed = _allowed(own, tolerance)
    exact = tuple(_to_numpy(state).astype(np.float64) for state in initial)
    x, before = (_to_numpy(tensor).astype(np.float64) for tensor in (entering, h))
    before = np.concatenate((exact[0][None], before[:-1]))
    with np.errstate(all="ignore"):
        weights = layer.map(lambda weight: _to_numpy(weight).astype(np.float64))
        bounds = cell.reachable(weights, x, before, exact, Rounding(own.dtype, allowed))
        apart = np.abs(recomputed.astype(np.float64) - own)
        if bounds is not None:
            outside = [np.maximum(bounds.low - values, values - bounds.high) for values in (own, recomputed)]
            farther = np.maximum(np.maximum(*outside), 0)
            apart = np.where(bounds.high - bounds.low > allowed, farther, apart)
        both = np.isfinite(recomputed) & np.isfinite(own)
        beyond = float(apart[both].max(initial=0.0))
    if not _is_close(beyond, own, tolerance):
        raise refusal
    return beyond


def _allowed(own: Array, tolerance: float | None) -> float:
    """Return how far hidden states may be from the module's own."""
    tolerance = _TOLERANCES[own.dtype] if tolerance is None else tolerance
    return tolerance * max(1.0, float(np.abs(own[np.isfinite(own)]).max(initial=0.0)))


def _is_close(difference: float, own: Array, tolerance: float | None) -> bool:
    """Return whether a difference from the module's own hidden states is no more than is allowed."""
    least = _TOLERANCES[own.dtype] if tolerance is None else tolerance
    return difference <= least or difference <= _allowed(own, tolerance)


def _unexplained(call: Call, description: TraceLayer, difference: float, signals: Mapping[str, Array]) -> TraceError:
    """Explain that the recovery failed, and what is the likely cause."""
    dropout = getattr(call.module, "dropout", 0.0)
    before = [signals[signal.name] for signal in description.signals if signal.name.endswith(".preactivation")]
    largest = max((float(np.abs(array[np.isfinite(array)]).max(initial=0.0)) for array in before), default=0.0)
    # What the sum of many terms of that size is rounded off by.
    rounding = 8 * float(np.finfo(before[0].dtype).eps) * largest if before else 0.0
    if call.module.training and dropout:
        cure = f"Its layers drop out {dropout:.0%} at random while it trains: call model.eval() first."
    elif rounding >= difference:
        cure = (
            f"Its pre-activations reach {largest:.2g}, too much for the digits of {before[0].dtype}: scale the inputs"
            f"{', or trace in float64' if before[0].dtype == np.float32 else ''}."
        )
    else:
        cure = "Its hidden states do not follow from its weights and inputs: is its forward pass the ordinary one?"
    found = f"{description.prefix}: the recomputed hidden state is {difference:.2g} away from the module's own."
    return TraceError(found, cure)


def _to_numpy(tensor: Tensor) -> Array:
    array: Array = tensor.detach().cpu().numpy()
    return array
