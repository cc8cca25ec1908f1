"""The centre of Train: what is trained and how far it is, above the plots of its losses and gradients."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QMoveEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from lstm_studio.session.trainings import Trainings
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.plots.step_stack import StepStack
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Theme
from lstm_studio.ui.train.bar import TrainBar
from lstm_studio.ui.train.rows import StepResolver
from lstm_studio.ui.train.words import EMPTY, measure_words, title_of
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.text import ElidedLabel, label

_EMPTY_WIDTH = 420


class TrainWorkspace(QWidget):
    """Draws the training that is shown.

    Parameters
    ----------
    trainings
        What is shown.
    bar
        Whose slider stands under the plots.
    actions
        Where the commands are.
    """

    def __init__(
        self, trainings: Trainings, bar: TrainBar, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._trainings, self._bar = trainings, bar
        self._resolver = StepResolver()
        self.setAccessibleName("Train")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._title, self._measures = label(kind="title"), ElidedLabel(kind="caption")
        self._measures.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.stack = StepStack(theme)
        self.empty = EmptyState(theme, EMPTY)
        self._pages = QStackedWidget()
        self._start, self._earlier = QPushButton("Start training"), QPushButton("Show an earlier training")
        for button, key in ((self._start, "train.start"), (self._earlier, "train.show")):
            button.setProperty("kind", "link")
            button.setToolTip(actions[key].toolTip())
            button.clicked.connect(actions[key].trigger)
        self._pages.addWidget(_centred(self.empty, self._start, self._earlier))
        self._pages.addWidget(self.stack)
        head = QHBoxLayout()
        head.setContentsMargins(PANEL_INSET, GRID, PANEL_INSET, 0)
        head.setSpacing(2 * GRID)
        head.addWidget(self._title)
        head.addWidget(self._measures, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, HALF_GRID)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._pages, 1)
        self.stack.edges_changed.connect(self._align)
        self.stack.step_requested.connect(trainings.select)
        trainings.changed.connect(self.refresh)
        trainings.selected.connect(self.refresh)
        trainings.plan_changed.connect(self._on_plan)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.stack.apply_theme(theme)
        self.empty.apply_theme(theme)

    def refresh(self) -> None:
        """Draw how the training is now."""
        trainings, learning = self._trainings, self._trainings.learning
        self._title.setText(title_of(trainings))
        self._measures.setText("" if learning is None else measure_words(learning))
        self.stack.apply(self._resolver.resolve(learning, trainings.step, tuple(trainings.others.values())))
        if self._pages.currentIndex() != (learning is not None):
            focused = self.hasFocus()
            self._pages.setCurrentIndex(0 if learning is None else 1)
            if focused and learning is not None:
                self.stack.setFocus()
        error = trainings.error
        words = EMPTY if error is None or trainings.beginning else str(error)
        for link in (self._start, self._earlier):
            link.setVisible(not trainings.beginning)
        self.empty.setText("Starting PyTorch in a process of its own…" if trainings.beginning else words)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Hand the keyboard on to the plots; while there are none, keep it from whatever comes next."""
        super().focusInEvent(event)
        if self._pages.currentWidget() is self.stack:
            self.stack.setFocus(event.reason())

    def _on_plan(self, _: object) -> None:
        self.refresh()

    def _align(self, left: int, right: int) -> None:
        self._bar.align_to(self.stack, left, right)

    def moveEvent(self, event: QMoveEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the slider under the plots."""
        super().moveEvent(event)
        self._align(*self.stack.edges)

    def event(self, event: QEvent) -> bool:
        """Keep the slider under the plots when they are shown."""
        done = super().event(event)
        if event.type() in (QEvent.Type.Show, QEvent.Type.LayoutRequest):
            self._align(*self.stack.edges)
        return done


def _centred(words: QWidget, *links: QWidget) -> QWidget:
    page = QWidget()
    words.setFixedWidth(_EMPTY_WIDTH)
    column = QVBoxLayout(page)
    column.addStretch(1)
    # Not an alignment, which would give words that wrap too little height.
    middle = QHBoxLayout()
    middle.addStretch(1)
    middle.addWidget(words)
    middle.addStretch(1)
    column.addLayout(middle)
    row = QHBoxLayout()
    row.setSpacing(2 * GRID)
    row.addStretch(1)
    for link in links:
        row.addWidget(link)
    row.addStretch(1)
    column.addLayout(row)
    column.addStretch(1)
    return page
