"""The features of a sequence of quantities, with their values at the time cursor."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QSizePolicy, QTableView

from lstm_studio.sequences.sequence import Sequence
from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.theme import FOCUS_RING, FOCUS_RING_RULES, HALF_GRID
from lstm_studio.ui.widgets.current_line import meet
from lstm_studio.ui.widgets.text import written_tip

Index = QModelIndex | QPersistentModelIndex
_HEADS = ("variable", "value", "raw")
_ROWS_SHOWN = 6
_SMALL_NUMBER = "−8.8e−8"
_CELL_PADDING = 10
_TELLING = 6
"""Letters that are seen at the beginning of a name that is cut at its end."""
_NO_PARENT = QModelIndex()


class FeatureModel(QAbstractTableModel):
    """Features as rows: name, value as the network receives it, and raw value where that differs."""

    def __init__(self) -> None:
        super().__init__()
        self._sequence: Sequence | None = None
        self._scaled = False
        self._step = 0

    def show_sequence(self, sequence: Sequence, scaled: bool, step: int) -> None:
        """Show another sequence at a step."""
        self.beginResetModel()
        self._sequence, self._scaled, self._step = sequence, scaled, step
        self.endResetModel()

    def show_step(self, step: int) -> None:
        """Show another step of the same sequence."""
        self._step = step
        last = self.index(self.rowCount() - 1, self.columnCount() - 1)
        self.dataChanged.emit(self.index(0, 1), last, [Qt.ItemDataRole.DisplayRole])

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return F."""
        return 0 if parent.isValid() or self._sequence is None else self._sequence.features

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Return 2, or 3 where values are scaled."""
        return 0 if parent.isValid() else 2 + self._scaled

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text of a cell."""
        if self._sequence is None or not index.isValid():
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if index.column() else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            return None
        if index.column() == 0:
            name = self._sequence.names[index.row()]
            return written_tip(name) if role == Qt.ItemDataRole.ToolTipRole else name
        array = self._array(self._sequence, index.column())
        return None if array is None else format_number(float(array[self._step, index.row()]))

    def widest(self, column: int) -> tuple[str, ...]:
        """Return texts of which one is as wide as any that a column of numbers shows at any step."""
        array = None if self._sequence is None else self._array(self._sequence, column)
        ends = () if array is None else (float(array.min()), float(array.max()))
        return (_HEADS[column], _SMALL_NUMBER, *(format_number(end) for end in ends))

    @staticmethod
    def _array(sequence: Sequence, column: int) -> NDArray[Any] | None:
        return (sequence.values, sequence.raw)[column - 1]

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the head of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADS[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None


class FeatureTable(QTableView):
    """The list of features; ten thousand are no more work than ten."""

    def __init__(self) -> None:
        super().__init__()
        self._model = FeatureModel()
        self._model.setParent(self)
        self.setModel(self._model)
        self.setAccessibleName("Variables")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # A name of several words would be broken into lines, of which one is shown, cut at both ends.
        self.setWordWrap(False)
        self.setStyleSheet(
            "QTableView, QHeaderView, QHeaderView::section { background: transparent; padding: 0 2px; }"
            "QHeaderView, QHeaderView::section { border: 0; }" + FOCUS_RING_RULES
        )
        self.viewport().setAutoFillBackground(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setAccessibleName("Columns of the variables")

    @property
    def feature_model(self) -> FeatureModel:
        """The model."""
        return self._model

    def show_sequence(self, sequence: Sequence, scaled: bool, step: int) -> None:
        """Show another sequence at a step."""
        self._model.show_sequence(sequence, scaled, step)
        # What tells names apart is to be seen: "mel 3 …" by its beginning, "temperature outside" by its end.
        begin = len({name[:_TELLING] for name in sequence.names}) == len(sequence.names)
        self.setTextElideMode(Qt.TextElideMode.ElideRight if begin else Qt.TextElideMode.ElideMiddle)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + HALF_GRID)
        header = self.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, self._model.columnCount()):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(column, self._number_width(self._model.widest(column)))
        self.updateGeometry()

    def show_step(self, step: int) -> None:
        """Show another step of the same sequence."""
        self._model.show_step(step)

    def _number_width(self, texts: tuple[str, ...]) -> int:
        return max(self.fontMetrics().horizontalAdvance(text) for text in texts) + _CELL_PADDING

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show and name the current line."""
        super().focusInEvent(event)
        meet(self)

    def sizeHint(self) -> QSize:
        """Return room for a few rows."""
        rows = min(_ROWS_SHOWN, max(1, self._model.rowCount()))
        height = self.horizontalHeader().sizeHint().height() + rows * self.verticalHeader().defaultSectionSize()
        return QSize(208, height + 2 * FOCUS_RING + 2)

    def minimumSizeHint(self) -> QSize:
        """Return the same height."""
        return QSize(120, self.sizeHint().height())
