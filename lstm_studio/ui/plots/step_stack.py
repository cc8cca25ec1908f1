"""The plots of a training below each other, on one axis of training steps and with one cursor."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.axis import TimeAxis
from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.plots.header import RowHeader
from lstm_studio.ui.plots.lag_item import LagItem, LagScale
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.rows import GradientRow
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.plots.step_cursor import StepCursor
from lstm_studio.ui.plots.step_item import StepCurveItem, StepItem, StepLook
from lstm_studio.ui.plots.step_rows import CurveRow, LagRow, StepRow, StepState, training_steps
from lstm_studio.ui.theme import BADGE_SIZE, HALF_GRID, LABEL_WIDTH, LIGHT, PANEL_INSET, PLOT_GAP, Text, Theme

_BY_KEYBOARD = frozenset(
    {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason}
)
_LABEL_GAP = 8
_CURSOR_Z = 3
_LEAST_ROW = 34.0


class StepAxis(TimeAxis):
    """The axis of training steps: most of them were never drawn, so it does not say how many share a pixel."""

    @property
    def title(self) -> str:
        """The axis label."""
        return self._state.time_title

    def x_of(self, position: float) -> float:
        """Return the scene coordinate of the middle of a step, at the same cost however many steps there are."""
        scale = self.scale_of_time
        index = round(position) - scale.first
        left, right = (place * scale.pixels // scale.count for place in (index, index + 1))
        return scale.left + int((left + max(right, left + 1)) / 2) / scale.ratio


class StepStack(QWidget):
    """Rows of plots over the steps of a training.

    Give it a :class:`~lstm_studio.ui.plots.step_rows.StepState` with :meth:`apply`; it touches only what changed.

    Parameters
    ----------
    theme
        Where colours come from.
    name
        What is shown, for screen readers.
    parent
        Owner.
    """

    step_requested = Signal(int)
    """The step that was clicked or dragged to."""
    edges_changed = Signal(int, int)
    """Left and right edge of the plots in its own coordinates."""

    def __init__(
        self, theme: Theme = LIGHT, name: str = "Plots of the training", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self._look: Look = StepLook(theme)
        self._state = StepState()
        self._items: dict[str, StepItem] = {}
        self._headers: dict[str, RowHeader] = {}
        self._written: dict[str, tuple[str, ...]] = {}
        self._edges = (0, 0)
        self._canvas = Canvas(self)
        self._canvas.setAccessibleName(f"{name}, drawn")
        self._labels = QWidget(self)
        self._labels.setAccessibleName("Labels of the plots")
        self._axis = StepAxis(self._look)
        self._axis.setZValue(_CURSOR_Z - 1)
        self._cursor = StepCursor(self._look)
        self._cursor.setZValue(_CURSOR_Z)
        self._scale = LagScale(self._look)
        for item in (self._axis, self._cursor, self._scale):
            self._canvas.scene().addItem(item)
        self._ring = self._canvas.scene().addRect(QRectF())
        self._ring.setZValue(_CURSOR_Z + 1)
        self._ring.hide()
        self._canvas.pressed.connect(self._press)
        self._canvas.dragged.connect(self._scrub)
        self._canvas.hovered.connect(self._hover)
        self.apply_theme(theme)

    @property
    def state(self) -> StepState:
        """What is shown."""
        return self._state

    @property
    def edges(self) -> tuple[int, int]:
        """Left and right edge of the plots in its own coordinates."""
        return self._edges

    @property
    def cursor_item(self) -> StepCursor:
        """The cursor."""
        return self._cursor

    def row_item(self, key: str) -> StepItem:
        """Return the item that draws a row."""
        return self._items[key]

    def apply(self, state: StepState) -> None:
        """Show a state, touching only what differs from the one before."""
        before, self._state = self._state, state
        arranged = state.rows is not before.rows and self._apply_rows(state.rows)
        for item in self._items.values():
            item.show_edge(state.done, state.growing)
        if arranged or state.planned != before.planned:
            self._place()
        elif state.rows is not before.rows:
            self._settle()
        self._cursor.show_at(state.cursor, state.span, state.done, state.planned)
        self._describe()

    def _apply_rows(self, rows: tuple[StepRow, ...]) -> bool:
        """Add, change and remove rows; return whether the arrangement changed."""
        keys = [row.key for row in rows]
        arranged = keys != list(self._items)
        for key in set(self._items) - set(keys):
            self._remove(key)
        items: dict[str, StepItem] = {}
        for row in rows:
            item = self._items.get(row.key)
            if item is None or not _update(item, row):
                if item is not None:
                    self._remove(row.key)
                item = self._add(row)
                arranged = True
            label = _label_of(row)
            if self._written.get(row.key) != (label.title, label.note, label.objective, label.badge, label.role):
                self._written[row.key] = (label.title, label.note, label.objective, label.badge, label.role)
                self._headers[row.key].set_row(label)
            items[row.key] = item
        self._items = items
        self._headers = {key: self._headers[key] for key in keys}
        for place, item in enumerate(items.values()):
            item.names_rest = place == 0
        return arranged

    def _add(self, row: StepRow) -> StepItem:
        header = RowHeader(_label_of(row), self._look, self._labels)
        header.show()
        self._headers[row.key] = header
        item: StepItem = StepCurveItem(row, self._look) if isinstance(row, CurveRow) else LagItem(row, self._look)
        self._canvas.scene().addItem(item)
        return item

    def _remove(self, key: str) -> None:
        self._canvas.scene().removeItem(self._items.pop(key))
        self._written.pop(key, None)
        header = self._headers.pop(key)
        header.hide()
        header.deleteLater()

    def _describe(self) -> None:
        summaries = []
        for key, item in self._items.items():
            summary = item.summary()
            self._headers[key].setAccessibleDescription(summary)
            summaries.append(summary)
        self.setAccessibleDescription(". ".join(summaries))

    def apply_theme(self, theme: Theme) -> None:
        """Change colours and fonts; touches no data."""
        self._look = StepLook(theme)
        self._canvas.setBackgroundBrush(QColor(theme.panel))
        for item in self._items.values():
            item.set_look(self._look)
        for part in (self._axis, self._cursor, self._scale):
            part.look = self._look
            part.update()
        self._ring.setPen(QPen(QColor(theme.focus), 2))
        for header in self._headers.values():
            header.set_look(self._look)
        self._place()
        self.update()

    # Places.

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for four rows."""
        return QSize(900, 640)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for four low rows."""
        return QSize(420, 200)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Share the new size among the rows."""
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Place everything anew with another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self._place()

    @property
    def _label_width(self) -> int:
        metrics = self._look.metrics(Text.ROW_LABEL)
        widest = max((metrics.horizontalAdvance(item.title) for item in self._items.values()), default=0.0)
        return max(LABEL_WIDTH, round(BADGE_SIZE + HALF_GRID + widest + 3 * _LABEL_GAP))

    def _place(self) -> None:
        """Give every part its place."""
        self._canvas.setGeometry(self.rect())
        self._canvas.fit()
        self._ring.setRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        state, look, ratio = self._state, self._look, self.devicePixelRatioF()
        top = float(round(self._cursor.flag_height + 6))
        axis_height = float(round(look.metrics(Text.TICK).height() + 10))
        left = round((PANEL_INSET + self._label_width + _LABEL_GAP) * ratio) / ratio
        right = self.width() - look.side_width - HALF_GRID
        scale = TimeScale(left, max(1.0, right - left), ratio, 0, state.planned + 1)
        room = max(1.0, self.height() - top - axis_height) - PLOT_GAP * max(0, len(state.rows) - 1) - 2
        weights = sum(row.weight for row in state.rows) or 1.0
        self._labels.setGeometry(PANEL_INSET, round(top), self._label_width, round(self.height() - top - axis_height))
        y = top + 1
        for row in state.rows:
            item, header = self._items[row.key], self._headers[row.key]
            height = max(_LEAST_ROW, int(room * row.weight / weights * ratio) / ratio)
            item.place(item.scale_of_time if item.scale_of_time == scale else scale, y, height)
            header.setGeometry(0, round(y - top), self._label_width, round(height + 2))
            y += height + PLOT_GAP
        bottom = max(top + 1, y - PLOT_GAP + 1)
        self._axis.place(scale, training_steps(state.planned), QRectF(0, bottom, self.width(), axis_height + 1))
        area = QRectF(left, top, scale.width, max(1.0, bottom - top - 2))
        self._cursor.place([*self._items.values()], scale, area)
        self._settle()
        edges = (round(left), round(scale.right))
        if edges != self._edges:
            self._edges = edges
            self.edges_changed.emit(*edges)

    def _settle(self) -> None:
        """Place what depends on the ticks: the lines of the labels, and the scale of the colours."""
        for key, item in self._items.items():
            self._headers[key].set_reaches(item.reaches(), _LABEL_GAP)
        maps = [item for item in self._items.values() if isinstance(item, LagItem)]
        self._scale.setVisible(bool(maps))
        if maps:
            top, bottom = maps[0].y(), maps[-1].y() + maps[-1].height
            at = maps[0].scale_of_time.right
            self._scale.place(maps[0].row.axis, QRectF(at, top, self.width() - at, bottom - top))

    # The mouse.

    def _step_at(self, point: QPointF) -> int:
        return self._axis.scale_of_time.step_at(point.x())

    def _press(self, point: QPointF) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._scrub(point)

    def _scrub(self, point: QPointF) -> None:
        if self._state.rows:
            self.step_requested.emit(self._step_at(point))

    def _hover(self, point: QPointF) -> None:
        text = self.words_at(point)
        viewport = self._canvas.viewport()
        if text:
            QToolTip.showText(viewport.mapToGlobal(point.toPoint()), text, viewport)
        else:
            QToolTip.hideText()

    def words_at(self, point: QPointF) -> str:
        """Return what lies at a point; empty where nothing does."""
        scale = self._axis.scale_of_time
        if not scale.left <= point.x() < scale.right:
            return ""
        step = self._step_at(point)
        for item in self._items.values():
            if item.y() <= point.y() < item.y() + item.height:
                if step > self._state.done:
                    return f"Step {format_count(step)} · not trained yet"
                return item.hover_text(step, point.y() - item.y(), format_count)
        return ""

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Show the focus ring to who came by keyboard; the mouse says itself where it is."""
        super().focusInEvent(event)
        self._ring.setVisible(event.reason() in _BY_KEYBOARD)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Hide the focus ring."""
        super().focusOutEvent(event)
        self._ring.hide()


def _label_of(row: StepRow) -> GradientRow:
    """Return what the label of a row says, as labels take it."""
    return GradientRow(row.key, row.title, row.note, (), row.third, row.badge, row.role)


def _update(item: StepItem, row: StepRow) -> bool:
    """Give an item its new row; return False if the row needs an item of another kind."""
    if isinstance(item, StepCurveItem) and isinstance(row, CurveRow):
        item.set_row(row)
        return True
    if isinstance(item, LagItem) and isinstance(row, LagRow):
        item.set_row(row)
        return True
    return False
