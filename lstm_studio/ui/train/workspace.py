"""The centre of Train: what is trained and how far it is, above the plots of its losses and gradients."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QMoveEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from lstm_studio.session.learning import Learning
from lstm_studio.session.trainings import Trainings
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Theme
from lstm_studio.ui.train.bar import TrainBar
from lstm_studio.ui.train.gallery import Gallery
from lstm_studio.ui.train.rows import Resolver
from lstm_studio.ui.train.words import left_words, measure_words, title_of
from lstm_studio.ui.training_plots.stack import TrainingStack
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.said import say
from lstm_studio.ui.widgets.text import ElidedLabel, Room, label

_EMPTY_WIDTH = 420
_STARTING = "Starting PyTorch in a process of its own…"


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
        self._resolver, self._theme = Resolver(), theme
        self._progress: tuple[str, bool, bool] | None = None
        self.setAccessibleName("Train")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._title, self._measures = label(kind="title"), ElidedLabel(kind="caption")
        self._measures.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._new = QPushButton("New training…")
        self._new.setProperty("kind", "link")
        self._new.setToolTip(actions["train.new"].toolTip())
        self._new.clicked.connect(actions["train.new"].trigger)
        self.stack = TrainingStack(theme)
        self.empty = EmptyState(theme, "")
        self._pages = QStackedLayout()
        self.gallery = Gallery(trainings, actions, theme)
        self._told = _centred(self.empty)
        head = QHBoxLayout()
        head.setContentsMargins(PANEL_INSET, GRID, PANEL_INSET, 0)
        head.setSpacing(2 * GRID)
        head.addWidget(Room(self._title))
        head.addWidget(self._new)
        head.addWidget(self._measures, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, HALF_GRID)
        column.setSpacing(0)
        column.addLayout(head)
        # Before anything is in it, which would show as a window of its own.
        column.addLayout(self._pages, 1)
        for page in (self.gallery, self._told, self.stack):
            self._pages.addWidget(page)
        self.stack.edges_changed.connect(self._align)
        self.stack.step_requested.connect(trainings.select)
        trainings.changed.connect(self.refresh)
        trainings.selected.connect(self.refresh)
        trainings.plan_changed.connect(self._on_plan)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.stack.apply_theme(theme)
        self.gallery.apply_theme(theme)
        self.empty.apply_theme(theme)
        self.refresh()

    def refresh(self) -> None:
        """Draw how the training is now."""
        trainings, learning = self._trainings, self._trainings.learning
        self._title.setText(title_of(trainings))
        self._new.setVisible(learning is not None)
        self._measures.setText("" if learning is None else measure_words(learning))
        others = tuple(trainings.others.values())
        self.stack.show_picture(self._resolver.resolve(learning, trainings.step, self._theme, others))
        self.empty.setText(_STARTING if trainings.beginning or trainings.error is None else str(trainings.error))
        self._tell(learning)
        page = self._page
        if self._pages.currentWidget() is not page:
            focused = self.hasFocus() or self.gallery.isAncestorOf(QApplication.focusWidget() or self)
            self._pages.setCurrentWidget(page)
            if focused:
                self.setFocus()

    def _tell(self, learning: Learning | None) -> None:
        """Say that a training begins, pauses or ends: it takes long, and nobody may be looking."""
        now = None if learning is None else (learning.address, learning.running, learning.paused)
        before, self._progress = self._progress, now
        if learning is None or now == before:
            return
        if learning.running or (before is not None and before[0] == learning.address):
            where = f"step {format_count(learning.done)} of {format_count(learning.planned)}"
            goes_on = learning.running and not learning.paused
            state = "training" if goes_on else left_words(self._trainings)
            say(self.window(), f"{learning.title}, {where}: {state}.")

    @property
    def _page(self) -> QWidget:
        if self._trainings.learning is not None:
            return self.stack
        silent = self._trainings.error is None and not self._trainings.beginning
        return self.gallery if silent else self._told

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Hand the keyboard on to what is shown; where that takes none, keep it from whatever comes next."""
        super().focusInEvent(event)
        page = self._pages.currentWidget()
        if page is self.stack:
            self.stack.setFocus(event.reason())
        elif page is self.gallery:
            self.gallery.take_focus(event.reason())

    def _on_plan(self, _: object) -> None:
        self.refresh()

    def _align(self, left: int, right: int) -> None:
        self._bar.align_to(self.stack, left, right)

    def moveEvent(self, event: QMoveEvent) -> None:
        """Keep the slider under the plots."""
        super().moveEvent(event)
        self._align(*self.stack.edges)

    def event(self, event: QEvent) -> bool:
        """Keep the slider under the plots when they are shown."""
        done = super().event(event)
        if event.type() in (QEvent.Type.Show, QEvent.Type.LayoutRequest):
            self._align(*self.stack.edges)
        return done


def _centred(words: QWidget) -> QWidget:
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
    column.addStretch(1)
    return page
