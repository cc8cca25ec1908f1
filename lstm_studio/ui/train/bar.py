"""The bar below the plots of a training: start, pause, stop; the snapshots; how far it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.session.learning import Learning
from lstm_studio.session.trainings import Trainings
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Theme, transport_height
from lstm_studio.ui.train.rows import solved_text
from lstm_studio.ui.train.words import left_words
from lstm_studio.ui.training_plots.span import Span
from lstm_studio.ui.training_plots.step_bar import OVERHANG, StepBar, StepMark
from lstm_studio.ui.widgets.bar import Bar
from lstm_studio.ui.widgets.text import Room, label

_PROGRESS_WIDTH = 150


class TrainBar(QWidget):
    """What is done to the training, which of its snapshots is looked at, and when it will be ready.

    Parameters
    ----------
    trainings
        What is shown.
    actions
        Where the commands are.
    """

    def __init__(self, trainings: Trainings, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trainings, self._theme, self._actions = trainings, theme, actions
        self._plots: QWidget | None = None
        self._edges = (0, 0)
        self.setAccessibleName("Training")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._primary = QPushButton("Start")
        self._primary.setProperty("kind", "primary")
        self._stop, self._restart = QPushButton("Stop"), QPushButton("Restart")
        self._edge = QPushButton("Follow live edge")
        self._edge.setCheckable(True)
        self._counter = label(kind="title")
        self._counter.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._counter.setAccessibleName("Snapshot shown")
        self.slider = StepBar(theme, "Snapshot")
        self._share = label(kind="value")
        self._steps, self._left = label(kind="secondary"), label(kind="secondary")
        self._steps.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._progress = Bar(theme)
        self._progress_block = QWidget()
        self._begin_group, self._end_group = QWidget(self), QWidget(self)
        self._lay_out()
        self._buttons = {
            self._stop: actions["train.stop"],
            self._restart: actions["train.restart"],
            self._edge: actions["train.follow-edge"],
        }
        for button, action in self._buttons.items():
            button.setToolTip(action.toolTip())
            button.clicked.connect(action.trigger)
        for action in (*self._buttons.values(), actions["train.pause"], actions["train.start"]):
            action.changed.connect(self.show_buttons)
        self._primary.clicked.connect(self._press)
        self.slider.chosen.connect(self._on_slid)
        trainings.changed.connect(self.refresh)
        trainings.selected.connect(self.refresh)
        self.apply_theme(theme)

    def _lay_out(self) -> None:
        begin = QHBoxLayout(self._begin_group)
        begin.setContentsMargins(PANEL_INSET, 0, 0, 0)
        begin.setSpacing(HALF_GRID + 2)
        for button in (self._primary, self._stop, self._restart):
            begin.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        begin.addWidget(Room(self._counter, grows=True), 1)
        grid = QGridLayout(self._progress_block)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(1)
        grid.addWidget(Room(self._share, grows=True), 0, 0)
        grid.addWidget(Room(self._steps, grows=True), 0, 1)
        grid.addWidget(self._progress, 1, 0, 1, 2)
        grid.addWidget(Room(self._left, grows=True), 2, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        self._progress_block.setMinimumWidth(_PROGRESS_WIDTH)
        policy = self._progress_block.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._progress_block.setSizePolicy(policy)
        end = QHBoxLayout(self._end_group)
        end.setContentsMargins(0, HALF_GRID, PANEL_INSET, HALF_GRID)
        end.setSpacing(PANEL_INSET)
        end.addWidget(self._progress_block, 1, Qt.AlignmentFlag.AlignVCenter)
        end.addWidget(self._edge, 0, Qt.AlignmentFlag.AlignVCenter)
        self.slider.setParent(self)
        for before, after in pairwise((self._primary, self._stop, self._restart, self.slider, self._edge)):
            QWidget.setTabOrder(before, after)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.slider.apply_theme(theme)
        self._progress.apply_theme(theme)
        set_icon(self._stop, Icon.STOP, theme, size=12)
        set_icon(self._restart, Icon.LOOP, theme, size=12)
        for button in (self._primary, self._stop, self._restart, self._edge):
            button.setMinimumHeight(transport_height())
        self.updateGeometry()
        self.refresh()
        self.show_buttons()

    # From the training to what is shown.

    def refresh(self) -> None:
        """Show how the training is now."""
        trainings, learning = self._trainings, self._trainings.learning
        step = trainings.step
        self.slider.setVisible(learning is not None)
        words = "" if step is None else f"Snapshot {format_count(step)}"
        if learning is not None:
            snapshots = np.array(learning.snapshots, np.float64)
            place = 0 if step is None else int(np.searchsorted(snapshots, step))
            span, done = Span(0.0, float(learning.planned)), float(learning.done)
            self.slider.show_steps(span, snapshots, place, done, marks=_marks(learning), words=words)
        self._counter.setText(words)
        share = 0.0 if learning is None else learning.done / learning.planned
        self._progress_block.setVisible(learning is not None or trainings.beginning)
        self._share.setText(f"{int(100 * share)} %")
        done = 0 if learning is None else learning.done
        planned = trainings.plan.updates if learning is None else learning.planned
        self._steps.setText(f"{format_count(done)} / {format_count(planned)}")
        self._progress.show_share(share, Role.GRADIENT)
        self._left.setText(left_words(trainings))
        self._place()

    def show_buttons(self) -> None:
        """Show what can be done now: the first button does what is most likely wanted."""
        action = self._wanted()
        text = action.text().removesuffix(" training")
        if self._primary.text() != text:
            self._primary.setText(text)
        icon = Icon.PAUSE if text == "Pause" else Icon.PLAY
        colour = self._theme.panel if action.isEnabled() else self._theme.ink3
        set_icon(self._primary, icon, self._theme, colour, size=12)
        self._primary.setToolTip(action.toolTip())
        self._primary.setEnabled(action.isEnabled())
        for button, one in self._buttons.items():
            button.setEnabled(one.isEnabled())
        self._edge.setChecked(self._actions["train.follow-edge"].isChecked())
        self._place()

    def _wanted(self) -> QAction:
        """Return the command of the first button."""
        pause = self._actions["train.pause"]
        return pause if pause.isEnabled() else self._actions["train.start"]

    def _press(self) -> None:
        self._wanted().trigger()

    def _on_slid(self, place: int) -> None:
        learning = self._trainings.learning
        if learning is not None and place < len(learning.snapshots):
            self._trainings.select(learning.snapshots[place])

    # Places.

    def align_to(self, plots: QWidget, left: int, right: int) -> None:
        """Put the ends of the slider under the plots' edges, given in their coordinates."""
        self._plots, self._edges = plots, (left, right)
        self._place()

    def sizeHint(self) -> QSize:
        """Return the bar's height and a comfortable width."""
        height = max(self.slider.sizeHint().height(), self._end_group.sizeHint().height())
        return QSize(900, height)

    def minimumSizeHint(self) -> QSize:
        """Return the width at which the slider can still be used."""
        sides = self._begin_group.sizeHint().width() + self._end_group.sizeHint().width()
        return QSize(sides + self.slider.minimumSizeHint().width() + 2 * GRID, self.sizeHint().height())

    def showEvent(self, event: QShowEvent) -> None:
        """Measure the buttons anew: Qt keeps what it measured before they had the look of the style sheet."""
        super().showEvent(event)
        for button in (self._primary, *self._buttons):
            QApplication.sendEvent(button, QEvent(QEvent.Type.FontChange))
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the parts."""
        super().resizeEvent(event)
        self._place()

    def event(self, event: QEvent) -> bool:
        """Place the parts anew when one of them needs more room."""
        done = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest:
            self._place()
        return done

    def _place(self) -> None:
        width, height = self.width(), self.height()
        low = self._begin_group.sizeHint().width() + GRID
        beside = self._end_group.sizeHint().width()
        left, right = self._edges
        if self._plots is not None:
            offset = self.mapFromGlobal(self._plots.mapToGlobal(QPoint())).x()
            left, right = left + offset, right + offset
        if left < low + OVERHANG // 2 or right <= left:
            left = low + OVERHANG // 2
        if right > width - beside - GRID or right <= left:
            right = width - beside - GRID - OVERHANG // 2
        self._begin_group.setGeometry(0, 0, max(low, left - OVERHANG // 2 - GRID), height)
        self._end_group.setGeometry(
            max(right + GRID, width - max(beside, 360)), 0, min(width - right - GRID, max(beside, 360)), height
        )
        self.slider.setGeometry(left - OVERHANG, 0, max(40, right - left) + 2 * OVERHANG, height)
        self._begin_group.raise_()
        self._end_group.raise_()


def _marks(learning: Learning) -> tuple[StepMark, ...]:
    """Return when networks have done what was asked, those of one step together."""
    texts: dict[int, list[str]] = {}
    for one in learning.learners:
        if one.solved_at is not None:
            texts.setdefault(one.solved_at, []).append(solved_text(learning, one).partition(" from")[0])
    return tuple(StepMark(float(step), "; ".join(said), ok=True) for step, said in sorted(texts.items()))
