"""The recurrent layers of a trace together with the weights of the network that it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_studio.arguments import instance, shown
from lstm_studio.engine.capture import recurrent_modules
from lstm_studio.engine.trace import OF_A_TRACE, Trace, TraceLayer
from lstm_studio.errors import TraceError
from lstm_studio.networks.cell import Cell, Layer
from lstm_studio.networks.naming import layer_prefix
from lstm_studio.networks.network import Network, fingerprint

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One layer and direction: what it is, its weights, and what it did.

    Parameters
    ----------
    layer
        As in the trace.
    cell
        Its kind.
    weights
        As arrays, in the precision of the module.
    signals
        Declared name → (T, ·) array, in the order of processing.
    reverse
        Whether that is against the order of time.
    """

    layer: TraceLayer
    cell: Cell
    weights: Layer[Array]
    signals: dict[str, Array]
    reverse: bool

    @property
    def steps(self) -> int:
        """T."""
        return len(self.signals[self.cell.states[0]])

    def in_time(self, array: Array) -> Array:
        """Return an array in the order of processing in the order of time, or the other way round."""
        return array[::-1] if self.reverse else array


def network_of(trace: Trace, network: Network | nn.Module | None) -> Network | nn.Module:
    """Return the network of a trace: the given one, or the one that it remembers.

    Raises
    ------
    TraceError
        If there is none, or its weights are not those of the trace.
    """
    instance("trace", trace, Trace, TraceError, OF_A_TRACE)
    if network is None:
        if trace.origin is None:
            raise TraceError(
                "The trace is without its network: it is from a file, or of a network that took more than a sequence.",
                "Give network=… too.",
            )
        network = trace.origin.network
    if not isinstance(network, Network | nn.Module):
        raise TraceError(f"network is {shown(network)}.", "Give what ls.trace was given.")
    if trace.provenance.network not in {"", fingerprint(_module(network))}:
        raise TraceError(
            "The weights of the network are not those that the trace was made with.",
            "Trace the network again, or give the one that the trace was made with.",
        )
    return network


def recurrences(trace: Trace, network: Network | nn.Module | None = None) -> list[Recurrence]:
    """Return all recurrent layers of a trace with their weights, in the order of the trace.

    Parameters
    ----------
    trace
        What the network did.
    network
        The network; None for the one that the trace remembers.

    Raises
    ------
    TraceError
        If there is no network, or it is not the one of the trace.
    """
    weights = _weights(_module(network_of(trace, network)))
    found = []
    for layer in trace.layers:
        # A module that was called anew has its number behind its path.
        prefix = re.sub(r"#\d+", "", layer.prefix)
        if prefix not in weights:
            raise TraceError(f"The network has no layer {layer.prefix}.", "Give the network of the trace.")
        cell, matrices, reverse = weights[prefix]
        arrays = {signal.name: trace[f"{layer.prefix}.{signal.name}"] for signal in layer.signals}
        processed = {name: array[::-1] if reverse else array for name, array in arrays.items()}
        found.append(Recurrence(layer, cell, matrices, processed, reverse))
    return found


def refuse_dropout(trace: Trace) -> None:
    """Refuse to go through a stack again whose layers dropped out at random.

    Raises
    ------
    TraceError
        If they did.
    """
    if trace.provenance.dropout:
        raise TraceError(
            f"The layers dropped out {trace.provenance.dropout:.0%} of what they passed to each other, at random.",
            "Call model.eval() and trace again.",
        )


def refuse_changes(trace: Trace) -> None:
    """Refuse to multiply the Jacobians of steps between which the model changed the states.

    Raises
    ------
    TraceError
        If it did, in any layer.
    """
    for layer in instance("trace", trace, Trace, TraceError, OF_A_TRACE).layers:
        if layer.changed:
            raise TraceError(
                f"The model changes the states of {layer.prefix} between its steps: weights do not tell what survives.",
                "Trace it without memory=True; gradients go through the changes.",
            )


def _module(network: Network | nn.Module) -> nn.Module:
    return network.module if isinstance(network, Network) else network


def _weights(model: nn.Module) -> dict[str, tuple[Cell, Layer[Array], bool]]:
    found = {}
    for path, (module, cell) in recurrent_modules(model).items():
        sizes = cell.sizes(module)
        for index in range(sizes.layers):
            for reverse in (False, True)[: sizes.directions]:
                layer = cell.layer(module, index, reverse)
                found[layer_prefix(path, cell.kind, index, reverse)] = (cell, layer.map(_to_numpy), reverse)
    return found


def _to_numpy(tensor: Tensor) -> Array:
    return np.asarray(tensor.detach().cpu().numpy())
