"""What was made of each column of a table, and corrections."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QPushButton, QWidget

from lstm_studio.sequences.columns import ColumnInfo, ColumnRole
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID
from lstm_studio.ui.widgets.layouts import take_widgets
from lstm_studio.ui.widgets.text import ElidedLabel, label

MOST_COLUMNS = 48
"""Columns that get a chooser; a table with more is better corrected in the file."""
_CHOSEN = "chosen"


class ColumnRoles(QWidget):
    """A chooser for each column, and a button that reads the file again with the corrections."""

    requested = Signal(ReadOptions)

    def __init__(self) -> None:
        super().__init__()
        self._columns: tuple[ColumnInfo, ...] = ()
        self._choosers: list[QComboBox] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(HALF_GRID)
        self._grid.setColumnStretch(0, 1)
        self._apply = QPushButton("Read again")
        self._apply.setToolTip("Read the file again with these roles")
        self._apply.clicked.connect(self._request)
        self._rest = label(kind="caption")
        # In the layout from the start: a widget without a parent would outlive the window.
        self._grid.addWidget(self._rest, MOST_COLUMNS, 0, 1, 2)
        self._grid.addWidget(self._apply, MOST_COLUMNS + 1, 0, 1, 2)

    def show_columns(self, columns: tuple[ColumnInfo, ...]) -> None:
        """Show the columns of another table."""
        if columns == self._columns:
            return
        self._columns = columns
        self._choosers.clear()
        for widget in take_widgets(self._grid):
            if widget not in (self._apply, self._rest):
                widget.deleteLater()
        for row, column in enumerate(columns[:MOST_COLUMNS]):
            chooser = QComboBox()
            for role in ColumnRole:
                chooser.addItem(role.value, role)
            chooser.setCurrentIndex(list(ColumnRole).index(column.role))
            chooser.setAccessibleName(f"Role of the column {column.name}")
            chooser.setToolTip(f"{column.kind}: {column.reason}" if column.reason else column.kind)
            chooser.currentIndexChanged.connect(self._compare)
            self._choosers.append(chooser)
            self._grid.addWidget(ElidedLabel(column.name), row, 0)
            self._grid.addWidget(chooser, row, 1)
        hidden = len(columns) - len(self._choosers)
        self._rest.setText(f"{format_count(hidden)} more columns as recognised")
        self._rest.setVisible(hidden > 0)
        self._grid.addWidget(self._rest, MOST_COLUMNS, 0, 1, 2)
        self._grid.addWidget(self._apply, MOST_COLUMNS + 1, 0, 1, 2)
        self._compare()

    def chooser(self, name: str) -> QComboBox:
        """Return the chooser of a column."""
        return self._choosers[[column.name for column in self._columns].index(name)]

    def corrections(self) -> dict[str, ColumnRole]:
        """Return the roles that the user chose, now or before."""
        found = {column.name: column.role for column in self._columns if column.reason == _CHOSEN}
        for column, chooser in zip(self._columns, self._choosers, strict=False):
            role = ColumnRole(chooser.currentData())
            if role is not column.role:
                found[column.name] = role
        return found

    def _compare(self) -> None:
        shown = zip(self._columns, self._choosers, strict=False)
        changed = any(ColumnRole(chooser.currentData()) is not column.role for column, chooser in shown)
        self._apply.setEnabled(changed)

    def _request(self) -> None:
        self.requested.emit(ReadOptions(columns=self.corrections()))
