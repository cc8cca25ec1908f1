"""What-ifs: whether one fits a result, what the engine is asked for it, and the traces that come back.

Everything heavy is imported inside the functions, so that importing this module does not load torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_studio.networks.cells import cells
from lstm_studio.networks.deferred import Arrays, parts_of
from lstm_studio.session.state import Branch, Result

if TYPE_CHECKING:
    from lstm_studio.engine.trace import Trace
    from lstm_studio.networks.network import Network

ScaledEvents = Mapping[int, Mapping[int, float]]
"""Step → feature → the value that the network receives."""


def fits(branch: Branch, result: Result) -> bool:
    """Return whether a branch speaks only of steps, features, layers, signals and units that a result has."""
    steps, features = result.sequence.steps, result.sequence.features
    if not 0 <= branch.at < steps or any(not branch.at <= step < steps for step, _ in branch.events):
        return False
    if any(not 0 <= feature < features for _, changes in branch.events for feature, _ in changes):
        return False
    if not branch.clamp and not branch.ablate:
        return True
    if not 0 <= branch.network < len(result.traces):
        return False
    layers = {layer.prefix: layer for layer in result.traces[branch.network].layers}
    widths = {
        f"{prefix}.{signal.name}": result.traces[branch.network][f"{prefix}.{signal.name}"].shape[1]
        for prefix, layer in layers.items()
        for signal in layer.signals
    }
    clamped = all(name in widths and all(0 <= unit < widths[name] for unit, _ in held) for name, held in branch.clamp)
    return clamped and all(
        prefix in layers and all(0 <= unit < layers[prefix].units for unit in units) for prefix, units in branch.ablate
    )


def can_hold(result: Result, network: int) -> bool:
    """Return whether signals of a network can be held: it is computed step by step, and forwards only."""
    if result.setup.recorded is not None:
        return False
    kinds = {layer.kind for layer in result.traces[network].layers}
    return bool(kinds) and not result.infos[network].bidirectional and all(cells()[kind].can_step for kind in kinds)


def unique_name(name: str, branches: tuple[Branch, ...]) -> str:
    """Return the name, with a number behind it where another branch has it already."""
    taken = {branch.name for branch in branches}
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name} ({number})", number + 1
    return unique


def renamed(before: tuple[Branch, ...], now: tuple[Branch, ...]) -> dict[str, str]:
    """Return old name → new name of the what-ifs that are called otherwise now, also by undo, and else the same."""
    names = {branch.name for branch in now}
    taken = {branch.name for branch in before}
    new = {replace(branch, name=""): branch.name for branch in now if branch.name not in taken}
    gone = [branch for branch in before if branch.name not in names]
    return {branch.name: new[same] for branch in gone if (same := replace(branch, name="")) in new}


def scaled_events(branch: Branch, result: Result) -> ScaledEvents:
    """Return the changed events of a branch as the networks receive them: scaled as the rest of the sequence is."""
    if not branch.events:
        return {}
    from lstm_studio.sequences.scaling import offsets_and_factors

    offsets, factors = offsets_and_factors(result.setup.data, result.setup.scaling)
    return {
        step: {feature: float(np.float32((value - offsets[feature]) / factors[feature])) for feature, value in changes}
        for step, changes in branch.events
    }


def traces_of(branch: Branch, result: Result, networks: tuple[Network, ...]) -> tuple[Trace, ...]:
    """Return a trace of each network of a result as it goes on in a branch.

    What is held or switched off concerns one network; a changed event reaches all. A network that nothing reaches keeps
    the recorded trace.

    Parameters
    ----------
    branch
        One that fits the result.
    result
        With the recorded traces.
    networks
        That made them, in the same order.

    Raises
    ------
    TraceError
        If nothing can be held in a network of that kind.
    """
    events = scaled_events(branch, result)
    found = []
    for index, (trace, network) in enumerate(zip(result.traces, networks, strict=True)):
        own = index == branch.network and bool(branch.clamp or branch.ablate)
        if not own and not events:
            found.append(trace)
        elif not own and result.infos[index].bidirectional:
            found.append(_both_ways(result, network, events))
        else:
            found.append(_forwards(trace, branch, network, events, own=own))
    return tuple(found)


def with_gradients(traces: tuple[Trace, ...], result: Result, networks: tuple[Network, ...]) -> tuple[Trace, ...]:
    """Return the traces of a what-if with gradients of the objective of the recorded ones, where those have any.

    Parameters
    ----------
    traces
        What :func:`traces_of` returned.
    result, networks
        As there.

    Raises
    ------
    TraceError
        If the objective cannot be formed.
    """
    from lstm_studio.engine import interventions
    from lstm_studio.engine.tracing import trace

    found = []
    for own, recorded, network, info in zip(traces, result.traces, networks, result.infos, strict=True):
        if own is recorded or not recorded.provenance.objective or own.provenance.objective:
            found.append(own)
        elif not info.bidirectional:
            found.append(interventions.with_gradients(own))
        else:
            sequence = replace(result.sequence, values=own["input"], raw=None)
            arguments: dict[str, Any] = {"device": result.setup.device, "dtype": result.setup.dtype}
            again = trace(network, sequence, objective=result.setup.objective, **arguments)
            gradients = {name: array for name, array in again.arrays.items() if name not in own}
            provenance = replace(again.provenance, intervention=own.provenance.intervention)
            found.append(replace(own, arrays=Arrays({**parts_of(own.arrays), **gradients}), provenance=provenance))
    return tuple(found)


def _forwards(trace: Trace, branch: Branch, network: Network, events: ScaledEvents, *, own: bool) -> Trace:
    from lstm_studio.engine.interventions import resume

    return resume(
        trace,
        branch.at,
        clamp={name: dict(held) for name, held in branch.clamp} if own else None,
        ablate=dict(branch.ablate) if own else None,
        events=events,
        until=branch.until if own else None,
        network=network,
    )


def _both_ways(result: Result, network: Network, events: ScaledEvents) -> Trace:
    """Trace the changed sequence anew: what a network that also reads from the end does at any step may change."""
    from lstm_studio.engine.tracing import trace

    values: Any = result.sequence.values.copy()
    for step, changes in events.items():
        for feature, value in changes.items():
            values[step, feature] = value
    again = trace(network, values, gradients=False, device=result.setup.device, dtype=result.setup.dtype)
    steps = ", ".join(f"input[{step}] changed" for step in sorted(events))
    return replace(again, provenance=replace(again.provenance, intervention=f"from step 0: {steps}"))
