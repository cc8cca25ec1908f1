"""The stretches that were found: a list, each with a small picture of what the pattern's units do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from lstm_studio.session.similar import Found
from lstm_studio.ui.explore.similar.query import stretch_words
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.raster import heat_pixels, medians, to_index
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.theme import GRID, HALF_GRID, Text, Theme
from lstm_studio.ui.widgets.panel_list import ROW_EDGE, Index, PanelDelegate, PanelList
from lstm_studio.ui.widgets.text import text_font

_PICTURE_WIDTH = 100
_NO_PARENT = QModelIndex()
_ROWS_SHOWN = 4


@dataclass(frozen=True, eq=False, slots=True)
class Listed:
    """What the list shows.

    Parameters
    ----------
    found
        The best first.
    on, off
        The units of the pattern that have to be so.
    levels
        The signal's range.
    marked
        Item and first step of the stretch that was looked for.
    """

    found: tuple[Found, ...] = ()
    on: tuple[int, ...] = ()
    off: tuple[int, ...] = ()
    levels: tuple[float, float] = (-1.0, 1.0)
    marked: tuple[int, int] = (-1, -1)


class FoundModel(QAbstractListModel):
    """Stretches as rows; what a row says is also what a screen reader reads."""

    def __init__(self) -> None:
        super().__init__()
        self.listed = Listed()

    def show_listed(self, listed: Listed) -> None:
        """Show other stretches."""
        self.beginResetModel()
        self.listed = listed
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return how many were found."""
        return 0 if parent.isValid() else len(self.listed.found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the words of a row."""
        if not index.isValid():
            return None
        first, second = self.words(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{first}, {second}"
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            one = self.listed.found[index.row()]
            off = set(self.listed.off)
            units = ", ".join(f"{unit} off" if unit in off else str(unit) for unit in one.units)
            steps = f"step{'' if one.stop - one.start == 1 else 's'}"
            return f"{first.replace('·', steps)}, {second}: unit{'' if len(one.units) == 1 else 's'} {units}"
        return None

    def words(self, row: int) -> tuple[str, str]:
        """Return which sequence and steps, and how many units."""
        one = self.listed.found[row]
        same = (one.item, one.start) == self.listed.marked
        units = self._counts(one)
        where = f"Sequence {format_count(one.item + 1)} · {stretch_words(one.start, one.stop)}"
        return where, f"{units} · marked" if same else units

    def _counts(self, one: Found) -> str:
        on, off = self.listed.on, self.listed.off
        fits_on = len(set(one.units) & set(on))
        if not off:
            return f"{fits_on} of {len(on)} units"
        # Where both are looked for, one says nothing of the other.
        return f"{fits_on}/{len(on)} on, {len(one.units) - fits_on}/{len(off)} off"


class FoundDelegate(PanelDelegate):
    """Draws a row: the picture, with the stretch bracketed, and two lines of words."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return room for two lines."""
        lines = sum(QFontMetricsF(text_font(self._view, use)).height() for use in (Text.VALUE, Text.SECONDARY))
        return QSize(_PICTURE_WIDTH + 120, round(lines) + 2 * GRID)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        model = index.model()
        assert isinstance(model, FoundModel)  # noqa: S101 - no other model has these rows
        theme, rect = self.theme, QRectF(option.rect)
        painter.save()
        self.paint_row(painter, rect, option)
        inside = rect.adjusted(ROW_EDGE + HALF_GRID, GRID - 2, -HALF_GRID, -GRID + 2)
        place = QRectF(inside.left(), inside.top(), _PICTURE_WIDTH, inside.height())
        self._paint_picture(painter, place, model.listed, model.listed.found[index.row()])
        words = QRectF(place.right() + GRID, inside.top(), inside.right() - place.right() - GRID, inside.height())
        for line, use, colour, side in zip(
            model.words(index.row()),
            (Text.VALUE, Text.SECONDARY),
            (theme.ink, theme.ink2),
            (Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom),
            strict=True,
        ):
            chosen = text_font(self._view, use)
            painter.setFont(chosen)
            painter.setPen(QColor(colour))
            shown = QFontMetricsF(chosen).elidedText(line, Qt.TextElideMode.ElideRight, words.width())
            painter.drawText(words, int(side | Qt.AlignmentFlag.AlignLeft), shown)
        painter.restore()

    def _paint_picture(self, painter: QPainter, rect: QRectF, listed: Listed, one: Found) -> None:
        theme, picture = self.theme, one.picture
        painter.fillRect(rect, QColor(theme.sunken))
        # All pictures have the stretch in the same place; where a sequence begins or ends, the rest stays empty.
        total = one.stop - one.start + 2 * picture.around
        pitch = rect.width() / total
        left = rect.left() + (picture.first - (one.start - picture.around)) * pitch
        width = min(len(picture.values) * picture.block * pitch, rect.right() - left)
        ratio = painter.device().devicePixelRatioF()
        across, down = max(1, round(width * ratio)), max(1, round(rect.height() * ratio))
        index = to_index(picture.values, listed.levels)
        scale = TimeScale(0, across / ratio, ratio, 0, len(index))
        pixels = heat_pixels(index, medians(index), None, scale, down)
        table = theme.signed_table if listed.levels[0] == -listed.levels[1] else theme.gate_table
        colours = np.ascontiguousarray(table[pixels])
        image = QImage(colours.tobytes(), pixels.shape[1], down, QImage.Format.Format_RGBA8888)
        painter.drawImage(QRectF(left, rect.top(), width, rect.height()), image)
        if listed.on and listed.off:
            # Those that have to be off stand below the others.
            y = round(rect.top() + rect.height() * len(listed.on) / (len(listed.on) + len(listed.off)))
            painter.fillRect(QRectF(rect.left(), y - 1, rect.width(), 2), QColor(theme.panel))
        begin = rect.left() + picture.around * pitch
        end = begin + (one.stop - one.start) * pitch
        for x in (begin, end):
            painter.fillRect(QRectF(round(x) - 1, rect.top(), 3, rect.height()), QColor(theme.halo))
            painter.fillRect(QRectF(round(x), rect.top() - 2, 1, rect.height() + 4), QColor(theme.cursor))


class FoundList(PanelList):
    """The list; Return or a click goes to a stretch."""

    gone_to = Signal(int)
    """Row that the user chose to go to."""

    def __init__(self, theme: Theme) -> None:
        self._model = FoundModel()
        super().__init__("Similar stretches", self._model, ring=True)
        self.setItemDelegate(FoundDelegate(theme, self))
        self.setUniformItemSizes(True)
        self.clicked.connect(self._go)
        self.activated.connect(self._go)

    @property
    def found_model(self) -> FoundModel:
        """The model."""
        return self._model

    def show_listed(self, listed: Listed) -> None:
        """Show other stretches, the first of them current."""
        self._model.show_listed(listed)
        if listed.found:
            self.setCurrentIndex(self._model.index(0))
        self._fit()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme, and another size of text."""
        super().apply_theme(theme)
        self._fit()

    def _fit(self) -> None:
        count = len(self._model.listed.found)
        self.setMinimumHeight(self.height_of(min(_ROWS_SHOWN, count)))
        self.setMaximumHeight(self.height_of(count))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return room for a few of them; it takes more where there is more."""
        return QSize(_PICTURE_WIDTH + 120, self.height_of(min(_ROWS_SHOWN, len(self._model.listed.found))))

    def _go(self, index: QModelIndex) -> None:
        if index.isValid():
            self.gone_to.emit(index.row())
