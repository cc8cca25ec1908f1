"""The marked stretch of time: a bracket over all rows, whose ends can be dragged."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QToolTip, QWidget

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.scale import TimeScale

_LINE = 2.0
_HALO = 1.0
_BAR = 4.0
_LEAST = 3.0
"""Logical pixels that even a stretch of less than that is wide."""
_GRIP = (7.0, 18.0)
"""Width and largest height of what an end is held by, one in each row."""
_GRIP_SHARE = 0.5
"""Of a row's height that it takes at most."""
_REACH = 6.0
"""Logical pixels beside an end from which it can be held."""


class End(Enum):
    """One end of a stretch."""

    FIRST = "first"
    LAST = "last"


class StretchItem(QGraphicsItem):
    """A bar above the rows from the first marked step to the last; at each visible end a line, with a grip in each row.

    Parameters
    ----------
    look
        Theme and text scale.
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.stretch: tuple[int, int] | None = None
        self._scale = TimeScale(0, 1, 1, 0, 1)
        self._area = QRectF()
        self._rows: tuple[tuple[float, float], ...] = ()

    @property
    def scale_of_time(self) -> TimeScale:
        """Where steps lie."""
        return self._scale

    def place(self, scale: TimeScale, area: QRectF, rows: Sequence[tuple[float, float]] = ()) -> None:
        """Give the bracket its place: where steps lie, the scene rectangle of all rows, and top and height of each."""
        self.prepareGeometryChange()
        self._scale, self._area, self._rows = scale, area, tuple(rows)

    def show_stretch(self, stretch: tuple[int, int] | None) -> None:
        """Mark from a first step to the one before the second, or nothing."""
        if stretch != self.stretch:
            self.prepareGeometryChange()
            self.stretch = stretch

    def span(self) -> tuple[float, float] | None:
        """Return the scene coordinates between which the visible part lies; None where nothing of it is visible."""
        scale = self._scale
        if self.stretch is None:
            return None
        first, last = max(self.stretch[0], scale.first), min(self.stretch[1], scale.first + scale.count) - 1
        if first > last:
            return None
        left, right = scale.column_edges(first)[0], scale.column_edges(last)[1]
        missing = max(0.0, _LEAST - (right - left)) / 2
        return left - missing, right + missing

    def ends(self) -> dict[End, float]:
        """Return the scene coordinate of the inner edge of each end that is visible."""
        span, scale = self.span(), self._scale
        if span is None or self.stretch is None:
            return {}
        found = {}
        if self.stretch[0] >= scale.first:
            found[End.FIRST] = span[0]
        if self.stretch[1] <= scale.first + scale.count:
            found[End.LAST] = span[1]
        return found

    def end_at(self, point: QPointF) -> End | None:
        """Return the end that can be held at a point: the nearer one, if any is near."""
        area = self._area.adjusted(-_REACH, -_BAR, _REACH, 0)
        near = {end: abs(x - point.x()) for end, x in self.ends().items()} if area.contains(point) else {}
        end = min(near, key=lambda end: near[end], default=None)
        return end if end is not None and near[end] <= _REACH else None

    def grips(self, end: End) -> list[QRectF]:
        """Return where an end is held: outside the stretch, in the middle of each row."""
        x = self.ends().get(end)
        if x is None:
            return []
        left = x - _GRIP[0] if end is End.FIRST else x
        found = []
        for top, height in self._rows:
            long = min(_GRIP[1], _GRIP_SHARE * height)
            grip = QRectF(left, top + (height - long) / 2, _GRIP[0], long)
            if grip.top() >= self._area.top() and grip.bottom() <= self._area.bottom():
                found.append(grip)
        return found

    def boundingRect(self) -> QRectF:
        """Return the bracket with its halo; empty where nothing of it is visible."""
        span = self.span()
        if span is None:
            return QRectF()
        reach = _GRIP[0] + _HALO
        top = self._area.top() - _BAR
        return QRectF(span[0] - reach, top, span[1] - span[0] + 2 * reach, self._area.bottom() - top)

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Draw the bar, and an end wherever the stretch ends within the visible steps."""
        span, ends = self.span(), self.ends()
        if span is None:
            return
        theme, area = self.look.theme, self._area
        lines = [x - _LINE if end is End.FIRST else x for end, x in ends.items()]
        for x in lines:
            halo = QRectF(x - _HALO, area.top(), _LINE + 2 * _HALO, area.height())
            painter.fillRect(halo, QColor(theme.halo))
        begin = span[0] - (_LINE if End.FIRST in ends else 0)
        end = span[1] + (_LINE if End.LAST in ends else 0)
        painter.fillRect(QRectF(begin, area.top() - _BAR, end - begin, _BAR), QColor(theme.focus))
        for x in lines:
            painter.fillRect(QRectF(x, area.top(), _LINE, area.height()), QColor(theme.focus))
        for grip in (grip for end in ends for grip in self.grips(end)):
            painter.fillRect(grip.adjusted(-_HALO, -_HALO, _HALO, _HALO), QColor(theme.halo))
            painter.fillRect(grip, QColor(theme.focus))
            notch = QRectF(grip.center().x() - 0.5, grip.top() + 3, 1, grip.height() - 6)
            painter.fillRect(notch, QColor(theme.halo))


class StretchHandles(QObject):
    """Holds an end of the marked stretch while the mouse drags it.

    Parameters
    ----------
    item
        What draws the stretch.
    view
        Whose cursor says that an end can be held.
    """

    moved = Signal(int, int, bool)
    """First step, the one after the last, and whether this goes on with the movement told last."""

    def __init__(self, item: StretchItem, view: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._item, self._view = item, view
        self._held: End | None = None
        self._moving = False

    def take(self, point: QPointF) -> bool:
        """Hold the end at a point; return whether there is one."""
        self._held, self._moving = self._item.end_at(point), False
        return self._held is not None

    def drag(self, point: QPointF) -> bool:
        """Move the end that is held to a point; return whether any is."""
        stretch, scale = self._item.stretch, self._item.scale_of_time
        if self._held is None or stretch is None:
            return False
        step = scale.step_at(point.x())
        first, stop = stretch
        new = (min(step, stop - 1), stop) if self._held is End.FIRST else (first, max(step, first) + 1)
        if new != stretch:
            self.moved.emit(*new, self._moving)
            self._moving = True
        steps = f"{format_count(new[0] + 1)}–{format_count(new[1])}"
        length = f"{format_count(new[1] - new[0])} step{'' if new[1] - new[0] == 1 else 's'}"
        QToolTip.showText(self._view.mapToGlobal(point.toPoint()), f"Steps {steps} · {length}", self._view)
        return True

    def release(self) -> None:
        """Let go."""
        if self._held is not None:
            self._held = None
            QToolTip.hideText()

    def hover(self, point: QPointF) -> None:
        """Show by the mouse cursor whether an end can be held."""
        if self._item.end_at(point) is not None:
            self._view.setCursor(Qt.CursorShape.SplitHCursor)
        elif self._view.cursor().shape() is Qt.CursorShape.SplitHCursor:
            self._view.unsetCursor()


def stretch_words(stretch: tuple[int, int] | None, first_number: int) -> str:
    """Return what is marked, for screen readers; steps count from a first number."""
    if stretch is None:
        return ""
    first, last = (format_count(step + first_number) for step in (stretch[0], stretch[1] - 1))
    return f"Step {first} marked" if first == last else f"Steps {first} to {last} marked"
