"""The panel with how the selected run is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from lstm_studio.session.monitoring import Monitoring, MonitorView
from lstm_studio.session.pictures import RunPicture
from lstm_studio.session.recording_words import recorder_facts
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.text import label

_TICK = 1000


_UNSELECTED = "Select a run to see how it is recorded."
_NO_RUNS = "Add the folder of a run to see how it is recorded."


@dataclass(frozen=True, slots=True)
class RecorderState:
    """What the panel shows: the run's letter and title, facts in their order, and what to do where there are none."""

    run: str
    facts: tuple[tuple[str, str], ...]
    empty: str = ""


class RecorderPanel(Panel[RecorderState]):
    """How often a run is sampled, how much has been written, and when it was last heard of.

    Parameters
    ----------
    monitoring
        Whose selected run is meant.
    """

    filled = Signal()
    """There is something to see now where nothing was: it needs more room."""

    def __init__(self, monitoring: Monitoring, theme: Theme) -> None:
        super().__init__("Recorder")
        self._told_empty = True
        self._monitoring = monitoring
        self._empty = EmptyState(theme, _NO_RUNS)
        self._run = label(kind="value")
        self._run.setTextFormat(Qt.TextFormat.PlainText)
        self._run.setWordWrap(True)
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(HALF_GRID)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK)
        self._timer.timeout.connect(self.refresh)
        for part in (self._empty, self._run, self._table):
            self.column.addWidget(part)
        self.column.addStretch(1)
        monitoring.view_changed.connect(self._on_view)
        monitoring.pictured.connect(self._on_pictured)
        self.refresh()

    def _resolve(self) -> RecorderState:
        picture: RunPicture | None = self._monitoring.selected
        selected = self._monitoring.view.selected
        letter = self._monitoring.letter(selected)
        if picture is None and selected in self._monitoring.addresses:
            return RecorderState("", (), f"Run {letter} has not been read yet. If it cannot be, an alarm says why.")
        if picture is None:
            return RecorderState("", (), _UNSELECTED if self._monitoring.addresses else _NO_RUNS)
        return RecorderState(f"Run {letter}, {picture.title}", recorder_facts(picture))

    def _apply(self, state: RecorderState, before: RecorderState | None) -> None:  # noqa: ARG002 - a few short texts
        self._empty.setVisible(not state.facts)
        self._empty.setText(state.empty)
        self._run.setVisible(bool(state.facts))
        self._run.setText(state.run)
        while len(self._rows) < len(state.facts):
            name, value = label(kind="secondary"), label(kind="value", selectable=True)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            for text in (name, value):
                text.setTextFormat(Qt.TextFormat.PlainText)
            value.setWordWrap(True)
            row = len(self._rows)
            self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(value, row, 1)
            self._rows.append((name, value))
        for index, (name, value) in enumerate(self._rows):
            there = index < len(state.facts)
            name.setVisible(there)
            value.setVisible(there)
            if there:
                words, fact = state.facts[index]
                name.setText(words)
                value.setText(fact)
                value.setAccessibleName(f"{words}: {fact}")
        self._tell_filled()

    def _tell_filled(self) -> None:
        there = self._state is not None and bool(self._state.facts)
        if there and self._told_empty and self.isVisible():
            self.filled.emit()
        if self.isVisible() or not there:
            self._told_empty = not there

    def _on_view(self, after: MonitorView, before: MonitorView) -> None:
        if after.selected != before.selected:
            self.refresh()

    def _on_pictured(self, addresses: frozenset[str]) -> None:
        if self.isVisible() and self._monitoring.view.selected in addresses:
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Keep the age up to date while it can be seen."""
        super().showEvent(event)
        self.refresh()
        self._tell_filled()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody looks."""
        super().hideEvent(event)
        self._timer.stop()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._empty.apply_theme(theme)
