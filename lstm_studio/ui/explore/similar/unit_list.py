"""The units of a signal, each with what it does in the marked stretch and what it has to be elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionViewItem

from lstm_studio.session.wishes import Stance
from lstm_studio.ui.explore.similar.query import Query
from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.plots.raster import to_index
from lstm_studio.ui.theme import CONTROL_RADIUS, GRID, HALF_GRID, Text, Theme
from lstm_studio.ui.widgets.panel_list import ROW_EDGE, Index, PanelDelegate, PanelList
from lstm_studio.ui.widgets.text import text_font

STANCES = (Stance.ON, Stance.ANY, Stance.OFF)
"""From the left to the right."""
_STRIP = 48
_STANCE_PADDING = 5
_NO_PARENT = QModelIndex()
_ROWS_SHOWN = 6
_LEFT, _RIGHT, _FORGET = Qt.Key.Key_Left, Qt.Key.Key_Right, (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
_NEXT = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_WORDS = {Stance.ON: "on", Stance.ANY: "any", Stance.OFF: "off"}


@dataclass(frozen=True, eq=False, slots=True)
class ListedUnits:
    """What the list shows.

    Parameters
    ----------
    query
        What would be looked for.
    values
        (L, H) the signal over the marked stretch.
    order
        All units, from the top.
    """

    query: Query
    values: NDArray[Any]
    order: tuple[int, ...]

    @property
    def levels(self) -> tuple[float, float]:
        """The signal's range."""
        return (-1.0, 1.0) if self.query.choice is None else self.query.choice.levels


class UnitModel(QAbstractListModel):
    """Units as rows; what a row says is also what a screen reader reads."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: ListedUnits | None = None

    def show_units(self, listed: ListedUnits | None) -> None:
        """Show other units, or the same ones with other stances, of which the current one stays current."""
        before, self.listed = self.listed, listed
        if before is not None and listed is not None and before.order == listed.order:
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))
            return
        self.beginResetModel()
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() or self.listed is None else len(self.listed.order)

    def unit(self, row: int) -> int:
        """Return the unit in a row."""
        assert self.listed is not None  # noqa: S101 - else there are no rows
        return self.listed.order[row]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the words of a row."""
        if not index.isValid() or self.listed is None:
            return None
        unit = self.unit(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return f"Unit {unit}: {_WORDS[self.listed.query.stance(unit)]}"
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return self._words(unit)
        return None

    def reach(self, unit: int) -> tuple[float, float]:
        """Return the lowest and the highest value of a unit in the stretch."""
        assert self.listed is not None  # noqa: S101 - else there are no rows
        values = self.listed.values[:, unit]
        return float(np.fmin.reduce(values)), float(np.fmax.reduce(values))

    def _words(self, unit: int) -> str:
        assert self.listed is not None  # noqa: S101 - else there are no rows
        query = self.listed.query
        whence = "chosen by hand" if unit in query.wish.by_hand else "as the stretch suggests"
        low, high = map(format_number, self.reach(unit))
        return f"Unit {unit}: {_WORDS[query.stance(unit)]}, {whence}; from {low} to {high} in the stretch"


class UnitDelegate(PanelDelegate):
    """Draws a row: the unit over the stretch, its number and reach, and what it has to be as one of three words."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return room for one line."""
        return QSize(_STRIP + 160, round(QFontMetricsF(text_font(self._view, Text.VALUE)).height()) + GRID + 1)

    def stance_places(self, row: QRectF) -> dict[Stance, QRectF]:
        """Return where the three words stand in a row."""
        metrics = QFontMetricsF(text_font(self._view, Text.ACTIVE))
        widths = {stance: metrics.horizontalAdvance(_WORDS[stance]) + 2 * _STANCE_PADDING for stance in STANCES}
        left = row.right() - HALF_GRID - sum(widths.values())
        found = {}
        for stance, width in widths.items():
            found[stance] = QRectF(round(left), row.top() + 2, round(width), row.height() - 4)
            left += width
        return found

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        model = index.model()
        assert isinstance(model, UnitModel)  # noqa: S101 - no other model has these rows
        if model.listed is None:
            return
        theme, row, unit, query = self.theme, QRectF(option.rect), model.unit(index.row()), model.listed.query
        painter.save()
        self.paint_row(painter, row, option)
        left = row.left() + ROW_EDGE + HALF_GRID
        self._paint_strip(painter, QRectF(left, row.top() + 4, _STRIP, row.height() - 8), model.listed, unit)
        left += _STRIP + GRID
        places = self.stance_places(row)
        low, high = (f"{value:.2f}".replace("-", "−") for value in model.reach(unit))
        words = ((str(unit), Text.VALUE, theme.ink), (f"{low}…{high}", Text.SECONDARY, theme.ink2))
        for text, use, colour in words:
            chosen = text_font(self._view, use)
            metrics = QFontMetricsF(chosen)
            room = places[Stance.ON].left() - GRID - left
            painter.setFont(chosen)
            painter.setPen(QColor(colour))
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
            painter.drawText(QRectF(left, row.top(), max(0.0, room), row.height()), middle, shown)
            left += metrics.horizontalAdvance(text) + HALF_GRID + 2
        self._paint_stances(painter, places, query.stance(unit), by_hand=unit in query.wish.by_hand)
        painter.restore()

    def _paint_strip(self, painter: QPainter, place: QRectF, listed: ListedUnits, unit: int) -> None:
        levels = listed.levels
        values = blocks(listed.values[:, unit], _STRIP, listed.query.threshold)
        theme = self.theme
        table = theme.signed_table if levels[0] == -levels[1] else theme.gate_table
        colours = np.ascontiguousarray(table[to_index(values[np.newaxis], levels)])
        image = QImage(colours.tobytes(), len(values), 1, 4 * len(values), QImage.Format.Format_RGBA8888)
        painter.drawImage(place, image)
        painter.setPen(QPen(QColor(theme.frame), 1))
        painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))

    def _paint_stances(self, painter: QPainter, places: dict[Stance, QRectF], taken: Stance, *, by_hand: bool) -> None:
        """Draw the three words; the one taken is filled if the user chose it, framed if the stretch suggests it."""
        theme = self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for stance, place in places.items():
            here = stance is taken
            painter.setFont(text_font(self._view, Text.ACTIVE if here else Text.BODY))
            if here:
                painter.setPen(QPen(QColor(theme.ink), 1))
                painter.setBrush(QColor(theme.ink) if by_hand else Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), CONTROL_RADIUS - 1, CONTROL_RADIUS - 1)
            painter.setPen(QColor(theme.panel if here and by_hand else theme.ink if here else theme.ink2))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), _WORDS[stance])


class UnitList(PanelList):
    """The list; a click on one of the three words, or the arrow keys, say what a unit has to be."""

    stance_chosen = Signal(int, object)
    """Unit, and its stance; None for what the stretch suggests."""
    unit_chosen = Signal(int)
    """The unit that became the current one."""

    def __init__(self, theme: Theme) -> None:
        self._model = UnitModel()
        super().__init__("Units, and what each has to be", self._model, ring=True)
        self._delegate = UnitDelegate(theme, self)
        self.setItemDelegate(self._delegate)
        self.setToolTip("← on, → off; Delete for what the stretch suggests")
        self.setUniformItemSizes(True)

    @property
    def unit_model(self) -> UnitModel:
        """The model."""
        return self._model

    def show_units(self, listed: ListedUnits | None, current: int) -> None:
        """Show units, one of them as the current one."""
        rows = self._model.rowCount()
        self._model.show_units(listed)
        if listed is not None and current in listed.order:
            index = self._model.index(listed.order.index(current))
            if index != self.currentIndex():
                self.setCurrentIndex(index)
        if self._model.rowCount() != rows:
            self._fit()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme, and another size of text."""
        super().apply_theme(theme)
        self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(self.height_of(min(_ROWS_SHOWN, max(1, self._model.rowCount()))))

    def stance_at(self, point: QPoint) -> tuple[int, Stance] | None:
        """Return the unit and the stance whose word is at a point."""
        index = self.indexAt(point)
        if not index.isValid():
            return None
        places = self._delegate.stance_places(QRectF(self.visualRect(index)))
        found = (stance for stance, place in places.items() if place.contains(point.toPointF()))
        stance = next(found, None)
        return None if stance is None else (self._model.unit(index.row()), stance)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Take the stance whose word was clicked, or the unit beside it."""
        super().mouseReleaseEvent(event)
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        found, index = self.stance_at(event.position().toPoint()), self.indexAt(event.position().toPoint())
        if found is not None:
            self.stance_chosen.emit(*found)
        elif index.isValid():
            self.unit_chosen.emit(self._model.unit(index.row()))

    def event(self, event: QEvent) -> bool:
        """Claim the keys that choose before they become shortcuts."""
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
            and event.key() in (_LEFT, _RIGHT, *_FORGET)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose with Left, Right or Return; go back to what the stretch suggests with Delete."""
        listed, index = self._model.listed, self.currentIndex()
        if listed is None or not index.isValid() or event.key() not in (_LEFT, _RIGHT, *_FORGET, *_NEXT):
            before = self.currentIndex()
            super().keyPressEvent(event)
            if self.currentIndex() != before and self.currentIndex().isValid():
                self.unit_chosen.emit(self._model.unit(self.currentIndex().row()))
            return
        unit = self._model.unit(index.row())
        place = STANCES.index(listed.query.stance(unit))
        if event.key() in _FORGET:
            self.stance_chosen.emit(unit, None)
        elif event.key() in _NEXT:
            self.stance_chosen.emit(unit, STANCES[(place + 1) % len(STANCES)])
        elif 0 <= (place := place + (1 if event.key() == _RIGHT else -1)) < len(STANCES):
            self.stance_chosen.emit(unit, STANCES[place])


def blocks(values: NDArray[Any], most: int, threshold: float) -> NDArray[Any]:
    """Return at most so many numbers for a series: of each block the value farthest from the threshold."""
    if len(values) <= most:
        return values
    starts = np.arange(0, len(values), -(-len(values) // most))
    high, low = np.fmax.reduceat(values, starts), np.fmin.reduceat(values, starts)
    return np.where(np.abs(high - threshold) >= np.abs(low - threshold), high, low)
