"""What if: go on from a step of a trace with a gate or a state held, units switched off, or another event.

Everything before the step is the trace itself. Layers that nothing reaches stay as they are; those whose input alone
has changed go on through the fused kernel, from the states that the trace had; those in which something is held are
computed step by step, or by that kernel with weights that hold it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from lstm_studio.arguments import each, mapping, number, shown, whole_number, wrong, yes_or_no
from lstm_studio.engine import tracing
from lstm_studio.engine.branch_gradients import branch_gradients
from lstm_studio.engine.devices import one_blas_thread
from lstm_studio.engine.losses import CustomObjective
from lstm_studio.engine.recovery import TOLERANCES
from lstm_studio.engine.recurrences import network_of, refuse_dropout
from lstm_studio.engine.trace import Origin, Trace
from lstm_studio.errors import TraceError
from lstm_studio.networks.cell import Cell, Layer
from lstm_studio.networks.cells import cell_of_kind, cell_of_module
from lstm_studio.networks.deferred import Arrays, Deferred, computed, first_steps, one_after_the_other, parts_of
from lstm_studio.networks.network import Network

Array = NDArray[Any]
Events = Mapping[int, ArrayLike | Mapping[int, float]]

_WORTH_A_CALL = 32
"""Steps from which on it is worth giving the fused kernel other weights."""
_DTYPES = {"float32": torch.float32, "float64": torch.float64}
_CLAMP = "Give signal → unit → value, {'lstm.0.forget_gate': {3: 1.0}}."
_ABLATE = "Give layer → units, {'lstm.0': [3, 5]}."
_EVENTS = "Give step → the values of all features, or feature → value, {40: {2: 1.0}}."


def resume(
    trace: Trace,
    at: int,
    *,
    clamp: Mapping[str, Mapping[int, float]] | None = None,
    ablate: Mapping[str, Sequence[int]] | None = None,
    events: Events | None = None,
    until: int | None = None,
    network: Network | nn.Module | None = None,
    gradients: bool = False,
    objective: str | CustomObjective | None = None,
) -> Trace:
    """Go on from a step of a trace, with something changed; everything before it is as it was.

    Without any change the network runs again over the same sequence, for the same arrays to the last bit (a trace that
    was loaded, or is a branch itself, is returned as it is). With a change the network has to be a :class:`Network` or
    a bare recurrent module, and to run forwards only; from step 0 it has to have started with states of zero.

    Parameters
    ----------
    trace
        Where to start from; one that was resumed itself may be resumed again, from a later step, say.
    at
        The first step that may be different, from 0.
    clamp
        Signal → unit → the value at which it is held, ``{"lstm.0.forget_gate": {3: 1.0}}``. What follows from the
        signal in the same step follows from that value; its own pre-activation does not.
    ablate
        Layer → units to switch off: their states are held at zero, ``{"lstm.0": [3, 5]}``.
    events
        Step → the values of all features, or feature → value, from ``at`` on: ``{40: {2: 1.0}}``.
    until
        The first step at which nothing is held any more; None for the end. ``at + 1`` sets a value once.
    network
        The network; None for the one that the trace remembers.
    gradients
        Whether to take gradients of what is changed. What is held is constant: it has no gradient and passes none on.
    objective
        The scalar L of which they are taken, as in ``ls.trace``; None for that of the trace, or its default.

    Returns
    -------
    Trace
        Over the same steps, with all signals, the input and the output, and if asked for the gradients. After a change
        it has no memory curves: those are of the network as it is.

    Raises
    ------
    TraceError
        If a step, signal, unit or feature is not there, the network is missing or not the one of the trace, it is of a
        kind in which nothing can be held, or it does something else now: its sequence or its mode was changed, or it
        drops out at random.
    """
    given = network_of(trace, network)
    at = whole_number("at", at, TraceError, most=trace.steps - 1)
    if until is not None:
        until = whole_number("until", until, TraceError, least=at + 1)
    gradients = yes_or_no("gradients", gradients, TraceError)
    if objective is not None:
        tracing.chosen_objective(objective, has_target=False)
    clamp = mapping("clamp", {} if clamp is None else clamp, TraceError, _CLAMP)
    ablate = mapping("ablate", {} if ablate is None else ablate, TraceError, _ABLATE)
    events = mapping("events", {} if events is None else events, TraceError, _EVENTS)
    held = _held(trace, clamp, ablate)
    if not held and not events:
        return _again(trace, given, {"gradients": True, "objective": objective} if gradients else {})
    refuse_dropout(trace)
    whole = _as_network(given)
    x = _edited(trace["input"], events, at)
    if whole.cell.can_step:
        stop = trace.steps if until is None else min(until, trace.steps)
        if at == 0 and not trace.provenance.intervention:
            _check_start(trace, whole)
        with one_blas_thread():
            arrays = _branched(trace, whole, x, _Held(held, at, stop))
    elif held:
        raise TraceError(
            f"This {whole.cell.title} is not computed step by step: nothing in it can be held.",
            "Change the events that it receives instead.",
        )
    else:
        again = tracing.trace(given, x, gradients=False, dtype=trace.provenance.dtype)
        arrays = {name: np.concatenate((trace[name][:at], array[at:])) for name, array in again.arrays.items()}
    before = trace.origin
    where = _held_steps(trace, held, at, trace.steps if until is None else min(until, trace.steps))
    target = None if before is None else before.target
    if objective is None and before is not None:
        objective = before.arguments.get("objective")
    branch = Trace(
        Arrays(arrays),
        trace.layers,
        replace(
            trace.provenance,
            objective="",
            gradient_dtype="",
            vanished=(),
            non_finite=tracing.non_finite(arrays, []),
            intervention=_in_words(trace, held, x, at, until),
        ),
        Origin(
            *(given, x, {"gradients": False, "objective": objective, "dtype": trace.provenance.dtype}), target, where
        ),
    )
    return with_gradients(branch) if gradients else branch


def with_gradients(branch: Trace, objective: str | CustomObjective | None = None) -> Trace:
    """Return a branch with its gradients, as ``resume(gradients=True)`` does; all other arrays are the same objects.

    Parameters
    ----------
    branch
        What :func:`resume` returned for a change.
    objective
        As there.

    Raises
    ------
    TraceError
        If the branch is from a file, or the objective cannot be formed.
    """
    origin = branch.origin
    if origin is None or not branch.provenance.intervention:
        raise TraceError(
            "Only what resume returned for a change, in this process, has gradients of its own.",
            "Resume the recorded trace again.",
        )
    whole = _as_network(origin.network)
    if objective is None:
        objective = origin.arguments.get("objective")
    wanted = tracing.chosen_objective(objective, has_target=origin.target is not None and bool(whole.readout_kind))
    with one_blas_thread():
        found = branch_gradients(
            *(whole, branch.layers, branch.arrays, origin.held),
            objective=wanted,
            target=origin.target,
            dtype=_DTYPES[branch.provenance.dtype],
        )
    arrays = Arrays({**parts_of(branch.arrays), **found.arrays})
    return replace(
        branch,
        arrays=arrays,
        provenance=replace(
            branch.provenance,
            objective=tracing.in_words(wanted),
            gradient_dtype=found.dtype,
            vanished=found.vanished,
            non_finite=tracing.non_finite(arrays, []),
        ),
    )


def _held_steps(
    trace: Trace, held: Mapping[str, Mapping[str, Mapping[int, float]]], at: int, stop: int
) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Return layer → signal → (T, ·), where it is held now, or was in the branch that this one goes on from."""
    earlier = {} if trace.origin is None else trace.origin.held
    found: dict[str, dict[str, NDArray[np.bool_]]] = {}
    for prefix, signals in earlier.items():
        for name, where in signals.items():
            found.setdefault(prefix, {})[name] = where & (np.arange(len(where)) < at)[:, None]
    for prefix, own in held.items():
        for name, units in own.items():
            none = np.zeros(trace[f"{prefix}.{name}"].shape, np.bool_)
            mask = found.setdefault(prefix, {}).setdefault(name, none)
            mask[at:stop, list(units)] = True
    return found


@dataclass(frozen=True, slots=True)
class _Held:
    """What is held, layer → signal → unit → value, from which step on, and from which on no more."""

    values: Mapping[str, Mapping[str, Mapping[int, float]]]
    at: int
    stop: int


def _branched(trace: Trace, network: Network, x: Array, held: _Held) -> dict[str, Array | Deferred]:
    """Return all arrays of the branch, layer by layer from the input up."""
    at, dtype = held.at, _DTYPES[trace.provenance.dtype]
    arrays: dict[str, Array | Deferred] = {"input": x}
    entering, changed = x, not np.array_equal(x, trace["input"], equal_nan=True)
    for index, layer in enumerate(trace.layers):
        names = {signal.name: f"{layer.prefix}.{signal.name}" for signal in layer.signals}
        own = held.values.get(layer.prefix)
        if not changed and not own:
            # The very arrays, by which others know that nothing has changed.
            arrays |= {name: trace[name] for name in names.values()}
            entering = trace[names[network.cell.states[0]]]
            continue
        weights = network.cell.layer(network.recurrent, index, False).map(lambda weight: weight.to("cpu", dtype))
        before = {short: parts_of(trace.arrays)[name] for short, name in names.items()}
        begin = _after(network, before, max(at - 1, 0))
        begin = begin if at else tuple(np.zeros_like(state) for state in begin)
        first, later = at, [{short: first_steps(at, signal) for short, signal in before.items()}]
        if own:
            first = held.stop
            later.append(_gone_on(network.cell, weights, entering[at:first], begin, own))
            begin = _after(network, later[-1], -1)
        if first < len(entering):
            later.append(_gone_on(network.cell, weights, entering[first:], begin, {}))
        signals = {short: one_after_the_other([part[short] for part in later]) for short in names}
        changed = True
        arrays |= {names[short]: signal for short, signal in signals.items()}
        entering = computed(signals[network.cell.states[0]])
    if network.readout is not None:
        arrays["output"] = np.concatenate((trace["output"][:at], _output(network, entering[at:], dtype)))
    return arrays


def _after(network: Network, signals: Mapping[str, Array | Deferred], step: int) -> tuple[Array, ...]:
    """Return what goes on from a step; what is deferred is derived from it, and never goes on."""
    now = {name: signal[step] for name, signal in signals.items() if not isinstance(signal, Deferred)}
    return network.cell.states_after(network.recurrent, now)


@torch.no_grad()
def _fused(cell: Cell, weights: Layer[Tensor], entering: Array, begin: tuple[Array, ...]) -> dict[str, Array]:
    x, initial = torch.tensor(entering), tuple(torch.tensor(state) for state in begin)
    h = cell.run([weights], x, tuple(state.unsqueeze(0) for state in initial))
    return {**cell.recover(weights, x, h, initial).signals, cell.states[0]: h.numpy()}


def _gone_on(
    cell: Cell,
    weights: Layer[Tensor],
    x: Array,
    begin: tuple[Array, ...],
    held: Mapping[str, Mapping[int, float]],
) -> dict[str, Array | Deferred]:
    """Compute all steps with the held values in their places, by the fused kernel or one after the other."""
    values = {name: (list(units), list(units.values())) for name, units in held.items()}
    with np.errstate(all="ignore"):
        if len(x) >= _WORTH_A_CALL:
            found = cell.by_kernel(weights, torch.tensor(x), tuple(torch.tensor(state) for state in begin), values)
            if found is not None:
                return dict(found)
        if not held:
            return {**_fused(cell, weights, x, begin)}
        matrices = weights.map(lambda weight: np.asarray(weight.numpy()))
        return {**cell.by_hand(matrices, cell.entering(matrices, x), begin, values)}


@torch.no_grad()
def _output(network: Network, hidden: Array, dtype: torch.dtype) -> Array:
    if network.readout is None:
        raise TypeError("the network has no read-out")
    readout = copy.deepcopy(network.readout).to("cpu", dtype)
    output = readout(torch.tensor(hidden))
    return np.asarray((output.softmax(-1) if network.readout_kind == "classes" else output).numpy())


def _in_words(
    trace: Trace, held: Mapping[str, Mapping[str, Mapping[int, float]]], x: Array, at: int, until: int | None
) -> str:
    """Return what is changed, after what was changed before."""
    words = [
        f"{prefix}.{signal}[{unit}] = {value:g}"
        for prefix, signals in held.items()
        for signal, units in signals.items()
        for unit, value in units.items()
    ]
    before = trace["input"]
    steps = np.flatnonzero(((x != before) & ~(np.isnan(x) & np.isnan(before))).any(axis=1))
    words += [f"input[{step}] changed" for step in steps]
    span = f"from step {at}" if until is None else f"in steps {at} to {until - 1}"
    earlier = f"{trace.provenance.intervention}; " if trace.provenance.intervention else ""
    return f"{earlier}{span}: {', '.join(words)}"


def _again(trace: Trace, given: Network | nn.Module, wanted: Mapping[str, Any]) -> Trace:
    """Run the network again on the same sequence; a trace from a file, or itself a branch, already is the answer."""
    if trace.origin is None or trace.provenance.intervention:
        return trace
    chosen = {name: value for name, value in wanted.items() if value is not None}
    again = tracing.trace(given, trace.origin.sequence, **{**trace.origin.arguments, **chosen})
    # All else follows from these and the weights, which are known to be the same.
    states = [f"{layer.prefix}.{cell_of_kind(layer.kind).states[0]}" for layer in trace.layers]
    for name in ("input", *states):
        if name not in again or not _are_alike(again[name], trace[name], trace):
            raise TraceError(
                f"{name} is no longer what the trace has: the sequence or the mode of the network was changed, or "
                "something is dropped out at random.",
                "Call model.eval(), and trace again.",
            )
    return again


def _check_start(trace: Trace, network: Network) -> None:
    """Raise unless the first step follows from states of zero: what else it began with a trace does not tell."""
    entering, dtype = trace["input"][:1], _DTYPES[trace.provenance.dtype]
    for index, layer in enumerate(trace.layers):
        signals = {signal.name: trace[f"{layer.prefix}.{signal.name}"][:1] for signal in layer.signals}
        weights = network.cell.layer(network.recurrent, index, False).map(lambda weight: weight.to("cpu", dtype))
        begin = tuple(np.zeros_like(state) for state in _after(network, signals, 0))
        state = network.cell.states[0]
        if not _are_alike(_fused(network.cell, weights, entering, begin)[state], signals[state], trace):
            raise TraceError(
                f"{layer.prefix} did not start with states of zero, and the trace does not tell with which.",
                "Begin the change at step 1 or later.",
            )
        entering = signals[state]


def _are_alike(one: Array, other: Array, trace: Trace) -> bool:
    """Return whether arrays are the same but for rounding."""
    tolerance = TOLERANCES[trace.provenance.dtype]
    return one.shape == other.shape and np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _as_network(given: Network | nn.Module) -> Network:
    if isinstance(given, nn.Module):
        if cell_of_module(given) is None:
            raise TraceError(
                f"{type(given).__name__} is neither a Network nor a bare recurrent module.",
                "Resume the trace of one that ls.new_network or ls.open_network returned.",
            )
        given = Network(given)
    if given.sizes.bidirectional:
        raise TraceError(
            "The network also runs backwards: what changes at a step changes the steps before it too.",
            "Resume the trace of a network that runs forwards only.",
        )
    return given


def _held(
    trace: Trace, clamp: Mapping[str, Mapping[int, float]], ablate: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, dict[int, float]]]:
    """Return layer → signal → unit → value.

    Raises
    ------
    TraceError
        If there is no such layer, signal or unit.
    """
    held: dict[str, dict[str, dict[int, float]]] = {}
    layers = {layer.prefix: layer for layer in trace.layers}
    known = {
        f"{layer.prefix}.{signal.name}": (layer.prefix, signal.name)
        for layer in trace.layers
        for signal in layer.signals
    }
    for name, units in clamp.items():
        if name not in known:
            raise TraceError(f"There is no signal {name!r} to hold.", f"Choose one of {', '.join(known)}.")
        mapping(f"clamp: {name}", units, TraceError, _CLAMP)
        _check_units(name, units, trace[name].shape[1])
        values = {
            int(unit): number(f"clamp: unit {unit} of {name}", value, TraceError) for unit, value in units.items()
        }
        prefix, signal = known[name]
        if units:
            held.setdefault(prefix, {}).setdefault(signal, {}).update(values)
    for prefix, those in ablate.items():
        if prefix not in layers:
            raise TraceError(f"There is no layer {prefix!r}.", f"Choose one of {', '.join(layers)}.")
        layer = layers[prefix]
        off = list(each(f"ablate: {prefix}", those, TraceError, _ABLATE))
        _check_units(prefix, off, layer.units)
        for state in cell_of_kind(layer.kind).states:
            # A projected hidden state has no units of its own: it is without them once the cell state is.
            if off and trace[f"{prefix}.{state}"].shape[1] == layer.units:
                held.setdefault(prefix, {}).setdefault(state, {}).update(dict.fromkeys(off, 0.0))
    return held


def _check_units(name: str, units: Mapping[int, float] | Sequence[int], count: int) -> None:
    for unit in units:
        if not _is_whole(unit) or not 0 <= unit < count:
            raise TraceError(f"{name} has no unit {shown(unit)}.", f"Choose units from 0 to {count - 1}.")


def _edited(x: Array, events: Events, at: int) -> Array:
    """Return the input with some events changed.

    Raises
    ------
    TraceError
        If a step or feature is not there, or lies before ``at``.
    """
    edited = x.copy()
    steps, features = x.shape
    for step, event in events.items():
        if not _is_whole(step) or not at <= step < steps:
            raise TraceError(
                f"The event at step {shown(step)} is not between step {at}, where the branch begins, and {steps - 1}.",
                "Change events from there on only, or begin earlier.",
            )
        if isinstance(event, Mapping):
            for feature, value in event.items():
                if not _is_whole(feature) or not 0 <= feature < features:
                    raise TraceError(f"An event has no feature {shown(feature)}.", f"Choose from 0 to {features - 1}.")
                edited[step, feature] = number(f"events: feature {feature} at step {step}", value, TraceError)
            continue
        try:
            values = np.asarray(event, x.dtype)
        except (TypeError, ValueError) as error:
            raise wrong(f"The event at step {step}", event, TraceError, "Give a number for every feature.") from error
        if values.shape != (features,):
            raise TraceError(f"The event at step {step} is {values.shape}, not ({features},).", "Give every feature.")
        edited[step] = values
    return edited
