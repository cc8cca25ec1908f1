"""Which of the traced layers and directions are shown: one stacked layer at a time, all of its directions."""

from __future__ import annotations

from dataclasses import dataclass

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks.naming import short_names
from lstm_studio.networks.spec import NetworkInfo
from lstm_studio.session.state import Result, View

_BACKWARD = ".reverse"


@dataclass(frozen=True, eq=False, slots=True)
class ShownLayer:
    """One layer and direction of one network.

    Parameters
    ----------
    network
        Index of the network in the result.
    info, trace
        That network's.
    layer
        What was recorded.
    number
        0-based position among the network's stacked layers.
    depth
        Number of stacked layers.
    """

    network: int
    info: NetworkInfo
    trace: Trace
    layer: TraceLayer
    number: int
    depth: int

    @property
    def group(self) -> str:
        """The key of its selected unit in the view, ``"0:lstm.0"``."""
        return f"{self.network}:{self.layer.prefix}"

    @property
    def backward(self) -> bool:
        """Whether it reads the sequence from its end."""
        return self.layer.prefix.endswith(_BACKWARD)

    def before(self, step: int) -> int | None:
        """Return the step that this direction read before ``step``, or None at its first."""
        if self.backward:
            return step + 1 if step + 1 < self.trace.steps else None
        return step - 1 if step > 0 else None


def layers_of(result: Result, network: int) -> tuple[tuple[ShownLayer, ...], ...]:
    """Return the stacked layers of one network, from the input up; each holds its one or two directions."""
    trace = result.traces[network]
    stacked: dict[str, list[TraceLayer]] = {}
    for layer in trace.layers:
        stacked.setdefault(layer.prefix.removesuffix(_BACKWARD), []).append(layer)
    return tuple(
        tuple(ShownLayer(network, result.infos[network], trace, layer, number, len(stacked)) for layer in directions)
        for number, directions in enumerate(stacked.values())
    )


def shown_layers(result: Result, view: View) -> tuple[ShownLayer, ...]:
    """Return what the view shows of every network, the network under the microscope first.

    A network with fewer layers than the view asks for shows its last.
    """
    shown: list[ShownLayer] = []
    for network in range(len(result.traces)):
        stacked = layers_of(result, network)
        if stacked:
            shown.extend(stacked[_clipped(view.layer, len(stacked))])
    return tuple(shown)


def inspected_layer(result: Result, view: View) -> ShownLayer | None:
    """Return the layer and direction that the inspector explains, or None where no recurrent layer was traced."""
    shown = [layer for layer in shown_layers(result, view) if layer.network == 0]
    wanted = [layer for layer in shown if layer.backward is view.backward]
    return next(iter(wanted or shown), None)


def selected_unit(layer: ShownLayer, view: View) -> int:
    """Return the unit selected in a layer, the first one until the user chooses."""
    return min(view.units.get(layer.group, 0), layer.layer.units - 1)


def network_names(infos: tuple[NetworkInfo, ...]) -> tuple[str, ...]:
    """Return a short name for each network, ``("LSTM", "RNN")``, numbered where they would be the same."""
    return short_names([info.title or info.kind.upper() for info in infos])


def _clipped(wanted: int | None, depth: int) -> int:
    return depth - 1 if wanted is None else max(0, min(wanted, depth - 1))
