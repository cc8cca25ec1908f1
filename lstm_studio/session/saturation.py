"""How often each gate of each unit is shut or open, after Karpathy, Johnson & Fei-Fei (2015)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks.signals import Signal
from lstm_studio.progress import Progress
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.state import Result

if TYPE_CHECKING:
    from lstm_studio.networks.network import Network

SHUT, OPEN = 0.1, 0.9
"""Below the first a gate counts as shut (left-saturated), above the second as open (right-saturated)."""
_GATE_LEVELS = (0.0, 1.0)


@dataclass(frozen=True, eq=False, slots=True)
class GateSaturation:
    """One gate of one layer and direction.

    Parameters
    ----------
    network
        Index of the network.
    layer
        As in its traces.
    gate
        What the layer declares.
    shut, open
        (G,) float64: the shares of the steps at which each is below 0.1 and above 0.9; they add up to 1 at most.
        Values that are not numbers do not count; not-a-number where nothing counts. G is the number of units, or of
        blocks of units where these share gates.
    steps
        How many steps were counted.
    """

    network: int
    layer: TraceLayer
    gate: Signal
    shut: NDArray[np.float64]
    open: NDArray[np.float64]
    steps: int

    @property
    def units_each(self) -> int:
        """How many units share one gate; 1 but for blocks."""
        return max(1, self.layer.units // max(1, len(self.shut)))


def gates_of(layer: TraceLayer) -> tuple[Signal, ...]:
    """Return the signals that a layer declares to lie between 0 and 1, which is what makes a gate."""
    return tuple(signal for signal in layer.signals if signal.levels == _GATE_LEVELS)


def saturation_of(network: int, traces: Iterable[Trace]) -> tuple[GateSaturation, ...]:
    """Count over all steps of all traces of one network; none is kept.

    Parameters
    ----------
    network
        Its index in the result.
    traces
        All with the same layers.
    """
    counts: dict[tuple[str, str], NDArray[Any]] = {}
    declared: dict[tuple[str, str], tuple[TraceLayer, Signal]] = {}
    steps = 0
    for trace in traces:
        steps += trace.steps
        for layer in trace.layers:
            for gate in gates_of(layer):
                name = f"{layer.prefix}.{gate.name}"
                if name in trace:
                    key = (layer.prefix, gate.name)
                    declared.setdefault(key, (layer, gate))
                    counts[key] = counts.get(key, np.int64(0)) + _counted(trace[name])
    with np.errstate(invalid="ignore"):
        return tuple(
            GateSaturation(network, *declared[key], shut / known, opened / known, steps)
            for key, (shut, opened, known) in counts.items()
        )


def _counted(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many of (T, G) values are shut, open and known, (3, G)."""
    return np.stack([(values < SHUT).sum(axis=0), (values > OPEN).sum(axis=0), (~np.isnan(values)).sum(axis=0)])


def saturation(result: Result) -> tuple[GateSaturation, ...]:
    """Count over the shown sequence, for every network of a result."""
    return tuple(gate for network, trace in enumerate(result.traces) for gate in saturation_of(network, (trace,)))


@dataclass(frozen=True, eq=False, slots=True)
class SaturationOfSet(Question):
    """Asks for the same over all sequences of a result's set, every step counting once."""

    title: ClassVar[str] = "Counting over all sequences"

    result: Result

    def answer(self, tools: Tools, progress: Progress) -> tuple[GateSaturation, ...]:
        """Return the gates of each network that has any; the others are not traced.

        The traces are made one after the other and not kept: only the counts are wanted, and a set may be large.
        """
        networks = tools.networks_of(self.result)
        gated = [
            index for index, trace in enumerate(self.result.traces) if any(gates_of(layer) for layer in trace.layers)
        ]
        found: list[GateSaturation] = []
        for done, index in enumerate(gated):

            def tell(fraction: float, words: str, done: int = done) -> None:
                progress((done + fraction) / len(gated), words)

            found += saturation_of(index, self._traces(networks[index], tell))
        return tuple(found)

    def _traces(self, network: Network, progress: Progress) -> Iterator[Trace]:
        from lstm_studio.engine.tracing import trace

        sequences = self.result.sequences
        for index, sequence in enumerate(sequences):
            progress(index / len(sequences), self.title)
            yield trace(network, sequence, gradients=False, device=self.result.setup.device)
