"""The stack of plots on one time cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QFocusEvent, QKeyEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QScrollBar, QToolTip, QWidget

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.axis import ABOVE_AXIS, TimeAxis
from lstm_studio.ui.plots.band_item import BandItem
from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.plots.cursor import TimeCursor
from lstm_studio.ui.plots.gradient_item import GradientItem
from lstm_studio.ui.plots.header import RowHeader
from lstm_studio.ui.plots.heat_item import HeatItem
from lstm_studio.ui.plots.layout import LABEL_GAP, label_width, share_height, side_width
from lstm_studio.ui.plots.lines_item import LinesItem
from lstm_studio.ui.plots.row_item import Look, RowItem
from lstm_studio.ui.plots.rows import Row, StackState, SymbolRow, UnitRow, View
from lstm_studio.ui.plots.scale import TimeScale, clamp_window
from lstm_studio.ui.plots.stretch import StretchHandles, StretchItem, stretch_words
from lstm_studio.ui.plots.symbol_item import SymbolItem
from lstm_studio.ui.plots.unit_row import UnitData, UnitItem
from lstm_studio.ui.theme import LIGHT, PANEL_INSET, PLOT_GAP, Text, Theme
from lstm_studio.ui.widgets.focus_ring import BY_KEYBOARD
from lstm_studio.ui.widgets.text import written_tip

_ZOOM_PER_NOTCH = 0.8
_RIGHT_INSET = 4
_CURSOR_Z = 3
_BAR_WIDTH = 10
_UNIT_VIEWS: dict[View, Callable[[UnitRow, UnitData, Look], UnitItem]] = {
    View.HEAT: HeatItem,
    View.LINES: LinesItem,
    View.BAND: BandItem,
}


class PlotStack(QWidget):
    """Rows of plots that share one time axis and one time cursor.

    Give it a `StackState` with `apply`; it compares the state with the previous one and touches only what changed.
    Moving the cursor repaints the cursor alone. The mouse asks for changes through signals and changes nothing itself,
    except for the visible stretch of time: the wheel zooms it, Shift and the wheel or the middle button pan it, a
    double click or the key 0 shows the whole sequence. Shift and the left button ask to mark a stretch; its ends can be
    dragged in every row.

    Parameters
    ----------
    theme
        Where colours come from.
    text_scale
        The user's font setting, 1 for 100 %.
    parent
        Owner.
    """

    step_requested = Signal(int)
    """0-based step that was clicked or dragged to."""
    unit_requested = Signal(str, int)
    """Group and unit that were clicked, or reached with the keys Up and Down."""
    stretch_requested = Signal(int, int, bool)
    """First step of a stretch that is marked with Shift and the mouse, the one after its last, and whether the same
    movement of the mouse goes on."""
    stretch_moved = Signal(int, int, bool)
    """The same of a stretch of which an end is dragged."""
    view_requested = Signal(str, View)
    """Key of a row, and the view asked for."""
    menu_requested = Signal(str, int, int, QPoint)
    """Key of a row of units, a unit and a step in it, and where on the screen a menu is wanted."""
    edges_changed = Signal(int, int)
    """Left and right edge of the plots in the stack's own coordinates."""
    track_changed = Signal(int, int)
    """The same of the part that the cursor can reach."""
    hovered = Signal(str)
    """What lies under the mouse; empty when it leaves."""

    def __init__(self, theme: Theme = LIGHT, text_scale: float = 1.0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Plots")
        self._look = Look(theme, text_scale)
        self._state = StackState()
        self._items: dict[str, RowItem] = {}
        self._headers: dict[str, RowHeader] = {}
        self._data: dict[str, UnitData] = {}
        self._window = (0, 0)
        self._edges = (0, 0)
        self._side = 0.0
        self._track = (0, 0)
        self._group = ""
        self._dragged = 0.0
        self._canvas = Canvas(self)
        self._labels = QWidget(self)
        self._labels.setAccessibleName("Labels of the plots")
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setAccessibleName("Scroll the plots")
        self._bar.hide()
        self._bar.valueChanged.connect(self._place)
        self._axis = TimeAxis(self._look)
        self._axis.setZValue(_CURSOR_Z - 1)
        self._cursor = TimeCursor(self._look)
        self._cursor.setZValue(_CURSOR_Z)
        self._stretch = StretchItem(self._look)
        self._stretch.setZValue(_CURSOR_Z - 0.5)
        self._handles = StretchHandles(self._stretch, self._canvas.viewport(), self)
        self._handles.moved.connect(self.stretch_moved)
        self._canvas.scene().addItem(self._axis)
        self._canvas.scene().addItem(self._stretch)
        self._canvas.scene().addItem(self._cursor)
        self._ring = self._canvas.scene().addRect(QRectF())
        self._ring.setZValue(_CURSOR_Z + 1)
        self._ring.hide()
        self._drawn_at = 0.0
        self._waiting = self._unplaced = False
        self._canvas.pressed.connect(self._press)
        self._canvas.dragged.connect(self._drag)
        self._canvas.released.connect(self._handles.release)
        self._canvas.hovered.connect(self._handles.hover)
        self._canvas.marked.connect(self._mark)
        self._canvas.hovered.connect(self._hover)
        self._canvas.left.connect(self._leave)
        self._canvas.zoomed.connect(self._zoom)
        self._canvas.wheel_panned.connect(self._pan_notches)
        self._canvas.drag_panned.connect(self._pan_pixels)
        self._canvas.double_clicked.connect(self.show_all_steps)
        self.apply_theme(theme, text_scale)

    @property
    def state(self) -> StackState:
        """What is shown."""
        return self._state

    @property
    def window_of_time(self) -> tuple[int, int]:
        """(first, count) of the visible steps."""
        return self._window

    @property
    def edges(self) -> tuple[int, int]:
        """Left and right edge of the plots in the stack's own coordinates."""
        return self._edges

    @property
    def track(self) -> tuple[int, int]:
        """The same of the part that the cursor can reach, where the whole sequence is shown."""
        return self._track

    def row_item(self, key: str) -> RowItem:
        """Return the item that draws a row."""
        return self._items[key]

    def row_header(self, key: str) -> RowHeader:
        """Return the label of a row."""
        return self._headers[key]

    @property
    def cursor_item(self) -> TimeCursor:
        """The time cursor."""
        return self._cursor

    @property
    def stretch_item(self) -> StretchItem:
        """The marked stretch."""
        return self._stretch

    @property
    def axis_item(self) -> TimeAxis:
        """The time axis."""
        return self._axis

    def apply(self, state: StackState) -> None:
        """Show a state, touching only what differs from the one before."""
        before, self._state = self._state, state
        if state.is_same(before):
            return
        arranged = state.rows is not before.rows and self._apply_rows(state)
        if state.steps != before.steps:
            whole = self._window == (0, before.steps) or not before.steps
            self._window = (0, state.steps) if whole else clamp_window(*self._window, max(1, state.steps))
        followed = self._follow(state)
        for item in self._items.values():
            item.apply(state)
        if (
            arranged
            or followed
            or (state.rows is not before.rows and self._room_beside() != (self._labels.width(), self._side))
            or state.steps != before.steps
            or state.times is not before.times
            or state.first_step_number != before.first_step_number
            or state.reach != before.reach
            or (state.order is not before.order and state.numbers_shown != before.numbers_shown)
        ):
            self._place()
        elif state.rows is not before.rows or state.selected != before.selected or state.order is not before.order:
            self._fit_headers()
        self._apply_cursor(state)
        if state.stretch != before.stretch:
            self._stretch.show_stretch(state.stretch)
            self.setAccessibleDescription(stretch_words(state.stretch, state.first_step_number))

    def _follow(self, state: StackState) -> bool:
        """Move the visible stretch so that it holds the cursor; return whether it moved."""
        first, count = self._window
        if state.cursor < 0 or not state.steps or first <= state.cursor < first + count:
            return False
        target = state.cursor if state.cursor < first else state.cursor - count + 1
        self._window = clamp_window(target, count, state.steps)
        return True

    def _apply_rows(self, state: StackState) -> bool:
        """Add, change and remove rows; return whether the arrangement changed."""
        keys = [row.key for row in state.rows]
        if len(set(keys)) != len(keys):
            raise ValueError(f"rows with the same key: {keys}")
        arranged = keys != list(self._items)
        for key in set(self._items) - set(keys):
            self._remove(key)
            self._data.pop(key, None)
        items: dict[str, RowItem] = {}
        for row in state.rows:
            item = self._items.get(row.key)
            if item is None:
                item = self._add(row)
                arranged = True
            elif not self._update_item(item, row):
                item = self._exchange(item, row)
                arranged = True
            items[row.key] = item
        self._items = items
        self._headers = {key: self._headers[key] for key in keys}
        for above, below in zip([*self._headers.values()], [*self._headers.values()][1:], strict=False):
            QWidget.setTabOrder(above, below)
        return arranged

    def _update_item(self, item: RowItem, row: Row) -> bool:
        """Give an item its new row; return False if the row needs an item of another kind."""
        if isinstance(row, UnitRow):
            if not isinstance(item, UnitItem) or type(item) is not _UNIT_VIEWS[row.view]:
                return False
            if item.row is row:
                return True
            item.set_row(row, self._data_of(row))
        elif isinstance(row, SymbolRow):
            if not isinstance(item, SymbolItem):
                return False
            item.set_row(row)
        else:
            if not isinstance(item, GradientItem):
                return False
            item.set_row(row)
        self._headers[row.key].set_row(row)
        return True

    def _data_of(self, row: UnitRow) -> UnitData:
        data = self._data.get(row.key)
        if data is None or data.values is not row.values or data.levels != row.levels:
            data = self._data[row.key] = UnitData(row)
        return data

    def _exchange(self, item: RowItem, row: Row) -> RowItem:
        """Replace an item by one of another kind; only another view keeps the label, and with it the focus."""
        if isinstance(row, UnitRow) and isinstance(item, UnitItem):
            self._canvas.scene().removeItem(item)
            self._headers[row.key].set_row(row)
            return self._add_item(row)
        self._remove(row.key)
        return self._add(row)

    def _add(self, row: Row) -> RowItem:
        header = RowHeader(row, self._look, self._labels)
        header.view_chosen.connect(self.view_requested)
        header.show()
        self._headers[row.key] = header
        return self._add_item(row)

    def _add_item(self, row: Row) -> RowItem:
        item: RowItem
        if isinstance(row, UnitRow):
            item = _UNIT_VIEWS[row.view](row, self._data_of(row), self._look)
        elif isinstance(row, SymbolRow):
            item = SymbolItem(row, self._look)
        else:
            item = GradientItem(row, self._look)
        self._canvas.scene().addItem(item)
        return item

    def _remove(self, key: str) -> None:
        self._canvas.scene().removeItem(self._items.pop(key))
        header = self._headers.pop(key)
        header.hide()
        header.deleteLater()

    def _apply_cursor(self, state: StackState) -> None:
        number = format_count(state.cursor + state.first_step_number)
        text = f"t = {number}"
        if state.times is not None and 0 <= state.cursor < len(state.times):
            text = f"{text} · {state.times.text(state.cursor)}"
        self._cursor.move(state.cursor, text, reveal_all=state.reveal_all, revealed=state.revealed)
        for key, item in self._items.items():
            header = self._headers[key]
            what, value = item.value_text(state.cursor)
            header.set_value(what, value)
            summary = item.summary()
            if value:
                summary += f"; {what} at step {number}: {value}".replace(";  at", "; at")
            header.describe(summary)

    def apply_theme(self, theme: Theme, text_scale: float = 1.0) -> None:
        """Change colours and fonts; swaps tables and pens, and touches no data."""
        self._look = Look(theme, text_scale)
        self._canvas.setBackgroundBrush(QColor(theme.panel))
        for item in self._items.values():
            item.set_look(self._look)
        for part in (self._axis, self._cursor, self._stretch):
            part.look = self._look
            part.update()
        self._ring.setPen(QPen(QColor(theme.focus), 2))
        for header in self._headers.values():
            header.set_look(self._look)
        self._place()
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for the eight rows of an LSTM and its companion."""
        return QSize(900, 560)

    def minimumSizeHint(self) -> QSize:
        """Return room for two rows."""
        return QSize(360, 140)

    @property
    def least_height(self) -> float:
        """The height from which on no row has to be scrolled to."""
        return sum(self._around_rows) + share_height(self._state.rows, 0.0).total

    @property
    def _around_rows(self) -> tuple[float, float]:
        """Height of what is above the rows, and of the axis below them."""
        axis = round(self._look.metrics(Text.TICK).height() + 10)
        return float(round(self._cursor.flag_height + 6)), float(axis)

    def _room_beside(self, heights: Sequence[float] = ()) -> tuple[int, float]:
        """Return the width of the labels at the left of the plots, so high or as they are, and of what is at right."""
        items = [*self._items.values()]
        heights = heights or [item.height for item in items]
        return label_width(items, heights, self.width()), side_width(items)

    def _fit_headers(self) -> None:
        for key, item in self._items.items():
            self._headers[key].set_reaches(item.reaches(), LABEL_GAP)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new size among the rows."""
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        """Place everything anew on a screen of another density or with another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self._place()

    def draw_at(self, ratio: float) -> None:
        """Prepare so many pixels for each logical one, as a file needs them; 0 for as many as the screen has."""
        self._drawn_at = ratio
        self._place()

    @contextmanager
    def placed_once(self) -> Iterator[None]:
        """Give everything its place once, afterwards, however often size and rows change inside."""
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False
            if self._unplaced:
                self._place()

    def _place(self) -> None:
        """Give every part its place."""
        self._unplaced = self._waiting
        if self._waiting:
            return
        self._canvas.setGeometry(self.rect())
        self._canvas.fit()
        self._ring.setRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        state = self._state
        ratio = self._drawn_at or self.devicePixelRatioF()
        top, axis_height = self._around_rows
        room = max(1.0, self.height() - top - axis_height)
        shared = share_height(state.rows, room, ratio, state.numbers_shown)
        hidden = max(0, round(shared.total - room))
        self._bar.setRange(0, hidden)
        self._bar.setPageStep(round(room))
        self._bar.setSingleStep(24)
        self._bar.setVisible(hidden > 0)
        self._bar.setGeometry(QRect(self.width() - _BAR_WIDTH, round(top), _BAR_WIDTH, round(room)))
        offset = self._bar.value()

        labels, self._side = self._room_beside(shared.heights)
        left = round((PANEL_INSET + labels + LABEL_GAP) * ratio) / ratio
        right = self.width() - self._side - (_BAR_WIDTH + 2 if hidden else _RIGHT_INSET)
        first, count = self._window
        scale = TimeScale(left, max(1.0, right - left), ratio, first, max(1, count))
        y = top + 1 - offset
        self._labels.setGeometry(PANEL_INSET, round(top), labels, round(room))
        for (key, item), height in zip(self._items.items(), shared.heights, strict=True):
            item.place(self._reused(item, scale), y, height)
            header = self._headers[key]
            header.setGeometry(0, round(y - top), labels, round(height + 2))
            y += height + PLOT_GAP
        self._fit_headers()
        bottom = min(self.height() - axis_height, top + shared.total)
        axis = QRectF(0, bottom, self.width() - _BAR_WIDTH * (hidden > 0), axis_height + 1)
        self._axis.place(scale, state, axis, over=hidden > 0)
        area = QRectF(left, top, scale.width, max(1.0, bottom - top - ABOVE_AXIS))
        self._cursor.place([*self._items.values()], scale, area)
        self._stretch.place(scale, area, [(item.y(), item.height) for item in self._items.values()])
        edges = (round(left), round(scale.right))
        track = edges
        if state.reach and self._window == (0, state.steps):
            track = (edges[0], round(scale.column_edges(state.reach - 1)[1]))
        if track != self._track:
            self._track = track
            self.track_changed.emit(*track)
        if edges != self._edges:
            self._edges = edges
            self.edges_changed.emit(*edges)

    @staticmethod
    def _reused(item: RowItem, scale: TimeScale) -> TimeScale:
        """Return the item's own scale where it is the same, so that its picture is kept."""
        return item.scale_of_time if item.scale_of_time == scale else scale

    def _row_at(self, point: QPointF) -> tuple[str, RowItem] | None:
        for key, item in self._items.items():
            if item.y() <= point.y() < item.y() + item.height:
                return key, item
        return None

    def _press(self, point: QPointF) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if self._handles.take(point):
            return
        self._scrub(point)
        found = self._row_at(point)
        if found is None or not self._edges[0] <= point.x() < self._edges[1]:
            return
        item = found[1]
        if isinstance(item, UnitItem) and item.row.group:
            self._group = item.row.group
            unit = item.unit_at(point.y() - item.y())
            if unit is not None:
                self.unit_requested.emit(item.row.group, unit)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the unit under the mouse; by keyboard, of the selected one at the cursor."""
        if not self._state.steps:
            return
        point = QPointF(event.pos())
        if event.reason() is not QContextMenuEvent.Reason.Mouse:
            row = next((row for row in self._state.rows if isinstance(row, UnitRow) and row.group), None)
            column = self._cursor.column()
            if row is not None and column is not None:
                item = self._items[row.key]
                at = QPointF(column.center().x(), item.y() + item.height / 2)
                unit = self._state.selected.get(row.group, 0)
                self.menu_requested.emit(row.key, unit, self._state.cursor, self.mapToGlobal(at.toPoint()))
            return
        found = self._row_at(point)
        if found is None or not self._edges[0] <= point.x() < self._edges[1]:
            return
        key, item = found
        if isinstance(item, UnitItem):
            unit_here = item.unit_at(point.y() - item.y())
            unit = self._state.selected.get(item.row.group, 0) if unit_here is None else unit_here
            step = self._axis.scale_of_time.step_at(point.x())
            self.menu_requested.emit(key, unit, step, event.globalPos())

    def _drag(self, point: QPointF) -> None:
        if not self._handles.drag(point):
            self._scrub(point)

    def _scrub(self, point: QPointF) -> None:
        if self._state.steps:
            self.step_requested.emit(self._axis.scale_of_time.step_at(point.x()))

    def _mark(self, begin: QPointF, end: QPointF, moved: bool) -> None:
        if not self._state.steps:
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        first, last = sorted(self._axis.scale_of_time.step_at(point.x()) for point in (begin, end))
        self.stretch_requested.emit(first, last + 1, moved)

    def _hover(self, point: QPointF) -> None:
        text = self._words_at(point)
        if text:
            place = self._canvas.viewport().mapToGlobal(point.toPoint())
            QToolTip.showText(place, written_tip(text), self._canvas.viewport())
        else:
            QToolTip.hideText()
        self.hovered.emit(text)

    def _words_at(self, point: QPointF) -> str:
        found = self._row_at(point)
        scale = self._axis.scale_of_time
        if note := self._axis.note_at(point):
            return note
        if found is None or not self._state.steps or not scale.left <= point.x() < scale.right:
            return ""
        step = scale.step_at(point.x())
        if step > self._state.revealed and not self._state.reveal_all:
            return f"Step {self._state.step_label(step)} · not stepped yet"
        item = found[1]
        if step >= item.length:
            return f"{item.title} · ended at step {self._state.step_label(item.length - 1)}"
        return item.hover_text(step, point.y() - item.y(), self._state.step_label)

    def _leave(self) -> None:
        self.hovered.emit("")

    def _zoom(self, point: QPointF, notches: float) -> None:
        if not self._state.steps or not notches:
            return
        scale = self._axis.scale_of_time
        about = self._state.cursor if scale.contains(self._state.cursor) else scale.step_at(point.x())
        self._show(scale.zoomed(about, _ZOOM_PER_NOTCH**notches, self._state.steps))

    def _pan_notches(self, notches: float) -> None:
        self._pan(notches * max(1.0, self._window[1] / 8))

    def _pan_pixels(self, pixels: float) -> None:
        self._dragged -= pixels / self._axis.scale_of_time.column
        whole = int(self._dragged)
        self._dragged -= whole
        self._pan(whole)

    def _pan(self, steps: float) -> None:
        first, count = self._window
        if self._state.steps and round(steps):
            self._show(clamp_window(first + round(steps), count, self._state.steps))

    def show_all_steps(self) -> None:
        """Show the whole sequence again."""
        self._show((0, self._state.steps))

    def _show(self, window: tuple[int, int]) -> None:
        if window != self._window:
            self._window = window
            self._place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the selected unit with Up and Down, zoom with + and −, show the whole sequence with 0."""
        match event.key():
            case Qt.Key.Key_Up:
                self._select_beside(-1)
            case Qt.Key.Key_Down:
                self._select_beside(1)
            case Qt.Key.Key_0:
                self.show_all_steps()
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._zoom(QPointF(sum(self._edges) / 2, 0), 1)
            case Qt.Key.Key_Minus:
                self._zoom(QPointF(sum(self._edges) / 2, 0), -1)
            case _:
                super().keyPressEvent(event)

    def _select_beside(self, by: int) -> None:
        rows = [row for row in self._state.rows if isinstance(row, UnitRow) and row.group]
        chosen = [row for row in rows if row.group == self._group] or rows
        if not chosen:
            return
        row = chosen[0]
        order = self._state.order.get(row.group, np.arange(row.units))
        selected = self._state.selected.get(row.group)
        if selected is None or selected not in order:
            place = 0 if by > 0 else len(order) - 1
        else:
            place = int(np.flatnonzero(order == selected)[0]) + by
        if 0 <= place < len(order):
            self.unit_requested.emit(row.group, int(order[place]))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring to who came by keyboard; the mouse says itself where it is."""
        super().focusInEvent(event)
        self._ring.setVisible(event.reason() in BY_KEYBOARD)
        rows = (header.words_without_button for header in self._headers.values())
        marked = stretch_words(self._state.stretch, self._state.first_step_number)
        self.setAccessibleDescription(". ".join(filter(None, (marked, *rows))))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the focus ring."""
        super().focusOutEvent(event)
        self._ring.hide()
