"""The bar below the plots: step, play, scrub."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from lstm_studio.session.session import Session
from lstm_studio.session.settings import SPEEDS
from lstm_studio.session.state import Result, View
from lstm_studio.ui.explore.emphasis import emphasised_symbols
from lstm_studio.ui.explore.scrub import OVERHANG, Mark, ScrubBar
from lstm_studio.ui.icons import Icon, make_icon
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, TRANSPORT_HEIGHT, Theme
from lstm_studio.ui.widgets.symbols import written
from lstm_studio.ui.widgets.text import label

_BUTTON_WIDTH = 30
_PLAY_WIDTH = 46
_TWO_LINES_FROM = 1_000
"""Steps from which the counter takes two lines, so that the bar can begin under the plots."""
_ADDED = "+"


class Transport(QWidget):
    """First, back, play, forward, last; speed; the scrub bar; loop and show all.

    Playing moves the session's cursor by a timer: it reveals what is traced and computes nothing.
    """

    playing_changed = Signal(bool)

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._theme = session, theme
        self._edges: tuple[int, int] | None = None
        self.setAccessibleName("Transport")
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._first = self._button("First step", Icon.FIRST)
        self._back = self._button("Previous step", Icon.PREVIOUS)
        self._play = self._button("Play", Icon.PLAY)
        self._forward = self._button("Next step", Icon.NEXT)
        self._last = self._button("Last step", Icon.LAST)
        self._speed = QComboBox()
        self._counter = label(kind="title")
        self._scrub = ScrubBar(theme)
        self._loop = self._toggle("Loop", "Start again after the last step")
        self._show_all = self._toggle("Show all", "Show the steps after the cursor, faintly")
        self._left, self._right = QWidget(self), QWidget(self)
        self._lay_out()
        self._connect()
        self.apply_theme(theme)
        self._show_result()
        self._show_view()

    def _button(self, name: str, icon: Icon) -> QToolButton:
        button = QToolButton()
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setFixedSize(_PLAY_WIDTH if icon is Icon.PLAY else _BUTTON_WIDTH, TRANSPORT_HEIGHT)
        button.setAutoRepeat(icon in {Icon.PREVIOUS, Icon.NEXT})
        return button

    def _toggle(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(text)
        button.setCheckable(True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        return button

    def _lay_out(self) -> None:
        self._play.setProperty("kind", "primary")
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g} step{'s' if speed != 1 else ''}/s", speed)
        self._speed.setAccessibleName("Speed")
        self._speed.setToolTip("Steps per second when playing")
        self._counter.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._counter.setAccessibleName("Step")
        left = QHBoxLayout(self._left)
        left.setContentsMargins(PANEL_INSET, 0, 0, 0)
        left.setSpacing(HALF_GRID)
        for button in (self._first, self._back, self._play, self._forward, self._last):
            left.addWidget(button)
        left.addSpacing(HALF_GRID)
        left.addWidget(self._speed)
        left.addWidget(self._counter, 1)
        right = QHBoxLayout(self._right)
        right.setContentsMargins(0, 0, PANEL_INSET, 0)
        right.setSpacing(GRID)
        right.addWidget(self._loop)
        right.addWidget(self._show_all)
        self._scrub.setParent(self)
        # In the order in which Tab goes through them.
        for before, after in pairwise((self._last, self._speed, self._scrub, self._loop, self._show_all)):
            QWidget.setTabOrder(before, after)

    def _connect(self) -> None:
        self._first.clicked.connect(self.first)
        self._back.clicked.connect(self.back)
        self._play.clicked.connect(self.toggle_playing)
        self._forward.clicked.connect(self.forward)
        self._last.clicked.connect(self.last)
        self._scrub.valueChanged.connect(self._session_step)
        self._speed.activated.connect(self._choose_speed)
        self._loop.clicked.connect(self._choose_loop)
        self._show_all.clicked.connect(self._choose_show_all)
        self._timer.timeout.connect(self._tick)
        self._session.result_replaced.connect(self._on_result)
        self._session.view_changed.connect(self._on_view)

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._timer.isActive()

    @property
    def scrub(self) -> ScrubBar:
        """The bar."""
        return self._scrub

    def toggle_playing(self) -> None:
        """Play, or pause; at the end, play from the beginning."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def play(self) -> None:
        """Play from the cursor; at the end, from the beginning."""
        if self.playing or self._session.steps < 2:
            return
        if self._session.view.cursor >= self._session.steps - 1:
            self._session.move_cursor(0)
        self._timer.start(round(1000 / self._session.view.speed))
        self._show_playing()

    def pause(self) -> None:
        """Stop playing where it is."""
        if self.playing:
            self._timer.stop()
            self._show_playing()

    def first(self) -> None:
        """Go to the first step."""
        self._session.move_cursor(0)

    def back(self) -> None:
        """Go one step back."""
        self._session.move_cursor(self._session.view.cursor - 1)

    def forward(self) -> None:
        """Go one step on."""
        self._session.move_cursor(self._session.view.cursor + 1)

    def last(self) -> None:
        """Go to the last step."""
        self._session.move_cursor(self._session.steps - 1)

    def align(self, left: int, right: int) -> None:
        """Put the ends of the scrub bar under the plots' edges, both in this widget's coordinates.

        Where the buttons need that room, the bar takes what is left between them.
        """
        if (left, right) != self._edges:
            self._edges = (left, right)
            self._place()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        icons = {
            self._first: Icon.FIRST,
            self._back: Icon.PREVIOUS,
            self._forward: Icon.NEXT,
            self._last: Icon.LAST,
            self._loop: Icon.LOOP,
            self._show_all: Icon.EYE,
        }
        for button, icon in icons.items():
            button.setIcon(make_icon(icon, theme))
        self._scrub.apply_theme(theme)
        self.updateGeometry()
        self._show_playing()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the bar's height and a comfortable width."""
        return QSize(900, self._scrub.sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the width at which the scrub bar can still be used."""
        sides = self._left.sizeHint().width() + self._right.sizeHint().width()
        return QSize(sides + self._scrub.minimumSizeHint().width(), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Place the parts."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        width, height = self.width(), self.height()
        sides = self._left.sizeHint().width(), self._right.sizeHint().width()
        low, high = sides[0] + GRID, width - sides[1] - GRID
        left, right = self._edges or (low, high)
        if left < low or right > high or right - left < self._scrub.minimumSizeHint().width():
            left, right = low, high
        # The counter stands right beside the bar, so the left group takes all the room up to it.
        self._left.setGeometry(0, 0, left - GRID, height)
        self._right.setGeometry(width - sides[1], 0, sides[1], height)
        self._scrub.setGeometry(left - OVERHANG, 0, right - left + 2 * OVERHANG, height)
        self._right.raise_()
        self._left.raise_()

    def _on_result(self, result: Result) -> None:  # noqa: ARG002 - the session holds it
        self._show_result()
        self._show_view()

    def _on_view(self, after: View, before: View) -> None:  # noqa: ARG002 - cheap enough to show as a whole
        self._show_view()

    def _show_result(self) -> None:
        result = self._session.result
        self._scrub.show_steps(result.sequence.steps, self._session.view.cursor, _marks(result))

    def _show_view(self) -> None:
        view, steps = self._session.view, self._session.steps
        self._scrub.show_step(view.cursor)
        self._scrub.show_stretch(view.marked)
        break_ = "\n" if steps >= _TWO_LINES_FROM else " "
        self._counter.setText(f"{format_count(view.cursor + 1)} /{break_}{format_count(steps)}")
        widest = f"{format_count(steps)} /" if steps >= _TWO_LINES_FROM else f"{steps} / {steps}"
        needed = self._counter.fontMetrics().horizontalAdvance(widest) + HALF_GRID
        if needed != self._counter.minimumWidth():
            self._counter.setMinimumWidth(needed)
            self._place()
        index = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - view.speed))
        self._speed.setCurrentIndex(index)
        self._loop.setChecked(view.loop)
        self._show_all.setChecked(view.reveal_all)
        at_first, at_last = view.cursor <= 0, view.cursor >= steps - 1
        for button, off in (
            (self._first, at_first),
            (self._back, at_first),
            (self._forward, at_last),
            (self._last, at_last),
        ):
            button.setEnabled(not off)
        self._play.setEnabled(steps > 1)
        if self.playing:
            self._timer.setInterval(round(1000 / view.speed))

    def _show_playing(self) -> None:
        playing = self.playing
        words = "Pause" if playing else "Play"
        self._play.setIcon(make_icon(Icon.PAUSE if playing else Icon.PLAY, self._theme, self._theme.panel))
        self._play.setAccessibleName(words)
        self._play.setToolTip(f"{words} (Space)")
        self.playing_changed.emit(playing)

    def _tick(self) -> None:
        cursor, steps = self._session.view.cursor, self._session.steps
        if cursor < steps - 1:
            self._session.move_cursor(cursor + 1)
        elif self._session.view.loop:
            self._session.move_cursor(0)
        # At the end it stops with the last step on the screen, not a tick later.
        if not self._session.view.loop and self._session.view.cursor >= self._session.steps - 1:
            self.pause()

    def _session_step(self, step: int) -> None:
        self._session.move_cursor(step)

    def _choose_speed(self, index: int) -> None:
        self._session.look(speed=SPEEDS[index])

    def _choose_loop(self, on: bool) -> None:
        self._session.look(loop=on)

    def _choose_show_all(self, on: bool) -> None:
        self._session.look(reveal_all=on)


def _marks(result: Result) -> tuple[Mark, ...]:
    """Return the steps with symbols that stand out, and the events that were added by hand."""
    added = result.sequence.steps - len(result.setup.events)
    marks = [Mark(step, _ADDED) for step in range(added, result.sequence.steps)]
    emphasis = set(emphasised_symbols(result.sequences))
    if emphasis and result.sequence.symbols is not None:
        for step, symbol in enumerate(result.sequence.symbols):
            if step >= added:
                marks[step - added] = Mark(step, _ADDED + written(symbol))
            elif symbol in emphasis:
                marks.append(Mark(step, written(symbol)))
    return tuple(sorted(marks, key=lambda mark: mark.step))
