"""The list of runs: each with its letter, whether it is drawn, its name and status, and how its loss goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPoint,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QListView, QStyle, QStyleOptionViewItem

from lstm_studio.runs.like import Curve, Status
from lstm_studio.session.monitoring import Monitoring
from lstm_studio.session.run_words import age_words, main_loss, network_words
from lstm_studio.session.thinning import Thinner
from lstm_studio.ui.monitor.status_pill import PILLS, WAITING, Pill, paint_pill, pill_size
from lstm_studio.ui.numbers import format_count, format_number
from lstm_studio.ui.theme import CARD_RADIUS, GRID, HALF_GRID, Text, Theme, scaled
from lstm_studio.ui.widgets.badge import paint_letter
from lstm_studio.ui.widgets.panel_list import ROW_EDGE, Index, PanelDelegate, PanelList
from lstm_studio.ui.widgets.text import text_font, written_tip

_NO_PARENT = QModelIndex()
_BOX = 16
_SPARK_HEIGHT = 20
_GAP = 3
_SPARK_POINTS = 48


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says."""

    address: str
    letter: str
    title: str
    pill: Pill
    about: str
    drawn: bool
    spark: Curve | None
    loss: str
    step: str

    @property
    def spoken(self) -> str:
        """All of it in words."""
        shown = "drawn" if self.drawn else "not drawn"
        parts = [f"Run {self.letter}, {self.title}", self.pill.word.lower(), self.about, shown]
        parts += [f"loss {self.loss} at step {self.step}"] if self.loss else []
        return ", ".join(part for part in parts if part)


def _says_the_same(one: Row, other: Row) -> bool:
    return one.spark is other.spark and replace(one, spark=None) == replace(other, spark=None)


class RunModel(QAbstractListModel):
    """Runs as rows; what a row says is also what a screen reader reads."""

    def __init__(self, monitoring: Monitoring) -> None:
        super().__init__()
        self._monitoring = monitoring
        self._thinners: dict[str, Thinner] = {}
        self.rows: list[Row] = []

    def list_anew(self) -> None:
        """Take over which runs there are, and which of them the filter lets through."""
        self.beginResetModel()
        addresses = self._monitoring.addresses
        self._thinners = {address: self._thinners.get(address) or Thinner(_SPARK_POINTS) for address in addresses}
        self.rows = [self._row(address) for address in addresses if self._monitoring.matches(address)]
        self.endResetModel()

    def show_news(self) -> None:
        """Show every row as it is now; the same rows. Those that say the same are not drawn anew."""
        before, self.rows = self.rows, [self._row(row.address) for row in self.rows]
        for place, (one, other) in enumerate(zip(before, self.rows, strict=True)):
            if not _says_the_same(one, other):
                self.dataChanged.emit(self.index(place), self.index(place))

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return how many runs there are."""
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return that each row can be chosen and ticked."""
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the words of a row, and whether it is drawn."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.spoken
        if role == Qt.ItemDataRole.ToolTipRole:
            return written_tip(row.address)
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if row.drawn else Qt.CheckState.Unchecked
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Draw a run, or not."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        self._monitoring.show(self.rows[index.row()].address, Qt.CheckState(value) is Qt.CheckState.Checked)
        return True

    def _row(self, address: str) -> Row:
        monitoring = self._monitoring
        followed, letter = monitoring.followed[address], monitoring.letter(address)
        drawn = address in monitoring.view.shown
        picture = followed.picture
        if picture is None:
            about = "cannot be read; tried again" if followed.error is not None else "is being opened"
            name = address.replace("\\", "/").rstrip("/").rpartition("/")[2] or address
            return Row(address, letter, name, WAITING, about, drawn, None, "", "")
        loss = main_loss(picture)
        spark, last = None, ""
        if loss is not None:
            spark = self._thinners[address](loss[1])
            last = format_number(float(loss[1][1][-1]))
        live = picture.status is Status.RUNNING
        heard = f"{'heartbeat' if live else 'last heard'} {age_words(picture.silent)} ago"
        about = " · ".join(part for part in (network_words(picture), heard) if part)
        step = format_count(picture.last_step) if picture.last_step >= 0 else ""
        return Row(address, letter, picture.title, PILLS[picture.status], about, drawn, spark, last, step)


class RunDelegate(PanelDelegate):
    """Draws a run as a card."""

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(theme, view)
        self._fonts: dict[Text, tuple[QFont, QFontMetricsF]] = {}
        self._made_for = ""

    def _font(self, use: Text) -> tuple[QFont, QFontMetricsF]:
        """Return a font with its measures; making one takes as long as drawing with it."""
        now = self._view.font().key()
        if now != self._made_for:
            self._made_for, self._fonts = now, {}
        if use not in self._fonts:
            made = text_font(self._view, use)
            self._fonts[use] = made, QFontMetricsF(made)
        return self._fonts[use]

    def _height(self, use: Text) -> float:
        return self._font(use)[1].height()

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return room for two lines of words and the small curve."""
        first = max(self._height(Text.ROW_LABEL) + 4, scaled(_BOX))
        last = max(2 * self._height(Text.TICK), _SPARK_HEIGHT)
        return QSize(208, round(first + self._height(Text.SECONDARY) + last) + 2 * GRID + _GAP + HALF_GRID)

    def box(self, rect: QRectF) -> QRectF:
        """Return where the tick box of a row is."""
        side = scaled(_BOX)
        height = max(self._height(Text.ROW_LABEL) + 4, side)
        return QRectF(rect.left() + GRID + ROW_EDGE, rect.top() + GRID + (height - side) / 2, side, side)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        model = index.model()
        assert isinstance(model, RunModel)  # noqa: S101 - no other model has these rows
        row, theme = model.rows[index.row()], self.theme
        card = QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -_GAP - 0.5)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.focus if chosen else theme.frame), 1))
        painter.setBrush(QColor(theme.selected if chosen else theme.hover if over else theme.panel))
        painter.drawRoundedRect(card, CARD_RADIUS, CARD_RADIUS)
        if chosen:
            painter.fillRect(QRectF(card.left(), card.top() + 5, ROW_EDGE, card.height() - 10), QColor(theme.focus))
        inside = card.adjusted(GRID + ROW_EDGE, GRID, -GRID, -GRID)
        self.paint_tick_box(painter, self.box(QRectF(option.rect)), on=row.drawn)
        below = self._paint_title(painter, row, inside, chosen=chosen)
        self._write(painter, row.about, QRectF(inside.left(), below, inside.width(), 0), Text.SECONDARY, theme.ink2)
        self._paint_foot(painter, row, inside)
        painter.restore()

    def _paint_title(self, painter: QPainter, row: Row, inside: QRectF, *, chosen: bool) -> float:
        """Draw the first line, and return where the second begins."""
        theme = self.theme
        box = scaled(_BOX)
        height = max(self._height(Text.ROW_LABEL) + 4, box)
        side = max(box, self._height(Text.TICK_BOLD) + 3) + 3.0 * (len(row.letter) - 1)
        letter = QRectF(inside.left() + box + GRID, inside.top() + (height - side) / 2, side, side)
        bold, measures = self._font(Text.TICK_BOLD)
        painter.setFont(bold)
        paint_letter(painter, letter, row.letter, theme, filled=chosen)
        painter.setFont(bold)
        width, tall = pill_size(measures, row.pill)
        pill = QRectF(inside.right() - width, inside.top() + (height - tall) / 2, width, tall)
        paint_pill(painter, pill, row.pill, theme)
        room = QRectF(letter.right() + GRID, inside.top(), pill.left() - letter.right() - 2 * GRID, height)
        # Names of runs often differ at their end only.
        self._write(painter, row.title, room, Text.ROW_LABEL, theme.ink, elide=Qt.TextElideMode.ElideMiddle)
        return inside.top() + height + 1

    def _write(
        self,
        painter: QPainter,
        text: str,
        room: QRectF,
        use: Text,
        colour: str,
        *,
        right: bool = False,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        chosen, metrics = self._font(use)
        painter.setFont(chosen)
        painter.setPen(QColor(colour))
        shown = metrics.elidedText(text, elide, room.width())
        place = QRectF(room.left(), room.top(), room.width() + 1, room.height() or metrics.height())
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_foot(self, painter: QPainter, row: Row, inside: QRectF) -> None:
        theme = self.theme
        line = self._height(Text.TICK)
        top = inside.bottom() - max(2 * line, _SPARK_HEIGHT)
        numbers = self._font(Text.TICK_BOLD)[1]
        width = max(numbers.horizontalAdvance(text) for text in ("1.23e−45", "step", row.step)) + 2
        for at, word, value in (
            (inside.right() - width, "step", row.step),
            (inside.right() - 2 * width, "loss", row.loss),
        ):
            if value:
                self._write(painter, word, QRectF(at, top, width, line), Text.TICK, theme.ink2, right=True)
                self._write(painter, value, QRectF(at, top + line, width, line), Text.TICK_BOLD, theme.ink, right=True)
        if row.spark is not None:
            spark = QRectF(inside.left(), top + 1, inside.width() - 2 * width - GRID, max(2 * line, _SPARK_HEIGHT) - 2)
            self._paint_spark(painter, spark, row.spark)

    def _paint_spark(self, painter: QPainter, rect: QRectF, curve: Curve) -> None:
        """Draw the loss; on a log axis where it has fallen far."""
        theme = self.theme
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(QColor(theme.panel))
        painter.drawRect(rect)
        steps, values = curve
        usable = np.isfinite(values)
        steps, values = steps[usable], values[usable]
        if not len(values):
            return
        if values.min() > 0 and values.max() > 20 * values.min():
            values = np.log10(values)
        low, high = float(values.min()), float(values.max())
        x = rect.left() + 2 + (steps - steps[0]) / max(1, int(steps[-1] - steps[0])) * (rect.width() - 6)
        y = rect.bottom() - 3 - (values - low) / ((high - low) or 1.0) * (rect.height() - 6)
        points = [QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]
        painter.setPen(QPen(QColor(theme.ink2), 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.ink))
        painter.drawEllipse(points[-1], 2.0, 2.0)


class RunList(PanelList):
    """The list: a click selects a run, its box or Space draws it or not, Delete takes it off the list."""

    chosen = Signal(str)
    """Address of the run that was selected."""
    removed = Signal(str)
    """Address of the run that is to be followed no longer."""
    asked = Signal(str, QPoint)
    """Address of a run, and where on the screen its menu is wanted."""

    def __init__(self, monitoring: Monitoring, theme: Theme) -> None:
        self._monitoring = monitoring
        self._model = RunModel(monitoring)
        super().__init__("Runs", self._model, ring=True)
        self._delegate = RunDelegate(theme, self)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.customContextMenuRequested.connect(self._on_menu)

    @property
    def run_model(self) -> RunModel:
        """The model."""
        return self._model

    def list_anew(self) -> None:
        """Show which runs there are."""
        self._model.list_anew()
        self.show_selected()

    def dataChanged(self, first: Index, last: Index, _roles: Sequence[int] = ()) -> None:
        """Draw these rows anew; Qt would lay out all of them, which have one size."""
        for row in range(first.row(), last.row() + 1):
            self.update(self._model.index(row))

    def show_news(self) -> None:
        """Show how they are."""
        self._model.show_news()

    def show_selected(self) -> None:
        """Mark the selected run."""
        selected = self._monitoring.view.selected
        at = next((at for at, row in enumerate(self._model.rows) if row.address == selected), -1)
        if at != self.currentIndex().row():
            self.setCurrentIndex(self._model.index(at) if at >= 0 else QModelIndex())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tick the box under the mouse, or select the run."""
        index = self.indexAt(event.position().toPoint())
        box = self._delegate.box(QRectF(self.visualRect(index))).adjusted(-6, -6, 6, 6) if index.isValid() else QRectF()
        if event.button() == Qt.MouseButton.LeftButton and box.contains(event.position()):
            self._toggle(index)
            return
        super().mousePressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Claim the keys of the list before they become shortcuts."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Draw or not with Space, take off the list with Delete."""
        index = self.currentIndex()
        if index.isValid() and event.key() == Qt.Key.Key_Space:
            self._toggle(index)
        elif index.isValid() and event.key() == Qt.Key.Key_Delete:
            self.removed.emit(self._model.rows[index.row()].address)
        else:
            super().keyPressEvent(event)

    def _toggle(self, index: QModelIndex) -> None:
        row = self._model.rows[index.row()]
        self._monitoring.show(row.address, not row.drawn)

    def _on_current(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(self._model.rows[current.row()].address)

    def _on_menu(self, at: QPoint) -> None:
        index = self.indexAt(at)
        if index.isValid():
            self.asked.emit(self._model.rows[index.row()].address, self.viewport().mapToGlobal(at))


_KEYS = frozenset(
    {Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End}
)
