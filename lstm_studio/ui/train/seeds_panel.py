"""The same comparison over several seeds: what became of each, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from lstm_studio.session.learning import Learning
from lstm_studio.session.trainings import Series, Trainings
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.icons import Icon, show_icon
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.train.seed_plot import SeedPlot
from lstm_studio.ui.train.spread import SeedRow, chance_of, progress_words, seed_rows, spreads
from lstm_studio.ui.widgets.badge import Badge
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.text import label

_EMPTY = "One seed proves nothing general. Repeat the training with several, and see here how far they are apart."
_ICON = 12
_MOST_NETWORKS = 2


@dataclass(frozen=True, slots=True)
class _State:
    series: Series | None
    learnings: tuple[Learning, ...]
    shown: str


class SeedsPanel(Panel[_State]):
    """A line for each seed, and below them all losses on one axis.

    Parameters
    ----------
    trainings
        What is shown.
    actions
        Where the commands are.
    """

    def __init__(self, trainings: Trainings, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Seeds", parent)
        self._trainings, self._theme = trainings, theme
        self._empty = EmptyState(theme, _EMPTY)
        self._repeat = QPushButton("Repeat with several seeds…")
        self._repeat.setToolTip(actions["train.repeat"].toolTip())
        self._repeat.clicked.connect(actions["train.repeat"].trigger)
        self._progress = label(kind="title")
        self._list = QWidget()
        self._list.setAccessibleName("Seeds")
        self._grid = QGridLayout(self._list)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._badges = tuple(Badge(theme) for _ in range(_MOST_NETWORKS))
        for place, badge in enumerate(self._badges):
            self._grid.addWidget(badge, 0, 3 + 2 * place, Qt.AlignmentFlag.AlignRight)
        self._lines: list[_Line] = []
        self.plot = SeedPlot(theme)
        self._words = tuple(label(kind="secondary") for _ in range(_MOST_NETWORKS))
        for part in (self._empty, self._repeat, self._progress, self._list, self.plot, *self._words):
            self.column.addWidget(part)
        self.column.addStretch(1)
        for words in self._words:
            words.setWordWrap(True)
        self.plot.seed_chosen.connect(self._show_seed)
        trainings.changed.connect(self.refresh)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self._empty.apply_theme(theme)
        self.plot.apply_theme(theme)
        for badge in self._badges:
            badge.apply_theme(theme)
        for line in self._lines:
            line.apply_theme(theme)

    @property
    def texts(self) -> tuple[str, ...]:
        """What is said of each network over all seeds."""
        return tuple(words.text() for words in self._words if not words.isHidden())

    def _resolve(self) -> _State:
        trainings = self._trainings
        return _State(trainings.series, tuple(trainings.others.values()), trainings.shown)

    def _apply(self, state: _State, before: _State | None) -> None:  # noqa: ARG002 - cheap enough to show as a whole
        series = state.series
        there = series is not None
        first: tuple[QWidget, ...] = (self._empty, self._repeat)
        for part in first:
            part.setVisible(not there)
        for part in (self._progress, self._list, self.plot, *self._words):
            part.setVisible(there)
        if series is None:
            return
        others: Mapping[str, Learning] = self._trainings.others
        self._progress.setText(progress_words(series, others))
        rows = seed_rows(series, others)
        while len(self._lines) < len(rows):
            line = _Line(self._theme, self._grid, len(self._lines) + 1)
            line.button.clicked.connect(self._on_chosen)
            self._lines.append(line)
        for place, line in enumerate(self._lines):
            line.show_row(rows[place] if place < len(rows) else None, state.shown)
        found = spreads(series, others)
        for badge, one in zip(self._badges, (*found, None, None), strict=False):
            badge.setVisible(one is not None)
            if one is not None:
                badge.show_badge(one.letter, one.role)
        seed = dict(zip(series.addresses, series.seeds, strict=True)).get(state.shown, -1)
        self.plot.show_spreads(found, chance_of(tuple(others.values())), seed)
        for words, spread in zip(self._words, (*found, None, None), strict=False):
            words.setVisible(spread is not None)
            words.setText("" if spread is None else f"{spread.words}.")

    def _on_chosen(self) -> None:
        address = self.sender().property("address")
        if address:
            self._trainings.show(str(address))

    def _show_seed(self, seed: int) -> None:
        series = self._trainings.series
        if series is not None and seed in series.seeds:
            self._trainings.show(series.addresses[series.seeds.index(seed)])


class _Line:
    """One seed: a button with its number, what it does, and of each network a tick or a cross with its loss."""

    def __init__(self, theme: Theme, grid: QGridLayout, row: int) -> None:
        self._theme = theme
        self.button = QPushButton()
        self.button.setCheckable(True)
        self.button.setProperty("kind", "flat")
        self._state = label(kind="caption")
        self._icons = tuple(QLabel() for _ in range(_MOST_NETWORKS))
        self._losses = tuple(label(kind="value") for _ in range(_MOST_NETWORKS))
        self._row: SeedRow | None = None
        grid.addWidget(self.button, row, 0)
        grid.addWidget(self._state, row, 1)
        for place, (icon, loss) in enumerate(zip(self._icons, self._losses, strict=True)):
            grid.addWidget(icon, row, 2 + 2 * place)
            grid.addWidget(loss, row, 3 + 2 * place, Qt.AlignmentFlag.AlignRight)
        grid.setRowMinimumHeight(row, 2 * HALF_GRID)

    def show_row(self, row: SeedRow | None, shown: str) -> None:
        """Show another seed, or none."""
        self._row = row
        for part in (self.button, self._state, *self._icons, *self._losses):
            part.setVisible(row is not None)
        if row is None:
            return
        self.button.setText(f"Seed {row.seed}")
        self.button.setProperty("address", row.address)
        self.button.setEnabled(bool(row.verdicts))
        self.button.setChecked(row.address == shown)
        self._state.setText(row.state)
        said = []
        for place, (icon, loss) in enumerate(zip(self._icons, self._losses, strict=True)):
            there = place < len(row.verdicts)
            icon.setVisible(there)
            loss.setVisible(there)
            if there:
                verdict, text = row.verdicts[place]
                loss.setText(text)
                said.append(f"{'solved' if verdict else 'not solved'}, loss {text}")
        self.button.setAccessibleDescription("; ".join((*said, row.state)))
        self._show_icons()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self._show_icons()

    def _show_icons(self) -> None:
        if self._row is None:
            return
        for icon, (verdict, _) in zip(self._icons, self._row.verdicts, strict=False):
            kind, colour = (Icon.TICK, self._theme.ok) if verdict else (Icon.CROSS, self._theme.error)
            show_icon(icon, kind, colour, _ICON)
