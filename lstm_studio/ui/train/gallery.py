"""What Train shows while nothing has been trained: every teaching task as a card, with a sequence of it."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.sequences.sequence import SequenceSet
from lstm_studio.session.trainings import FIRST_TASK, Trainings
from lstm_studio.tasks.registry import tasks
from lstm_studio.tasks.task import Task
from lstm_studio.training.plan import Plan, class_room
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.theme import CARD_RADIUS, FOCUS_RING, GRID, PANEL_INSET, Text, Theme, scaled
from lstm_studio.ui.train.words import plan_words
from lstm_studio.ui.widgets.text import label, text_font
from lstm_studio.ui.widgets.thumbnails import paint_sequence, value_extent

_LEAST_WIDTH = 290
_MOST_COLUMNS = 4
_PICTURE_HEIGHT = 22
_DOT = 12.0
_LINES = 2
_SEED = 0
_EXAMPLES = 50
"""Sequences of which the longest is drawn; the others tell which symbols are rare, and how far values go."""


class Gallery(QWidget):
    """Cards of all tasks; the one of the plan is chosen. Beside them the button that starts it.

    Parameters
    ----------
    trainings
        Whose plan is shown and changed.
    actions
        Where the commands are.
    """

    def __init__(self, trainings: Trainings, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trainings = trainings
        self._words = label(kind="secondary")
        self._words.setWordWrap(True)
        self.start, self.earlier = QPushButton("Start training"), QPushButton("Show an earlier training")
        self.start.setProperty("kind", "primary")
        self.earlier.setProperty("kind", "link")
        for button, key in ((self.start, "train.start"), (self.earlier, "train.show")):
            button.setToolTip(actions[key].toolTip())
            button.clicked.connect(actions[key].trigger)
        self._group = QButtonGroup(self)
        self._page = QWidget()
        self._cards = [TaskCard(task, theme, self._page) for task in _in_order()]
        self._grid = QGridLayout(self._page)
        self._grid.setContentsMargins(FOCUS_RING, FOCUS_RING, GRID, FOCUS_RING)
        self._grid.setSpacing(GRID)
        for index, card in enumerate(self._cards):
            self._group.addButton(card, index)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setAccessibleName("Tasks, scrolling")
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.setWidget(self._page)
        self._page.setAutoFillBackground(False)
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(self._words, 1)
        row.addWidget(self.earlier)
        row.addWidget(self.start)
        column = QVBoxLayout(self)
        column.setContentsMargins(PANEL_INSET, GRID, PANEL_INSET, GRID)
        column.setSpacing(GRID)
        column.addWidget(self._scroll, 1)
        column.addLayout(row)
        self._columns = 0
        self._group.idClicked.connect(self._choose)
        trainings.plan_changed.connect(self._show)
        self._show(trainings.plan)

    @property
    def cards(self) -> list[TaskCard]:
        """The cards, in the order in which they are read."""
        return self._cards

    def take_focus(self, reason: Qt.FocusReason) -> None:
        """Give the keyboard to the card that is chosen; to the first one where none is."""
        (self._group.checkedButton() or self._cards[0]).setFocus(reason)

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        for card in self._cards:
            card.apply_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put as many cards side by side as there is room for."""
        super().resizeEvent(event)
        least = _LEAST_WIDTH * self.fontMetrics().height() // 14
        columns = max(1, min(_MOST_COLUMNS, (self.width() - 2 * PANEL_INSET) // (least + GRID)))
        if columns == self._columns:
            return
        self._grid.setRowStretch(-(-len(self._cards) // self._columns) if self._columns else 0, 0)
        self._grid.setRowStretch(-(-len(self._cards) // columns), 1)
        self._columns = columns
        for index, card in enumerate(self._cards):
            self._grid.addWidget(card, index // columns, index % columns)
        for column in range(_MOST_COLUMNS):
            self._grid.setColumnStretch(column, column < columns)

    def _choose(self, index: int) -> None:
        self._trainings.propose(class_room(self._cards[index].task.name))

    def _show(self, plan: Plan) -> None:
        # Sequences of the user's own have no card, and a group that is exclusive cannot show that none is chosen.
        self._group.setExclusive(False)
        for card in self._cards:
            card.setChecked(card.task.name == plan.task)
        self._group.setExclusive(True)
        self._words.setText(plan_words(plan))


class TaskCard(QAbstractButton):
    """One task: its title, a sequence of it as the class-room size has them, and what it shows."""

    def __init__(self, task: type[Task], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.task = task
        self._theme = theme
        self.setCheckable(True)
        # The group sees to it; this tells screen readers that it is one of several.
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(task.title)
        self.setAccessibleDescription(task.shows)
        self.setToolTip(f"{task.shows} {task.caution}".strip())

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the title, the picture and two lines of words."""
        return QSize(_LEAST_WIDTH, round(self._words.bottom()) + PANEL_INSET)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the card; the one that is chosen with a frame in ink and a filled dot, as colour belongs to data."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), CARD_RADIUS, CARD_RADIUS)
        painter.fillPath(outline, QColor(theme.sunken if self.underMouse() else theme.panel))
        frame = theme.focus if self.hasFocus() else theme.ink if self.isChecked() else theme.frame
        painter.setPen(QPen(QColor(frame), FOCUS_RING if self.hasFocus() or self.isChecked() else 1))
        painter.drawPath(outline)
        title, picture, words = self._title, self.picture, self._words
        side = scaled(_DOT)
        self._paint_dot(painter, QRectF(title.right() - side, title.center().y() - side / 2, side, side))
        painter.setPen(QColor(theme.ink))
        painter.setFont(text_font(self, Text.ACTIVE))
        painter.drawText(title, int(Qt.AlignmentFlag.AlignVCenter), self.task.title)
        sequences, longest, extent = _example(self.task.name)
        painter.setFont(text_font(self, Text.SECONDARY))
        paint_sequence(painter, picture, sequences, longest, extent=extent, theme=theme)
        painter.setPen(QColor(theme.ink2))
        painter.drawText(words, int(Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextDontClip), self.task.shows)

    @property
    def picture(self) -> QRectF:
        """Where the sequence is drawn."""
        title = self._title
        return QRectF(title.left(), title.bottom() + GRID, title.width(), scaled(_PICTURE_HEIGHT))

    @property
    def _title(self) -> QRectF:
        return QRectF(PANEL_INSET, PANEL_INSET, self.width() - 2 * PANEL_INSET, self._spacing(Text.ACTIVE))

    @property
    def _words(self) -> QRectF:
        picture = self.picture
        return QRectF(picture.left(), picture.bottom() + GRID, picture.width(), self._spacing(Text.SECONDARY) * _LINES)

    def _spacing(self, text: Text) -> int:
        return QFontMetrics(text_font(self, text)).lineSpacing()

    def _paint_dot(self, painter: QPainter, place: QRectF) -> None:
        painter.setPen(QPen(QColor(self._theme.ink if self.isChecked() else self._theme.control), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(place.adjusted(0.5, 0.5, -0.5, -0.5))
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.ink))
            inside = place.width() / 4
            painter.drawEllipse(place.adjusted(inside, inside, -inside, -inside))
            painter.setBrush(Qt.BrushStyle.NoBrush)


def _in_order() -> list[type[Task]]:
    """Return the tasks: the one to begin with, then by title, and last those whose success proves little."""
    return sorted(tasks().values(), key=_place)


def _place(task: type[Task]) -> tuple[bool, bool, str]:
    return task.name != FIRST_TASK, bool(task.caution), task.title


@cache
def _example(name: str) -> tuple[SequenceSet, int, tuple[float, float]]:
    """Return sequences of a task, which of them is the longest, and the range in which it is drawn."""
    sequences = class_room(name).new_task().generate(_EXAMPLES, _SEED)
    steps = [sequence.steps for sequence in sequences]
    return sequences, steps.index(max(steps)), value_extent(sequences)
