"""The bar of Monitor: through the recorded steps of the selected run, and from one of them to Explore."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from lstm_studio.runs.like import Status
from lstm_studio.session.monitoring import Monitoring, MonitorView
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.icons import GRID_SIZE, Icon, set_icon
from lstm_studio.ui.monitor.drawing import Drawing
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Theme, scaled, transport_height
from lstm_studio.ui.training_plots.span import Span
from lstm_studio.ui.training_plots.step_bar import OVERHANG, StepBar
from lstm_studio.ui.widgets.text import Room, label

_BESIDE_ICON = 14
_BUTTONS = (
    ("monitor.first-step", Icon.FIRST),
    ("monitor.previous-step", Icon.PREVIOUS),
    ("monitor.next-step", Icon.NEXT),
    ("monitor.last-step", Icon.LAST),
)


class MonitorBar(QWidget):
    """First, back, forward, last; which step; the bar; follow; open in Explore.

    Parameters
    ----------
    monitoring
        Whose steps it goes through.
    drawing
        Where these are on the axis.
    actions
        What the buttons do.
    """

    def __init__(self, monitoring: Monitoring, drawing: Drawing, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._monitoring, self._drawing, self._actions, self._theme = monitoring, drawing, actions, theme
        self._edges: tuple[int, int] | None = None
        self.setAccessibleName("Training steps")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._left, self._right = QWidget(self), QWidget(self)
        self._buttons = [self._button(key) for key, _ in _BUTTONS]
        self._counter = label(kind="title")
        self.bar = StepBar(theme, "Training step")
        self._items = QComboBox()
        self._follow = QPushButton(actions["monitor.follow"].text())
        self._open = QPushButton()
        self._lay_out()
        self.bar.chosen.connect(monitoring.go_to_place)
        self._items.activated.connect(self._choose_item)
        self._follow.clicked.connect(actions["monitor.follow"].trigger)
        self._open.clicked.connect(actions["monitor.open"].trigger)
        monitoring.view_changed.connect(self._on_view)
        monitoring.pictured.connect(self._on_pictured)
        monitoring.listed.connect(self._on_listed)
        self.apply_theme(theme)

    def _button(self, key: str) -> QToolButton:
        action = self._actions[key]
        button = QToolButton()
        button.setAccessibleName(action.text())
        button.setToolTip(action.toolTip())
        button.setAutoRepeat(key in {"monitor.previous-step", "monitor.next-step"})
        button.clicked.connect(action.trigger)
        return button

    def _lay_out(self) -> None:
        self._counter.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._counter.setAccessibleName("Training step")
        left = QHBoxLayout(self._left)
        left.setContentsMargins(PANEL_INSET, 0, 0, 0)
        left.setSpacing(HALF_GRID)
        for button in self._buttons:
            left.addWidget(button)
        left.addWidget(Room(self._counter, grows=True), 1)
        self._items.setAccessibleName("Sampled sequence")
        self._items.hide()
        self._items.setToolTip("Which of the sampled sequences opens")
        self._follow.setCheckable(True)
        self._follow.setToolTip(self._actions["monitor.follow"].toolTip())
        self._open.setProperty("kind", "primary")
        right = QHBoxLayout(self._right)
        right.setContentsMargins(0, 0, PANEL_INSET, 0)
        right.setSpacing(GRID)
        for part in (self._items, self._follow, self._open):
            right.addWidget(part)
        self.bar.setParent(self)
        for before, after in pairwise((self._buttons[-1], self.bar, self._items, self._follow, self._open)):
            QWidget.setTabOrder(before, after)

    def align(self, left: int, right: int) -> None:
        """Put the ends of the bar under the edges of the plots, in pixels of the screen, where the buttons allow it."""
        if (left, right) != self._edges:
            self._edges = (left, right)
            self._place()

    def refresh(self) -> None:
        """Show steps and cursor as they are now."""
        monitoring = self._monitoring
        picture, steps, place = monitoring.selected, monitoring.steps, monitoring.place
        last = 0 if picture is None else max(0, picture.last_step)
        span = self._drawing.span()
        if picture is None or place is None:
            positions, until, words = np.zeros(0), 0.0, "no steps yet"
        else:
            numbers = np.fromiter(steps, np.int64, len(steps))
            if self._drawing.has_places(picture):
                positions, until = self._drawing.positions(picture, numbers), self._drawing.position(picture, last)
            else:
                # The steps can be gone through all the same.
                span, positions, until = Span(0.0, max(1.0, last)), numbers.astype(np.float64), float(last)
            words = f"{format_count(int(steps[place]))} of {format_count(last)}"
        self.bar.show_steps(span, positions, place or 0, until, words=words)
        self._counter.setText(words)
        self._show_buttons(place, len(steps))

    def _show_buttons(self, place: int | None, count: int) -> None:
        monitoring = self._monitoring
        picture = monitoring.selected
        at_start, at_end = place in {None, 0}, place is None or place == count - 1
        for button, off in zip(self._buttons, (at_start, at_start, at_end, at_end), strict=True):
            button.setEnabled(not off)
        self._follow.setChecked(monitoring.following)
        self._follow.setEnabled(picture is not None)
        self._follow.setText("Follow live edge" if picture is None or picture.status is Status.RUNNING else "Last step")
        traced = picture is not None and bool(picture.steps)
        step = monitoring.step
        self._open.setEnabled(traced)
        named = traced and step is not None
        self._open.setText(f"Open step {format_count(step or 0)} in Explore" if named else "Open in Explore")
        reason = "" if traced else "This run has no recorded step that could be opened. "
        self._open.setToolTip(reason + self._actions["monitor.open"].toolTip())
        sampled = picture.info.get("sequences") if picture is not None else None
        many = sampled if isinstance(sampled, int) and 1 < sampled <= 1000 and traced else 0
        self._keep_room()
        if self._items.count() != many:
            self._items.clear()
            self._items.addItems([f"Sequence {item + 1}" for item in range(many)])
            self._items.setVisible(many > 1)
            self._place()
        if many:
            self._items.setCurrentIndex(min(monitoring.view.item, many - 1))

    def _keep_room(self) -> None:
        """Leave the buttons the widths that they have had: a bar that moves under the mouse cannot be dragged."""
        needed = self._open.sizeHint().width()
        if needed > self._open.minimumWidth():
            self._open.setMinimumWidth(needed)
            self._place()

    def _choose_item(self, index: int) -> None:
        self._monitoring.look(item=index)

    def _on_view(self, after: MonitorView, before: MonitorView) -> None:  # noqa: ARG002 - cheap enough to show whole
        if self.isVisible():
            self.refresh()

    def _on_pictured(self, addresses: frozenset[str]) -> None:
        if self.isVisible() and addresses & {*self._monitoring.drawn, self._monitoring.view.selected}:
            self.refresh()

    def _on_listed(self, addresses: tuple[str, ...]) -> None:  # noqa: ARG002 - the watch list holds them
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        for button, (_, icon) in zip(self._buttons, _BUTTONS, strict=True):
            set_icon(button, icon, theme)
            button.setFixedSize(scaled(GRID_SIZE) + _BESIDE_ICON, transport_height())
        for part in (self._items, self._follow, self._open):
            part.setMinimumHeight(transport_height())
        # What larger text has needed is kept no longer.
        self._open.setMinimumWidth(0)
        self.bar.apply_theme(theme)
        self.refresh()
        self.updateGeometry()

    # Places.

    def sizeHint(self) -> QSize:
        """Return the bar's height and a comfortable width."""
        return QSize(900, self.bar.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the width at which the bar can still be used."""
        sides = self._left.sizeHint().width() + self._right.sizeHint().width()
        return QSize(sides + self.bar.minimumSizeHint().width() + 2 * GRID, self.sizeHint().height())

    def showEvent(self, event: QShowEvent) -> None:
        """Show what has come while it could not be seen."""
        super().showEvent(event)
        self.refresh()

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
        low, beside = self._left.sizeHint().width() + GRID, self._right.sizeHint().width()
        offset = self.mapToGlobal(QPoint()).x()
        left, right = (edge - offset for edge in self._edges) if self._edges else (0, 0)
        if left - OVERHANG < low:
            left = low + OVERHANG
        if right + OVERHANG > width - beside - GRID or right <= left:
            right = width - beside - GRID - OVERHANG
        self._left.setGeometry(0, 0, left - OVERHANG, height)
        self._right.setGeometry(width - beside, 0, beside, height)
        self.bar.setGeometry(left - OVERHANG, 0, right - left + 2 * OVERHANG, height)
