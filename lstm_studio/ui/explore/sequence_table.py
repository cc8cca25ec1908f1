"""The list of sequences: number, a picture, the class, and whether each network gets it right."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QColor, QContextMenuEvent, QFocusEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from lstm_studio.networks.signals import Role
from lstm_studio.sequences.sequence import SequenceSet
from lstm_studio.session.state import Verdicts
from lstm_studio.ui.explore.readout import class_of
from lstm_studio.ui.icons import Icon, paint_icon
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import BADGE_SIZE, FOCUS_RING, FOCUS_RING_RULES, HALF_GRID, Text, Theme, scaled
from lstm_studio.ui.widgets.badge import paint_badge
from lstm_studio.ui.widgets.current_line import meet
from lstm_studio.ui.widgets.text import text_font, written_tip
from lstm_studio.ui.widgets.thumbnails import paint_sequence, value_extent

Index = QModelIndex | QPersistentModelIndex

NUMBER, PICTURE, TARGET = range(3)
_ROW_PADDING = 8
_ROWS_SHOWN = 6
_MOST_ROWS_AT_ONCE = 64
_ANY_HEIGHT = 16_777_215
_EDGE = 3
_MOST_PICTURES = 512
_VERDICT_WIDTH = 24
_NO_PARENT = QModelIndex()


class SequenceModel(QAbstractTableModel):
    """Sequences as rows; columns after the target are the verdicts of the networks that classify."""

    def __init__(self) -> None:
        super().__init__()
        self._sequences: SequenceSet | None = None
        self._verdicts: tuple[tuple[int, ...], ...] = ()
        self._badges: tuple[tuple[str, Role], ...] = ()

    def show_sequences(
        self, sequences: SequenceSet, verdicts: Verdicts | None, badges: tuple[tuple[str, Role], ...]
    ) -> None:
        """Show another set, or other verdicts on it.

        Parameters
        ----------
        sequences
            The set.
        verdicts
            On this set, or None.
        badges
            Letter and role of each network.
        """
        self.beginResetModel()
        self._sequences = sequences
        predictions = () if verdicts is None else verdicts.predictions
        known = [(said, badge) for said, badge in zip(predictions, badges, strict=False) if said is not None]
        self._verdicts = tuple(said for said, _ in known)
        self._badges = tuple(badge for _, badge in known)
        self.endResetModel()

    @property
    def sequences(self) -> SequenceSet | None:
        """The set."""
        return self._sequences

    def badge(self, column: int) -> tuple[str, Role]:
        """Return letter and role of the network whose verdicts a column holds."""
        return self._badges[column - self.first_verdict]

    @property
    def has_targets(self) -> bool:
        """Whether sequences have classes."""
        return self._sequences is not None and class_of(self._sequences[0]) is not None

    @property
    def first_verdict(self) -> int:
        """The first column with verdicts."""
        return TARGET + self.has_targets

    def verdict(self, row: int, column: int) -> bool | None:
        """Return whether the network of a column is right, or None where that is not known."""
        if self._sequences is None:
            return None
        said = self._verdicts[column - self.first_verdict]
        wanted = class_of(self._sequences[row])
        return None if wanted is None or row >= len(said) else said[row] == wanted

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of sequences."""
        return 0 if parent.isValid() or self._sequences is None else len(self._sequences)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else self.first_verdict + len(self._verdicts)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text of a cell; pictures and ticks are drawn by the delegate and named for screen readers."""
        if self._sequences is None or not index.isValid():
            return None
        row, column = index.row(), index.column()
        sequence = self._sequences[row]
        if role == Qt.ItemDataRole.ToolTipRole:
            return written_tip(f"{sequence.name or f'Sequence {row + 1}'}, {format_count(sequence.steps)} steps")
        if role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return None
        spoken = role == Qt.ItemDataRole.AccessibleTextRole
        if column == NUMBER:
            return f"{row + 1}"
        if column == PICTURE:
            return (sequence.name or f"{sequence.steps} steps") if spoken else None
        if column == TARGET and self.has_targets:
            wanted = class_of(sequence)
            return self._class_name(wanted) if wanted is not None else ""
        words = {True: "right", False: "wrong", None: "not judged"}
        return words[self.verdict(row, column)] if spoken else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the head of a column; verdicts are headed by the network's letter."""
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        if section == NUMBER:
            return "No."
        if section == PICTURE:
            one_hot = self._sequences is not None and self._sequences[0].symbols is not None
            return "symbols" if one_hot else "values"
        if section == TARGET and self.has_targets:
            return "target"
        return self.badge(section)[0]

    def _class_name(self, index: int) -> str:
        classes = () if self._sequences is None else self._sequences.classes
        return classes[index] if 0 <= index < len(classes) else str(index)


class SequenceDelegate(QStyledItemDelegate):
    """Draws a row: selection with an edge, the picture from a store of pictures drawn before, ticks and crosses."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._pictures: dict[tuple[int, int, int], QPixmap] = {}
        self._extent = (0.0, 1.0)

    def forget(self, sequences: SequenceSet | None, theme: Theme) -> None:
        """Drop the pictures: there are other sequences or other colours."""
        self._theme = theme
        self._pictures.clear()
        if sequences is not None and sequences[0].symbols is None:
            self._extent = value_extent(sequences)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one cell."""
        model = index.model()
        assert isinstance(model, SequenceModel)  # noqa: S101 - no other model has these columns
        rect = QRectF(option.rect)
        state = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(self._theme.selected))
            if index.column() == NUMBER:
                painter.fillRect(QRectF(rect.left(), rect.top(), _EDGE, rect.height()), QColor(self._theme.focus))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(self._theme.hover))
        if index.column() == PICTURE:
            self._paint_picture(painter, rect.adjusted(HALF_GRID, 2, -HALF_GRID, -2), index, model)
        elif index.column() >= model.first_verdict:
            self._paint_verdict(painter, rect, model.verdict(index.row(), index.column()))
        else:
            painter.setFont(text_font(self._view(), Text.SECONDARY if index.column() == NUMBER else Text.VALUE))
            painter.setPen(QColor(self._theme.ink))
            text = rect.adjusted(_EDGE + HALF_GRID if index.column() == NUMBER else 0, 0, -HALF_GRID, 0)
            painter.drawText(text, int(Qt.AlignmentFlag.AlignCenter), str(index.data() or ""))
        painter.restore()

    def _view(self) -> QWidget:
        view = self.parent()
        assert isinstance(view, QWidget)  # noqa: S101 - it was given one
        return view

    def _paint_verdict(self, painter: QPainter, rect: QRectF, right: bool | None) -> None:
        if right is None:
            return
        icon, colour = (Icon.TICK, self._theme.ok) if right else (Icon.CROSS, self._theme.error)
        side = scaled(12)
        place = QRectF(rect.center().x() - side / 2, rect.center().y() - side / 2, side, side)
        paint_icon(painter, icon, place, QColor(colour))

    def _paint_picture(self, painter: QPainter, rect: QRectF, index: Index, model: SequenceModel) -> None:
        ratio = painter.device().devicePixelRatioF()
        key = (index.row(), round(rect.width() * ratio), round(rect.height() * ratio))
        picture = self._pictures.get(key)
        if picture is None and model.sequences is not None:
            while len(self._pictures) >= _MOST_PICTURES:
                del self._pictures[next(iter(self._pictures))]
            picture = self._pictures[key] = QPixmap(key[1], key[2])
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
            inside = QPainter(picture)
            self._draw(inside, QRectF(0, 0, rect.width(), rect.height()), model.sequences, index.row())
            inside.end()
        if picture is not None:
            painter.drawPixmap(rect.topLeft(), picture)

    def _draw(self, painter: QPainter, rect: QRectF, sequences: SequenceSet, row: int) -> None:
        painter.setFont(text_font(self._view(), Text.SECONDARY))
        paint_sequence(painter, rect, sequences, row, extent=self._extent, theme=self._theme)


class BadgeHeader(QHeaderView):
    """Heads of the columns; those of verdicts are the networks' badges."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.setSectionsClickable(False)
        self.setHighlightSections(False)
        self.setAccessibleName("Columns")

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.viewport().update()

    def paintSection(self, painter: QPainter, rect: Any, logical_index: int) -> None:
        """Draw a head: a badge, or small grey text."""
        model = self.model()
        assert isinstance(model, SequenceModel)  # noqa: S101 - no other model has these columns
        if logical_index >= model.first_verdict:
            side = scaled(BADGE_SIZE - 2)
            painter.setFont(text_font(self, Text.TICK_BOLD))
            place = QRectF(rect.center().x() - side / 2 + 1, rect.center().y() - side / 2, side, side)
            paint_badge(painter, place, *model.badge(logical_index), self._theme)
            return
        painter.save()
        painter.setFont(text_font(self, Text.SECONDARY))
        painter.setPen(QColor(self._theme.ink2))
        left = logical_index == PICTURE
        align = Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignHCenter)
        head = str(model.headerData(logical_index, Qt.Orientation.Horizontal))
        painter.drawText(QRectF(rect).adjusted(HALF_GRID, 0, -HALF_GRID, 0), int(align), head)
        painter.restore()


class SequenceTable(QTableView):
    """The list; choosing a row chooses the sequence."""

    chosen = Signal(int)
    """Index of the sequence that the user chose."""
    comparison_requested = Signal(int)
    """Index of the sequence that the user wants to see beside the chosen one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._showing = False
        self._model = SequenceModel()
        self._model.setParent(self)
        self._delegate = SequenceDelegate(theme, self)
        self._header = BadgeHeader(theme, self)
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setHorizontalHeader(self._header)
        self.setAccessibleName("Sequences")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet(
            "QTableView, QHeaderView { background: transparent; } QHeaderView { border: 0; }" + FOCUS_RING_RULES
        )
        self.verticalHeader().hide()
        # Rows of one height: asking each of ten thousand for its own would take seconds.
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._header.setMinimumSectionSize(16)
        self.selectionModel().currentRowChanged.connect(self._current_changed)

    @property
    def sequence_model(self) -> SequenceModel:
        """The model."""
        return self._model

    def show_sequences(
        self, sequences: SequenceSet, verdicts: Verdicts | None, badges: tuple[tuple[str, Role], ...], item: int
    ) -> None:
        """Show another set or other verdicts, with one sequence chosen; parameters as for the model."""
        if sequences is not self._model.sequences:
            self._delegate.forget(sequences, self._theme)
        scrolled = self.verticalScrollBar().value() if sequences is self._model.sequences else 0
        self._showing = True
        self._model.show_sequences(sequences, verdicts, badges)
        self._showing = False
        self._size_columns()
        self.verticalScrollBar().setValue(scrolled)
        self.show_item(item)
        rows = self._model.rowCount()
        self.setMaximumHeight(self._height_of(rows) if rows <= _MOST_ROWS_AT_ONCE else _ANY_HEIGHT)
        self.updateGeometry()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show and name the current line."""
        super().focusInEvent(event)
        meet(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose with the left button; the right one asks what can be done with a row without choosing it."""
        if event.button() != Qt.MouseButton.RightButton:
            super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer to compare the shown sequence with the one under the mouse, or at the keyboard."""
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        row = self.indexAt(event.pos()).row() if by_mouse else self.currentIndex().row()
        if row < 0:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        compare = menu.addAction(f"Compare with sequence {row + 1}")
        compare.setData(row)
        compare.setEnabled(row != self.currentIndex().row())
        menu.triggered.connect(self._compare)
        menu.popup(event.globalPos())

    def _compare(self, action: QAction) -> None:
        self.comparison_requested.emit(int(action.data()))

    def show_item(self, item: int) -> None:
        """Mark a sequence as chosen, and make sure that it is visible."""
        index = self._model.index(item, NUMBER)
        self._showing = True
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(index, flags)
        self._showing = False
        self.scrollTo(index)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self._header.apply_theme(theme)
        self._delegate.forget(self._model.sequences, theme)
        self._size_columns()
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """Return room for a few rows."""
        return QSize(208, self._height_of(min(_ROWS_SHOWN, self._model.rowCount())))

    def minimumSizeHint(self) -> QSize:
        """Return the same height: the panel scrolls before the list gets too small to use."""
        return QSize(120, self.sizeHint().height())

    def _height_of(self, rows: int) -> int:
        edges = 2 * FOCUS_RING + 2
        return self._header.sizeHint().height() + rows * self.verticalHeader().defaultSectionSize() + edges

    def _size_columns(self) -> None:
        metrics = self.fontMetrics()
        self.verticalHeader().setDefaultSectionSize(metrics.height() + _ROW_PADDING)
        for column in range(self._model.columnCount()):
            stretch = column == PICTURE
            mode = QHeaderView.ResizeMode.Stretch if stretch else QHeaderView.ResizeMode.Fixed
            self._header.setSectionResizeMode(column, mode)
            if column == NUMBER:
                width = metrics.horizontalAdvance("8" * len(str(self._model.rowCount()))) + 2 * HALF_GRID + _EDGE
                self.setColumnWidth(column, max(width, metrics.horizontalAdvance("No.") + 2 * HALF_GRID))
            elif column >= self._model.first_verdict:
                self.setColumnWidth(column, scaled(_VERDICT_WIDTH))
            elif not stretch:
                classes = () if self._model.sequences is None else self._model.sequences.classes
                longest = max((*classes, "target"), key=len)
                self.setColumnWidth(column, min(scaled(96), metrics.horizontalAdvance(longest) + 2 * HALF_GRID))

    def _current_changed(self, current: QModelIndex, before: QModelIndex) -> None:  # noqa: ARG002 - Qt's signal
        if current.isValid() and not self._showing:
            self.chosen.emit(current.row())
