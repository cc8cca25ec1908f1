"""What has come of the training so far: which network does what was asked, and what that proves."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.session.learning import Learner, Learning
from lstm_studio.session.trainings import Trainings
from lstm_studio.ui.icons import Icon, show_icon
from lstm_studio.ui.theme import GRID, Theme
from lstm_studio.ui.train.words import caution_words, result_words
from lstm_studio.ui.widgets.badge import Badge
from lstm_studio.ui.widgets.card import EDGE, Card
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.text import label

_EMPTY = "Start a training, and see here which network has learned the task and which has not."
_MOST_NETWORKS = 2
_ICON = 14
_LINES = 13
"""Of text, for the size at first."""


@dataclass(frozen=True, slots=True)
class _State:
    learning: Learning | None


class ResultPanel(Panel[_State]):
    """A card with a tick or a cross for each network.

    Parameters
    ----------
    trainings
        What is shown.
    """

    def __init__(self, trainings: Trainings, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Result so far", parent)
        self._trainings = trainings
        self._empty = EmptyState(theme, _EMPTY)
        self._cards = tuple(_ResultCard(theme) for _ in range(_MOST_NETWORKS))
        self._caution = label(kind="caption")
        self._caution.setWordWrap(True)
        self.column.addWidget(self._empty)
        for card in self._cards:
            self.column.addWidget(card)
        self.column.addWidget(self._caution)
        self.column.addStretch(1)
        trainings.changed.connect(self.refresh)
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return room for both cards, also while they are not there yet."""
        return super().sizeHint().expandedTo(QSize(0, _LINES * self.fontMetrics().height()))

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._empty.apply_theme(theme)
        for card in self._cards:
            card.apply_theme(theme)

    @property
    def texts(self) -> tuple[str, ...]:
        """What the cards say, for readers of the screen as well."""
        return tuple(card.accessibleName() for card in self._cards if not card.isHidden())

    def _resolve(self) -> _State:
        return _State(self._trainings.learning)

    def _apply(self, state: _State, before: _State | None) -> None:  # noqa: ARG002 - cheap enough to show as a whole
        learning = state.learning
        self._empty.setVisible(learning is None)
        self._caution.setVisible(learning is not None)
        for place, card in enumerate(self._cards):
            shown = learning is not None and place < len(learning.learners)
            card.setVisible(shown)
            if learning is not None and shown:
                card.show_result(learning.learners[place], *result_words(learning, learning.learners[place]))
        if learning is not None:
            self._caution.setText(caution_words(learning))


class _ResultCard(Card):
    """One network: badge, name, verdict, what it has reached."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._badge, self._name, self._words = Badge(theme), label(kind="value"), label(kind="secondary")
        self._words.setWordWrap(True)
        self._icon = QLabel()
        self._verdict: bool | None = None
        grid = QGridLayout(self)
        grid.setContentsMargins(EDGE + GRID, GRID - 2, GRID, GRID - 2)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._badge, 0, 0)
        grid.addWidget(self._name, 0, 1)
        grid.addWidget(self._icon, 0, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._words, 1, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    def show_result(self, learner: Learner, verdict: bool | None, words: str) -> None:
        """Show another result."""
        self._badge.show_badge(learner.letter, learner.role)
        self.show_role(learner.role if learner.role is not Role.GRADIENT else None)
        self._name.setText(learner.title)
        self._words.setText(words)
        self._verdict = verdict
        said = {True: "solved", False: "not solved", None: "not known yet"}[verdict]
        self.setAccessibleName(f"{learner.title}: {said}. {words}")
        self._show_icon()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        super().apply_theme(theme)
        self._badge.apply_theme(theme)
        self._show_icon()

    def _show_icon(self) -> None:
        self._icon.setVisible(self._verdict is not None)
        if self._verdict is not None:
            icon, colour = (Icon.TICK, self._theme.ok) if self._verdict else (Icon.CROSS, self._theme.error)
            show_icon(self._icon, icon, colour, _ICON)
