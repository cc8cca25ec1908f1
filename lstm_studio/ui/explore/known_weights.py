"""The weights of the units that were looked at: each asked of the worker once."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from lstm_studio.engine.terms import UnitSum
from lstm_studio.session.question import Question
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, Setup
from lstm_studio.session.unit_weights import UnitWeights
from lstm_studio.ui.explore.layers import ShownLayer

_KEPT = 256
"""Units whose weights are kept; each takes as many numbers as its gates read."""

_Key = tuple[str, str, int]


class KnownWeights(QObject):
    """Asks for a unit's weights when they are wanted for the first time, and tells when they have come.

    Parameters
    ----------
    session
        Where to ask.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._known: dict[_Key, tuple[UnitSum, ...]] = {}
        self._asked: tuple[Result, _Key] | None = None
        session.answered.connect(self._on_answered)
        session.setup_changed.connect(self._on_setup_changed)

    def of_unit(self, shown: ShownLayer, unit: int) -> tuple[UnitSum, ...] | None:
        """Return a unit's weights, or None until they have come; of a recorded step they never do."""
        key = (shown.info.fingerprint, shown.layer.prefix, unit)
        if key in self._known:
            return self._known[key]
        result = self._session.result
        if result.setup.recorded is not None:
            return None
        if self._asked != (result, key):
            self._asked = (result, key)
            self._session.ask(UnitWeights(result, shown.network, shown.layer.prefix, unit))
        return None

    def _on_answered(self, question: Question, answer: object) -> None:
        if not isinstance(question, UnitWeights) or not isinstance(answer, tuple):
            return
        while len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        fingerprint = question.result.infos[question.network].fingerprint
        self._known[fingerprint, question.prefix, question.unit] = answer
        self.changed.emit()

    def _on_setup_changed(self, _: Setup) -> None:
        # A question that waits is dropped with the result it was about; where that stays, it is asked again.
        self._asked = None
        if not self._session.waiting:
            self.changed.emit()
