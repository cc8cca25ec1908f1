"""One alarm: what is wrong, what was measured, where to look, and Mute."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from lstm_studio.session.alarms import Alarm, Grade
from lstm_studio.ui.icons import Icon, show_icon
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID, Text, Theme
from lstm_studio.ui.widgets.badge import paint_letter
from lstm_studio.ui.widgets.card import EDGE, Card
from lstm_studio.ui.widgets.text import label, text_font

_ICONS = {Grade.ERROR: Icon.OCTAGON, Grade.WARNING: Icon.TRIANGLE, Grade.NOTE: Icon.NOTE}


class RunLetter(QWidget):
    """The letter of a run in its box; it chooses nothing."""

    def __init__(self, theme: Theme, letter: str, name: str) -> None:
        super().__init__()
        self._theme, self._letter, self._filled = theme, letter, False
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_letter(self, letter: str, *, filled: bool) -> None:
        """Show another letter, in ink where it is that of the selected run."""
        self._letter, self._filled = letter, filled
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the box."""
        height = QFontMetricsF(text_font(self, Text.TICK_BOLD)).height() + 3
        return QSize(round(height + 3 * (len(self._letter) - 1)), round(height))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(text_font(self, Text.TICK_BOLD))
        paint_letter(painter, QRectF(self.rect()), self._letter, self._theme, filled=self._filled)
        painter.end()


class AlarmCard(Card):
    """One alarm as a card; its links are all that takes the keyboard."""

    opened = Signal(Alarm)
    """The user wants to see the step."""
    muted = Signal(Alarm)
    """The user has read it."""

    def __init__(self, theme: Theme, alarm: Alarm, letter: str) -> None:
        super().__init__(theme)
        self.alarm = alarm
        self.setAccessibleName(f"{alarm.grade.value}, run {letter}: {alarm.title}. {alarm.told}")
        self._icon = label()
        self._title = label(alarm.title, "value")
        self._letter = RunLetter(theme, letter, f"Run {letter}")
        self._told = label(alarm.told, "secondary", selectable=True)
        for text in (self._title, self._told):
            text.setWordWrap(True)
            text.setTextFormat(Qt.TextFormat.PlainText)
        step = "Select the run" if alarm.step is None else f"Go to step {format_count(alarm.step)}"
        self._open = self._link(step, "Select the run, and put the cursor there")
        self._open.clicked.connect(self._on_open)
        mute = self._link("Mute", "Say no more of this, until the program is started again")
        mute.clicked.connect(self._on_mute)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._title, 1)
        head.addWidget(self._letter, 0, Qt.AlignmentFlag.AlignTop)
        foot = QHBoxLayout()
        foot.addWidget(self._open)
        foot.addStretch(1)
        foot.addWidget(mute)
        column = QVBoxLayout(self)
        column.setContentsMargins(EDGE + GRID + 3, GRID, GRID, HALF_GRID)
        column.setSpacing(HALF_GRID)
        column.addLayout(head)
        column.addWidget(self._told)
        column.addLayout(foot)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.apply_theme(theme)

    def _link(self, text: str, tip: str) -> QPushButton:
        made = QPushButton(text)
        made.setProperty("kind", "link")
        made.setToolTip(tip)
        made.setAccessibleName(f"{text}: {self.alarm.title}")
        made.setMinimumWidth(0)
        return made

    def show_alarm(self, alarm: Alarm) -> None:
        """Tell it as it is now; the same alarm."""
        if alarm == self.alarm:
            return
        self.alarm = alarm
        self._title.setText(alarm.title)
        self._told.setText(alarm.told)
        if alarm.step is not None:
            self._open.setText(f"Go to step {format_count(alarm.step)}")

    def show_selected(self, selected: bool, letter: str) -> None:
        """Show whether its run is the selected one."""
        self._letter.show_letter(letter, filled=selected)

    def _on_open(self) -> None:
        self.opened.emit(self.alarm)

    def _on_mute(self) -> None:
        self.muted.emit(self.alarm)

    def edge_colour(self) -> str:
        """Return the colour of how bad it is."""
        theme = self._theme
        return {Grade.ERROR: theme.error, Grade.WARNING: theme.warning, Grade.NOTE: theme.ink2}[self.alarm.grade]

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        super().apply_theme(theme)
        show_icon(self._icon, _ICONS[self.alarm.grade], self.edge_colour())
        self._letter.apply_theme(theme)
