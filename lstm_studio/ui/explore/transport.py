"""The bar below the plots: step, play, scrub."""

from __future__ import annotations

import math
from itertools import pairwise, product

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from lstm_studio.session.emphasis import emphasised_symbols
from lstm_studio.session.notes import notes_of
from lstm_studio.session.phases import phases_of, shown_phase
from lstm_studio.session.session import Session
from lstm_studio.session.settings import SPEEDS
from lstm_studio.session.state import Remarks, Result, View
from lstm_studio.ui.explore.scrub import OVERHANG, Mark, ScrubBar
from lstm_studio.ui.explore.stop_control import StopControl
from lstm_studio.ui.icons import GRID_SIZE, Icon, set_icon
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Theme, scaled, transport_height
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.symbols import written
from lstm_studio.ui.widgets.text import Room, label

_BESIDE_ICON, _BESIDE_PLAY = 14, 30
"""Pixels of a button that its icon leaves free."""
_TWO_LINES_FROM = 1_000
"""Steps from which the counter may take two lines, where the bar can begin under the plots only so."""
_DRAWN = 30
"""Milliseconds that a phase is on the screen at least when playing."""
_COMFORTABLE = 320
"""Pixels of the bar below which what stands beside it gives up words first."""
_ADDED = "+"
_WHOLE, _PHASES = "whole", "phases"
_COUNTS = {2: "Two", 3: "Three", 4: "Four"}


class Transport(QWidget):
    """First, back, play, forward, last; speed; the scrub bar; loop and show all; whole steps or phases; stop when.

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
        self._loop = self._toggle("Loop", "start again after the last step (L)")
        self._show_all = self._toggle("Show all", "show the steps after the cursor, faintly (A)")
        self._phases = Segments("Steps", {_WHOLE: "Whole step", _PHASES: "Four phases"}, padding=HALF_GRID)
        self._stop = StopControl(session, theme)
        self._left, self._right = QWidget(self), QWidget(self)
        self._placed_for = 0
        self._two_lines = False
        self._counter_widths = (0, 0)
        self._lay_out()
        self._connect()
        self.apply_theme(theme)
        self._show_result()
        self._show_view()

    def _button(self, name: str, icon: Icon) -> QToolButton:
        button = QToolButton()
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setAutoRepeat(icon in {Icon.PREVIOUS, Icon.NEXT})
        return button

    def _toggle(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setToolTip(f"{text}: {tip}")
        button.setAccessibleName(text)
        button.setCheckable(True)
        return button

    def _lay_out(self) -> None:
        self._play.setProperty("kind", "primary")
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g} step{'s' if speed != 1 else ''}/s", speed)
        self._speed.setAccessibleName("Speed")
        self._speed.setToolTip("Steps per second when playing")
        self._counter.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        left = QHBoxLayout(self._left)
        left.setContentsMargins(PANEL_INSET, 0, 0, 0)
        left.setSpacing(HALF_GRID)
        for button in (self._first, self._back, self._play, self._forward, self._last):
            left.addWidget(button)
        left.addSpacing(HALF_GRID)
        left.addWidget(self._speed)
        left.addWidget(Room(self._counter), 1)
        right = QHBoxLayout(self._right)
        right.setContentsMargins(0, 0, PANEL_INSET, 0)
        right.setSpacing(GRID)
        right.addWidget(self._loop)
        right.addWidget(self._show_all)
        right.addWidget(self._phases, 0, Qt.AlignmentFlag.AlignVCenter)
        right.addWidget(self._stop, 1, Qt.AlignmentFlag.AlignVCenter)
        self._scrub.setParent(self)
        # In the order in which Tab goes through them.
        segments = (self._phases.button(_WHOLE), self._phases.button(_PHASES))
        toggles = (self._loop, self._show_all)
        for before, after in pairwise((self._last, self._speed, self._scrub, *toggles, *segments, *self._stop.parts)):
            QWidget.setTabOrder(before, after)

    def _connect(self) -> None:
        self._left.installEventFilter(self)
        self._first.clicked.connect(self.first)
        self._back.clicked.connect(self.back)
        self._play.clicked.connect(self.toggle_playing)
        self._forward.clicked.connect(self.forward)
        self._last.clicked.connect(self.last)
        self._scrub.chosen.connect(self._session_step)
        self._speed.activated.connect(self._choose_speed)
        self._loop.clicked.connect(self._choose_loop)
        self._show_all.clicked.connect(self._choose_show_all)
        self._phases.chosen.connect(self._choose_phases)
        self._stop.hits_changed.connect(self._show_hits)
        self._timer.timeout.connect(self._tick)
        self._session.result_replaced.connect(self._on_result)
        self._session.remarks_changed.connect(self._on_remarks)
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
        if self._at_end():
            self._rewind()
        self._timer.start(self._interval())
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
        """Go one step back, or one phase."""
        self._session.step(-1)

    def forward(self) -> None:
        """Go one step on, or one phase."""
        self._session.step(1)

    def last(self) -> None:
        """Go to the last step."""
        self._session.move_cursor(self._session.steps - 1)

    def next_hit(self) -> None:
        """Go to the next step at which the stop conditions hold, after the last to the first."""
        step = self._stop.hit_after(self._session.view.cursor)
        if step is not None:
            self._session.move_cursor(step)

    def previous_hit(self) -> None:
        """Go to the last step before this one at which the stop conditions hold, before the first to the last."""
        step = self._stop.hit_before(self._session.view.cursor)
        if step is not None:
            self._session.move_cursor(step)

    @property
    def stop_control(self) -> StopControl:
        """Where playing stops."""
        return self._stop

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
            set_icon(button, icon, theme)
            button.setFixedSize(_button_width(), transport_height())
        self._play.setFixedSize(_button_width(_BESIDE_PLAY), transport_height())
        self._phases.setMinimumHeight(transport_height())
        self._stop.apply_theme(theme)
        self._scrub.apply_theme(theme)
        self.updateGeometry()
        self._show_playing()

    def sizeHint(self) -> QSize:
        """Return the bar's height and a comfortable width."""
        return QSize(900, self._scrub.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the width at which the scrub bar can still be used."""
        sides = self._left_width(two_lines=True, spared=len(self._spares)) + self._right_width(
            toggles=False, roomy=False
        )
        return QSize(sides + self._scrub.minimumSizeHint().width() + 2 * GRID, self.sizeHint().height())

    def showEvent(self, event: QShowEvent) -> None:
        """Give the counter the room that it needs in its own font, which it has from now on."""
        super().showEvent(event)
        self._show_view()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the parts."""
        super().resizeEvent(event)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Make room for what the counter needs, which its surroundings hear of only now."""
        done = super().eventFilter(watched, event)
        if event.type() is QEvent.Type.LayoutRequest and self._left.sizeHint().width() != self._placed_for:
            self._place()
        return done

    def _right_width(self, *, toggles: bool, roomy: bool) -> int:
        """Return the width of what stands right of the bar, with or without the toggles, with all words or few."""
        stop = self._stop.sizeHint() if roomy else self._stop.minimumSizeHint()
        width = self._phases.sizeHint().width() + GRID + stop.width() + PANEL_INSET
        return width + (2 * (_button_width() + GRID) if toggles else 0)

    @property
    def _spares(self) -> tuple[tuple[QWidget, int], ...]:
        """What keys and menu do, too, and may leave its room to the bar: in this order, and how wide each is."""
        ends = ((button, _button_width() + HALF_GRID) for button in (self._last, self._first))
        return (self._speed, self._speed.sizeHint().width() + HALF_GRID), *ends

    def _left_width(self, *, two_lines: bool, spared: int = 0) -> int:
        """Return the width of what stands left of the bar, with the counter on one line or two, without some parts."""
        now = self._left.sizeHint().width() + sum(width for part, width in self._spares if part.isHidden())
        one, two = self._counter_widths
        needed, shown = (two if two_lines else one), (two if self._two_lines else one)
        return now + needed - shown - sum(width for _, width in self._spares[:spared])

    def _place(self) -> None:
        self._placed_for = self._left.sizeHint().width()
        width, height = self.width(), self.height()
        shortest = self._scrub.minimumSizeHint().width()
        left, right = self._edges or (0, 0)
        # A short counter is as wide on two lines, or wider.
        lines = (False, True) if self._counter_widths[1] < self._counter_widths[0] else (False,)
        spared = 0
        # Under the plots if it can be, without the toggles where they are in the way: the menu has them too.
        under = ((True, True), (False, True), (False, False))
        for (toggles, roomy), two_lines in product(under, lines):
            low = self._left_width(two_lines=two_lines) + GRID
            beside = self._right_width(toggles=toggles, roomy=roomy)
            if left >= low and right <= width - beside - GRID and right - left >= shortest:
                break
        else:
            for (toggles, roomy), two_lines in product(((True, True), (True, False), (False, False)), lines):
                low = self._left_width(two_lines=two_lines) + GRID
                if width - self._right_width(toggles=toggles, roomy=roomy) - low > _COMFORTABLE:
                    break
            left, right = low, width - self._right_width(toggles=toggles, roomy=roomy) - GRID
            while right - left < shortest and spared < len(self._spares):
                spared += 1
                left = self._left_width(two_lines=two_lines, spared=spared) + GRID
        for place, (part, _) in enumerate(self._spares):
            part.setVisible(place >= spared)
        if two_lines != self._two_lines:
            self._two_lines = two_lines
            self._show_counter()
        for toggle in (self._loop, self._show_all):
            toggle.setVisible(toggles)
        # The counter stands right beside the bar, so the left group takes all the room up to it.
        self._left.setGeometry(0, 0, left - GRID, height)
        room = min(width - right - GRID, self._right_width(toggles=toggles, roomy=True))
        self._right.setGeometry(width - room, 0, room, height)
        self._scrub.setGeometry(left - OVERHANG, 0, right - left + 2 * OVERHANG, height)
        self._right.raise_()
        self._left.raise_()

    def _on_result(self, result: Result) -> None:  # noqa: ARG002 - the session holds it
        self._show_result()
        self._show_view()

    def _on_view(self, after: View, before: View) -> None:  # noqa: ARG002 - cheap enough to show as a whole
        self._show_view()

    def _on_remarks(self, _: Remarks) -> None:
        self._show_notes()

    def _show_notes(self) -> None:
        notes = notes_of(self._session.remarks.notes, self._session.result.setup.item)
        self._scrub.show_notes(tuple((note.step, note.text) for note in notes))

    def _show_result(self) -> None:
        result = self._session.result
        self._show_notes()
        self._scrub.show_steps(result.sequence.steps, self._session.view.cursor, _marks(result))
        phases = phases_of(result)
        reason = "" if phases else f"{_kind(result)} has no operations to take one by one"
        self._phases.set_text(_PHASES, f"{_COUNTS.get(len(phases), 'Four')} phases")
        for key, tip in ((_WHOLE, "Take whole steps"), (_PHASES, "Take the operations of each step one by one")):
            self._phases.button(key).setEnabled(bool(phases))
            self._phases.button(key).setToolTip(reason or f"{tip} (4)")
        self._show_hits()

    def _show_hits(self) -> None:
        self._scrub.show_hits(self._stop.hits if self._stop.on else self._stop.hits[:0])
        self._place()

    def _show_view(self) -> None:
        view, steps = self._session.view, self._session.steps
        self._scrub.show_step(view.cursor)
        self._scrub.show_stretch(view.marked)
        if self._show_counter():
            self._place()
        index = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - view.speed))
        self._speed.setCurrentIndex(index)
        self._loop.setChecked(view.loop)
        self._show_all.setChecked(view.reveal_all)
        for button, off in (
            (self._first, view.cursor <= 0),
            (self._back, self._at_start()),
            (self._forward, self._at_end()),
            (self._last, view.cursor >= steps - 1),
        ):
            button.setEnabled(not off)
        self._play.setEnabled(steps > 1)
        in_phases = shown_phase(self._session.result, view) is not None
        self._phases.show_choice(_PHASES if in_phases else _WHOLE)
        self._back.setToolTip("Previous phase" if in_phases else "Previous step")
        self._forward.setToolTip("Next phase" if in_phases else "Next step")
        if self.playing and self._timer.interval() != self._interval():
            self._timer.setInterval(self._interval())

    def _show_counter(self) -> bool:
        """Say which step is shown, and which phase of it; return whether this can come to need another width."""
        view, steps = self._session.view, self._session.steps
        phase = shown_phase(self._session.result, view)
        step, last = format_count(view.cursor + 1), format_count(steps)
        numbers = f"{step} / {last}"
        lines = [f"{step} /", last] if self._two_lines else [numbers]
        words = []
        if phase is not None:
            named = f"{phase:d} {phase.label(view.labels)}"
            lines.append(named)
            words = [f"{each:d} {each.label(view.labels)}" for each in phases_of(self._session.result)]
            numbers = f"{numbers} · {named}"
        self._counter.setText("\n".join(lines))
        self._counter.setAccessibleName(f"Step {numbers.replace(' / ', ' of ')}")
        self._counter.setToolTip(numbers)
        metrics = self._counter.fontMetrics()
        in_words = max((metrics.horizontalAdvance(each) for each in words), default=0)
        one = max(in_words, metrics.horizontalAdvance(f"{last} / {last}"))
        two = max(in_words, metrics.horizontalAdvance(f"{last} /"))
        before = (self._counter_widths, self._counter.minimumWidth())
        self._counter_widths = (one + HALF_GRID, (two if steps >= _TWO_LINES_FROM else one) + HALF_GRID)
        self._counter.setMinimumWidth(self._counter_widths[self._two_lines])
        return before != (self._counter_widths, self._counter.minimumWidth())

    def _show_playing(self) -> None:
        playing = self.playing
        words = "Pause" if playing else "Play"
        set_icon(self._play, Icon.PAUSE if playing else Icon.PLAY, self._theme, self._theme.panel)
        self._play.setAccessibleName(words)
        self._play.setToolTip(f"{words} (Space)")
        self.playing_changed.emit(playing)

    def _at_start(self) -> bool:
        return self._session.view.cursor <= 0 and self._is_phase(0)

    def _at_end(self) -> bool:
        return self._session.view.cursor >= self._session.steps - 1 and self._is_phase(-1)

    def _is_phase(self, index: int) -> bool:
        """Return whether the first or last phase of a step is shown, as it always is where whole steps are."""
        phase = shown_phase(self._session.result, self._session.view)
        return phase is None or phase is phases_of(self._session.result)[index]

    def _rewind(self) -> None:
        phases = phases_of(self._session.result)
        self._session.look(cursor=0, phase=phases[0] if phases else self._session.view.phase)

    def _interval(self) -> int:
        """Return the milliseconds from tick to tick: a step takes as long in phases as it takes whole."""
        result, view = self._session.result, self._session.view
        phases = 1 if shown_phase(result, view) is None else len(phases_of(result))
        return max(1, round(1000 / view.speed / phases * self._stride()))

    def _stride(self) -> int:
        """Return the phases that one tick takes: several where they would come faster than they can be drawn."""
        result, view = self._session.result, self._session.view
        if shown_phase(result, view) is None:
            return 1
        phases = len(phases_of(result))
        return min(phases, max(1, math.ceil(_DRAWN * view.speed * phases / 1000)))

    def _tick(self) -> None:
        before = self._session.view.cursor
        if not self._at_end():
            self._session.step(self._stride())
        elif self._session.view.loop:
            self._rewind()
        cursor = self._session.view.cursor
        # At the end it stops with the last step on the screen, not a tick later.
        ended = not self._session.view.loop and self._at_end()
        if ended or (cursor != before and self._stop.stops_at(cursor)):
            self.pause()

    def _choose_phases(self, key: str) -> None:
        self._session.show_phases(key == _PHASES)

    def _session_step(self, step: int) -> None:
        self._session.move_cursor(step)

    def _choose_speed(self, index: int) -> None:
        self._session.look(speed=SPEEDS[index])

    def _choose_loop(self, on: bool) -> None:
        self._session.look(loop=on)

    def _choose_show_all(self, on: bool) -> None:
        self._session.look(reveal_all=on)


def _button_width(beside: int = _BESIDE_ICON) -> int:
    return scaled(GRID_SIZE) + beside


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


def _kind(result: Result) -> str:
    """Return what the cell under the microscope is called, ``"A vanilla RNN"``."""
    title = result.infos[0].title if result.infos else ""
    return f"The {title or 'network'}"
