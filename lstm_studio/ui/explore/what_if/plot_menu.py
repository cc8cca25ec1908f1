"""The menu of a unit in a row of plots: what can be changed there, and at that step."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from lstm_studio.networks.cells import cells
from lstm_studio.networks.signals import INPUT
from lstm_studio.session.branches import can_hold
from lstm_studio.session.session import Session
from lstm_studio.ui.explore.layers import ShownLayer, shown_layers
from lstm_studio.ui.explore.what_if.form import Change, Place
from lstm_studio.ui.numbers import format_count


class PlotMenu(QMenu):
    """What if, for one unit of one row at one step; each entry opens a form that begins there.

    Parameters
    ----------
    session
        What is open.
    key
        Of the row, ``"0.forget_gate"``: network and signal.
    unit, step
        Where in it, 0-based.
    """

    chosen = Signal(object, object)
    """A Change and a Place."""

    def __init__(self, session: Session, key: str, unit: int, step: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        number, _, name = key.partition(".")
        layer = _layer(session, number)
        signal = None if layer is None else next((one for one in layer.layer.signals if one.name == name), None)
        at = format_count(step + 1)
        if layer is not None and signal is not None and can_hold(session.result, layer.network):
            place = Place(layer.network, name, unit, step)
            title = signal.label(session.view.labels).lower()
            self._offer(f"Clamp {title} of unit {unit} from step {at}…", Change.CLAMP, place)
            if name in cells()[layer.layer.kind].states:
                self._offer(f"Set {title} of unit {unit} at step {at}…", Change.STATE, place)
            self._offer(f"Ablate unit {unit}…", Change.ABLATE, place)
        word = INPUT.label(session.view.labels).lower()
        self._offer(f"Edit {word} at step {at}…", Change.EVENT, Place(0, "", 0, step))
        self.triggered.connect(self._choose)

    def _offer(self, words: str, change: Change, place: Place) -> None:
        self.addAction(words).setData((change, place))

    def _choose(self, action: QAction) -> None:
        self.chosen.emit(*action.data())


def _layer(session: Session, number: str) -> ShownLayer | None:
    shown = shown_layers(session.result, session.view)
    return next((one for one in shown if str(one.network) == number and not one.backward), None)
