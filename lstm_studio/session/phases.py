"""The operations of which a step of the shown cell consists, and which of them is shown."""

from __future__ import annotations

from lstm_studio.networks.signals import Phase
from lstm_studio.session.state import Result, View


def phases_of(result: Result) -> tuple[Phase, ...]:
    """Return the operations that the cell under the microscope declares, in their order; none for a vanilla RNN."""
    layers = result.traces[0].layers if result.traces else ()
    signals = layers[0].signals if layers else ()
    return tuple(sorted({signal.composition.phase for signal in signals if signal.composition is not None}))


def shown_phase(result: Result, view: View) -> Phase | None:
    """Return the operation that is shown, or None where whole steps are.

    A cell without the operation that the view names shows the next one that it has.
    """
    phases = phases_of(result)
    if not view.four_phases or not phases:
        return None
    return next((phase for phase in phases if phase >= view.phase), phases[-1])
