"""What the gradient is taken of, chosen from what the engine declares."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from lstm_studio.engine.objectives import CHOICES, Objective, ObjectiveChoice
from lstm_studio.networks.signals import Labels
from lstm_studio.session.session import Session
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.theme import Theme

_ARROW = 10


class ObjectiveMenu(QToolButton):
    """A button whose menu lists the objectives; what the networks or the sequence lack is greyed, with the reason.

    Parameters
    ----------
    session
        Gets the chosen objective; undoable.
    unit
        Tells the selected unit, for objectives that need one; the step is the one under the cursor.
    """

    def __init__(self, session: Session, theme: Theme, unit: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._unit = session, unit
        self._choices: dict[QAction, ObjectiveChoice] = {}
        self.setProperty("kind", "flat")
        # Beside a title, which it would else push down.
        self.setStyleSheet("QToolButton { min-height: 18px; }")
        self.setAccessibleName("What the gradient is taken of")
        self.setToolTip("Choose what the gradient is taken of")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.fill)
        menu.triggered.connect(self._choose)
        self.setMenu(menu)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        set_icon(self, Icon.CHEVRON_DOWN, theme, size=_ARROW)

    def fill(self) -> None:
        """List what is possible now; the menu does so each time it opens."""
        menu, result, labels = self.menu(), self._session.result, self._session.view.labels
        menu.clear()
        self._choices.clear()
        has_readout = all(info.outputs for info in result.infos)
        has_target = result.sequence.target is not None
        current = result.traces[0].provenance.objective if result.traces else ""
        for choice in CHOICES:
            action = menu.addAction(self._words(choice, labels))
            action.setCheckable(True)
            action.setChecked(str(self._objective(choice)) == current)
            action.setEnabled(choice.is_possible(has_readout=has_readout, has_target=has_target))
            if not action.isEnabled():
                action.setToolTip(_missing(choice, has_readout))
            self._choices[action] = choice

    def _objective(self, choice: ObjectiveChoice) -> Objective:
        return choice.with_numbers(self._session.view.cursor, self._unit())

    def _words(self, choice: ObjectiveChoice, labels: Labels) -> str:
        title = choice.label(labels)
        if choice.needs_step_and_unit:
            title = f"{title}: step {self._session.view.cursor + 1}, unit {self._unit()}"
        return title[0].upper() + title[1:]

    def _choose(self, action: QAction) -> None:
        choice = self._choices[action]
        self._session.change("Differentiate something else", objective=str(self._objective(choice)))


def _missing(choice: ObjectiveChoice, has_readout: bool) -> str:
    if choice.needs_readout and not has_readout:
        return "Both networks need a read-out for this; one of them has none."
    return "The sequence has no target."
