"""What is kept equal between the networks, and the warning that one run proves little."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from lstm_studio.session.trainings import Trainings
from lstm_studio.training.plan import Equal, Plan
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.icons import Icon, show_icon
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.train.equal import EqualRow, equal_rows, network_sizes_of
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label

_ICON = 12
_ALONE = "With nothing beside it there is nothing to compare."
_ONE_SEED = "One seed, one setting. It shows what happened here, not what always happens."


@dataclass(frozen=True, slots=True)
class _State:
    match: Equal
    rows: tuple[EqualRow, ...]


class EqualPanel(Panel[_State]):
    """A list with = and ≠.

    Parameters
    ----------
    trainings
        Whose plan is shown and changed.
    actions
        Where the commands are.
    """

    def __init__(self, trainings: Trainings, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Kept equal", parent)
        self._trainings, self._actions, self._theme = trainings, actions, theme
        self._match = Segments(
            "What the companion has in common",
            {Equal.UNITS.value: "Same units", Equal.PARAMETERS.value: "Same weights"},
            padding=HALF_GRID,
        )
        self._list = QWidget()
        self._grid = QGridLayout(self._list)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(HALF_GRID)
        self._grid.setColumnStretch(1, 1)
        self._lines: list[tuple[QLabel, QLabel, QLabel]] = []
        self._alone = label(_ALONE, "caption")
        self._alone.setWordWrap(True)
        self.warning = QFrame()
        self.warning.setProperty("kind", "notice")
        self.warning.setProperty("level", "warning")
        inside = QVBoxLayout(self.warning)
        inside.setContentsMargins(GRID, HALF_GRID, GRID, HALF_GRID)
        words = label(_ONE_SEED, "secondary")
        words.setWordWrap(True)
        inside.addWidget(words)
        for part in (self._match, self._list, self._alone, self.warning):
            self.column.addWidget(part)
        self._repeat = QPushButton("Repeat with several seeds…")
        self._repeat.setToolTip(actions["train.repeat"].toolTip())
        self._repeat.clicked.connect(actions["train.repeat"].trigger)
        actions["train.repeat"].changed.connect(self._show_button)
        self.column.addWidget(self._repeat)
        self.column.addStretch(1)
        self._show_button()
        self._match.chosen.connect(self._choose)
        trainings.plan_changed.connect(self._on_plan)
        trainings.changed.connect(self._on_changed)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        if self._state is not None:
            self._show_rows(self._state.rows)

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Name and text of each line."""
        return tuple((name.text(), text.text()) for _, name, text in self._lines if not name.isHidden())

    def _on_plan(self, _: Plan) -> None:
        self.refresh()

    def _on_changed(self) -> None:
        if self._trainings.plan.sequence:
            # How large the networks are is known only when the sequences have been read.
            self.refresh()

    def _resolve(self) -> _State:
        plan = self._trainings.plan
        return _State(plan.match, equal_rows(plan, network_sizes_of(plan, self._trainings.shape)))

    def _apply(self, state: _State, before: _State | None) -> None:  # noqa: ARG002 - cheap enough to show as a whole
        self._match.show_choice(state.match.value)
        self._match.setEnabled(bool(state.rows))
        self._alone.setVisible(not state.rows)
        self._show_rows(state.rows)

    def _show_rows(self, rows: tuple[EqualRow, ...]) -> None:
        while len(self._lines) < len(rows):
            made = (QLabel(), label(kind="secondary"), label(kind="value"))
            at = len(self._lines)
            self._grid.addWidget(made[0], at, 0)
            self._grid.addWidget(made[1], at, 1)
            self._grid.addWidget(made[2], at, 2, Qt.AlignmentFlag.AlignRight)
            self._lines.append(made)
        for place, (icon, name, text) in enumerate(self._lines):
            for part in (icon, name, text):
                part.setVisible(place < len(rows))
            if place >= len(rows):
                continue
            row = rows[place]
            colour = self._theme.ok if row.same else self._theme.warning
            show_icon(icon, Icon.TICK if row.same else Icon.UNEQUAL, colour, _ICON)
            name.setText(row.name)
            text.setText(row.text)
            text.setStyleSheet("" if row.same else f"color: {self._theme.warning};")
            text.setAccessibleName(f"{row.name}: {row.text}, {'equal' if row.same else 'not equal'}")

    def _show_button(self) -> None:
        self._repeat.setEnabled(self._actions["train.repeat"].isEnabled())

    def _choose(self, match: str) -> None:
        self._trainings.change(match=Equal(match))
