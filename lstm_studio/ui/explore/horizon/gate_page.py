"""The third page: how saturated the gates are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from lstm_studio.networks.signals import Labels
from lstm_studio.session.saturation import GateSaturation
from lstm_studio.ui.explore.horizon.gate_plot import GatePicture, GatePlots, gate_text
from lstm_studio.ui.explore.horizon.places import choice_rows
from lstm_studio.ui.explore.horizon.words import gates_table, percent
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import FOCUS_RING_RULES, SECTION_GAP, Theme
from lstm_studio.ui.widgets.current_line import meet
from lstm_studio.ui.widgets.fold import Fold
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label

ONE, ALL = "one", "all"
_TABLE_HEIGHT = 200
_NO_PARENT = QModelIndex()
_SORTED_BY = Qt.ItemDataRole.UserRole

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class GateState:
    """What the page shows.

    Parameters
    ----------
    labels
        The vocabulary.
    over_all
        Whether all sequences are counted.
    sequences
        How many there are.
    gates
        None until they are known; empty where there are no gates.
    titles
        What each is called.
    units
        For each gate the selected unit of its layer.
    without
        Names of the networks that have no gates.
    """

    labels: Labels
    over_all: bool
    sequences: int
    gates: tuple[GateSaturation, ...] | None
    titles: tuple[str, ...]
    units: tuple[int, ...]
    without: tuple[str, ...]


class GatePage(QWidget):
    """What is counted, the squares, the selected unit in words, and all numbers as a table."""

    over_chosen = Signal(str)
    unit_chosen = Signal(str, int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._over = Segments("Steps of", {ONE: "this sequence", ALL: "all"})
        self._note = label(kind="caption")
        self._note.setWordWrap(True)
        self.plots = GatePlots(theme)
        self._here = label(kind="caption")
        self._here.setWordWrap(True)
        self._meaning = label(_MEANING, "caption")
        self._meaning.setWordWrap(True)
        self.table_view = _GateTable()
        self._numbers = Fold(theme, "Numbers", self.table_view)
        self._fold = Fold(theme, "What is shown", self._meaning)
        self._over_word = label("Steps of", "secondary")
        choices = choice_rows((self._over_word, self._over))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SECTION_GAP)
        column.addLayout(choices)
        column.addWidget(self._note)
        column.addWidget(self.plots)
        column.addWidget(self._here)
        column.addWidget(self._numbers)
        column.addWidget(self._fold)
        column.addStretch(1)
        self._over.chosen.connect(self.over_chosen)
        self.plots.unit_chosen.connect(self.unit_chosen)
        self.table_view.unit_chosen.connect(self.unit_chosen)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        for part in (self.plots, self._numbers, self._fold):
            part.apply_theme(theme)

    def show_state(self, state: GateState, before: GateState | None) -> None:
        """Show another state; squares and table are touched only if the counts changed."""
        self._over.button(ALL).setText(f"all {format_count(state.sequences)}")
        for widget in (self._over, self._over_word):
            widget.setVisible(state.sequences > 1)
        self._over.show_choice(ALL if state.over_all else ONE)
        gates = state.gates or ()
        without = " and ".join(state.without)
        self._note.setText(f"{without}: no gates, so nothing to be shut or open." if without else "")
        self._note.setVisible(bool(without))
        for part in (self.plots, self._here, self._numbers):
            part.setVisible(bool(gates))
        if before is None or (state.gates, state.titles) != (before.gates, before.titles):
            self.plots.show_picture(GatePicture(gates, state.titles, _summary(state)))
            self.table_view.show_gates(gates, state.titles)
        self.plots.show_units(state.units)
        self.table_view.show_unit(state.units[0] if state.units else 0)
        self._here.setText("\n".join(here_texts(state)))

    def table(self, state: GateState) -> str:
        """Return the numbers as text."""
        return gates_table(state.gates or (), state.titles)


_MEANING = (
    "Each ring is one unit: along, the share of steps at which its gate is below 0.1, so shut; up, the share at which "
    "it is above 0.9, so open. Together they are 1 at most, which is the dashed line. A unit at the upper left keeps "
    "its gate open nearly always, one at the lower right shut, one at the lower left in between. After Karpathy, "
    "Johnson and Fei-Fei (2015). A gate is what the network's kind declares to lie between 0 and 1."
)


def here_texts(state: GateState) -> list[str]:
    """Say for each gate how often that of the selected unit is shut and open."""
    lines = []
    for gate, title, selected in zip(state.gates or (), state.titles, state.units, strict=True):
        unit = selected // gate.units_each
        if unit < len(gate.shut):
            lines.append(gate_text(gate, title, unit))
    return lines


def _summary(state: GateState) -> str:
    """Return for each gate how many units have it shut or open at most steps."""
    words = []
    for gate, title in zip(state.gates or (), state.titles, strict=True):
        shut, opened = int((gate.shut > 0.5).sum()), int((gate.open > 0.5).sum())
        words.append(
            f"{title}: of {format_count(len(gate.shut))}, {format_count(shut)} shut and {format_count(opened)} open at "
            f"most of {format_count(gate.steps)} steps"
        )
    return f"{'; '.join(words)}." if words else "No gates."


class _GateModel(QAbstractTableModel):
    """Units as rows; a column for each side of each gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: tuple[GateSaturation, ...] = ()
        self._titles: tuple[str, ...] = ()

    def show_gates(self, gates: tuple[GateSaturation, ...], titles: tuple[str, ...]) -> None:
        self.beginResetModel()
        self.gates, self._titles = gates, titles
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else max((len(gate.shut) for gate in self.gates), default=0)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() or not self.gates else 1 + 2 * len(self.gates)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Vertical or not self.gates:
            return None
        index, is_open = divmod(section - 1, 2)
        if role == Qt.ItemDataRole.DisplayRole:
            return "unit" if section == 0 else f"{self.gates[index].gate.badge} {'> 0.9' if is_open else '< 0.1'}"
        if role == Qt.ItemDataRole.ToolTipRole and section:
            return f"{self._titles[index]}: share of the steps {'above 0.9' if is_open else 'below 0.1'}"
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = index.row(), index.column()
        if column == 0:
            return row if role in {Qt.ItemDataRole.DisplayRole, _SORTED_BY} else None
        gate = self.gates[(column - 1) // 2]
        values = gate.shut if column % 2 else gate.open
        value = float(values[row]) if row < len(values) else np.nan
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return percent(value)
            case Qt.ItemDataRole.UserRole:
                return -1.0 if np.isnan(value) else value
            case Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


class _GateTable(QTableView):
    """The counts as numbers; a click on a head sorts, the arrow keys choose a unit."""

    unit_chosen = Signal(str, int)

    def __init__(self) -> None:
        super().__init__()
        self._model = _GateModel()
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._model)
        self._sorted.setSortRole(_SORTED_BY)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.setAccessibleName("Share of steps at which each gate is shut and open")
        self.setStyleSheet(FOCUS_RING_RULES)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setHighlightSections(False)
        self.setFixedHeight(_TABLE_HEIGHT)
        self.selectionModel().currentRowChanged.connect(self._on_row)

    def show_gates(self, gates: tuple[GateSaturation, ...], titles: tuple[str, ...]) -> None:
        self._model.show_gates(gates, titles)

    def show_unit(self, unit: int) -> None:
        """Select the row of the unit that is selected in the first gate's layer, without telling."""
        gates = self._model.gates
        row = self._sorted.mapFromSource(self._model.index(unit // gates[0].units_each if gates else 0, 0)).row()
        if row >= 0 and row != self.currentIndex().row():
            self.selectionModel().blockSignals(True)
            self.selectRow(row)
            self.selectionModel().blockSignals(False)
            self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show and name the current line."""
        super().focusInEvent(event)
        meet(self)

    def _on_row(self, now: QModelIndex, before: QModelIndex) -> None:  # noqa: ARG002 - Qt's signature
        gates = self._model.gates
        if now.isValid() and gates:
            unit = self._sorted.mapToSource(now).row() * gates[0].units_each
            self.unit_chosen.emit(f"{gates[0].network}:{gates[0].layer.prefix}", unit)
