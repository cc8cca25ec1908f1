"""The snapshot that is looked at: the numbers of all networks, their gradients by lag, and the way into Explore."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from lstm_studio.networks.signals import FORGET_GATE, Labels
from lstm_studio.runs.like import Curve
from lstm_studio.session.learning import Learner, Learning
from lstm_studio.session.session import Session
from lstm_studio.session.state import View
from lstm_studio.session.trainings import Trainings
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.numbers import format_count, format_number, format_scientific
from lstm_studio.ui.plots.axis import nice_step
from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.train.step_lags import StepLags, lag_curve
from lstm_studio.ui.training_plots.lag_cells import shared_axis
from lstm_studio.ui.widgets.badge import Badge
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.text import Room, label
from lstm_studio.ui.widgets.themed import Themed

_MOST_NETWORKS = 2
_EMPTY = (
    "Start a training, or show an earlier one: the numbers of the snapshot that is looked at appear here as soon as it"
    " has one."
)
_NONE = "none"
_LAG_PART = 0.85
"""Up to which part of the longest lag the gradients are compared."""


@dataclass(frozen=True, slots=True)
class _State:
    learning: Learning | None
    step: int | None
    labels: Labels


class SnapshotPanel(Panel[_State]):
    """Numbers, one column for each network.

    Parameters
    ----------
    trainings
        What is shown.
    session
        Whose vocabulary is used.
    actions
        Where the commands are.
    """

    def __init__(
        self, trainings: Trainings, session: Session, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("Snapshot", parent)
        self._trainings, self._session, self._actions = trainings, session, actions
        self._learning: Learning | None = None
        self._axis: LogAxis | None = None
        self._empty = EmptyState(theme, _EMPTY)
        self._number, self._of = label(kind="step-number"), label(kind="secondary")
        self._number.setAccessibleName("Training step")
        self._table = _Table(theme)
        self._open = QPushButton("Open this snapshot in Explore")
        self._open.setProperty("kind", "primary")
        self._follow = QCheckBox("Explore follows the slider")
        self._title = label(kind="value")
        self._plot = StepLags(theme)
        self._values = tuple(_Value(theme) for _ in range(_MOST_NETWORKS))
        head = QHBoxLayout()
        head.setSpacing(GRID)
        self._number_room, self._of_room, self._title_room = map(Room, (self._number, self._of, self._title))
        head.addWidget(self._number_room)
        head.addWidget(self._of_room, 1, Qt.AlignmentFlag.AlignBottom)
        self.column.addWidget(self._empty)
        self.column.addLayout(head)
        for part in (self._table, self._open, self._follow, self._title_room, self._plot, *self._values):
            self.column.addWidget(part)
        self.column.addStretch(1)
        self._parts = (
            self._number_room,
            self._of_room,
            self._table,
            self._open,
            self._follow,
            self._title_room,
            self._plot,
        )
        for button, key in ((self._open, "train.open-in-explore"), (self._follow, "train.explore-follows")):
            button.setToolTip(actions[key].toolTip())
            button.clicked.connect(actions[key].trigger)
            actions[key].changed.connect(self._show_buttons)
        trainings.changed.connect(self.refresh)
        trainings.selected.connect(self.refresh)
        session.view_changed.connect(self._on_view)
        self._show_buttons()
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        themed: tuple[Themed, ...] = (self._empty, self._table, self._plot, *self._values)
        for part in themed:
            part.apply_theme(theme)

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """What the table says, line by line."""
        return self._table.texts

    def _on_view(self, after: View, before: View) -> None:
        if after.labels is not before.labels:
            self.refresh()

    def _resolve(self) -> _State:
        return _State(self._trainings.learning, self._trainings.step, self._session.view.labels)

    def _apply(self, state: _State, before: _State | None) -> None:  # noqa: ARG002 - cheap enough to show as a whole
        learning, step = state.learning, state.step
        there = learning is not None and step is not None
        self._empty.setVisible(not there)
        for part in self._parts:
            part.setVisible(there)
        for value in self._values:
            value.setVisible(there)
        if learning is None or step is None:
            return
        if learning is not self._learning:
            self._learning = learning
            self._axis = shared_axis([learner.lags[1] for learner in learning.learners])
        place = learning.snapshots.index(step) + 1
        self._number.setText(format_count(step))
        count = format_count(len(learning.snapshots))
        self._of.setText(f"of {format_count(learning.done)} · number {format_count(place)} of {count}")
        self._table.show_learners(learning, step, state.labels)
        self._title.setText(f"Gradient against lag, step {format_count(step)}")
        found = [lag_curve(learner, step) for learner in learning.learners]
        curves = tuple(curve for curve in found if curve is not None and len(curve.norms))
        self._plot.show_curves(curves, self._axis, step)
        self._title_room.setVisible(bool(curves))
        self._plot.setVisible(bool(curves))
        lag = compared_lag(self._plot.lags)
        for value, curve in zip(self._values, (*curves, None, None), strict=False):
            value.setVisible(curve is not None)
            if curve is not None:
                at = lag - lag % curve.spacing
                norm = curve.at(at)
                text = "–" if norm is None else format_scientific(norm)
                value.show_value(f"{curve.name} at lag {format_count(at)}", text, self._learners_place(curve.name))

    def _learners_place(self, name: str) -> Learner | None:
        learners = () if self._learning is None else self._learning.learners
        return next((learner for learner in learners if learner.name == name), None)

    def _show_buttons(self) -> None:
        self._open.setEnabled(self._actions["train.open-in-explore"].isEnabled())
        follows = self._actions["train.explore-follows"]
        self._follow.setEnabled(follows.isEnabled())
        self._follow.setChecked(follows.isChecked())


def compared_lag(longest: int) -> int:
    """Return the lag at which the gradients are compared: a round one, not far from the longest."""
    stride = nice_step(longest / 20)
    return int(_LAG_PART * longest) // stride * stride


_LINES: tuple[tuple[str, str], ...] = (
    ("Loss", "loss"),
    ("Accuracy", "accuracy"),
    ("", "within"),
    ("", "forget_gate"),
)


class _Table(QFrame):
    """A line for each number, a column for each network."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName("Numbers of the snapshot")
        grid = QGridLayout(self)
        grid.setContentsMargins(GRID, HALF_GRID, GRID, HALF_GRID)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(HALF_GRID)
        grid.setColumnStretch(0, 1)
        self._badges = tuple(Badge(theme) for _ in range(_MOST_NETWORKS))
        self._heads = tuple(label(kind="value") for _ in range(_MOST_NETWORKS))
        for place, (badge, head) in enumerate(zip(self._badges, self._heads, strict=True)):
            cell = QWidget()
            row = QHBoxLayout(cell)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(HALF_GRID)
            row.addWidget(badge)
            row.addWidget(head)
            grid.addWidget(cell, 0, place + 1, Qt.AlignmentFlag.AlignRight)
        self._names = tuple(label(kind="secondary") for _ in _LINES)
        self._cells = tuple(tuple(_number() for _ in range(_MOST_NETWORKS)) for _ in _LINES)
        self._rules: list[QFrame] = []
        for line, (name, cells) in enumerate(zip(self._names, self._cells, strict=True)):
            rule = QFrame()
            rule.setFixedHeight(1)
            self._rules.append(rule)
            grid.addWidget(rule, 2 * line + 1, 0, 1, _MOST_NETWORKS + 1)
            grid.addWidget(name, 2 * line + 2, 0)
            for place, (room, _) in enumerate(cells):
                grid.addWidget(room, 2 * line + 2, place + 1, Qt.AlignmentFlag.AlignRight)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        for badge in self._badges:
            badge.apply_theme(theme)
        for rule in self._rules:
            rule.setStyleSheet(f"background: {theme.line}; border: 0;")

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """What the table says, line by line."""
        return tuple(
            (name.text(), *(cell.text() for room, cell in cells if not room.isHidden()))
            for name, cells in zip(self._names, self._cells, strict=True)
            if not name.isHidden()
        )

    def show_learners(self, learning: Learning, step: int, labels: Labels) -> None:
        """Show the numbers at a step."""
        learners = learning.learners[:_MOST_NETWORKS]
        near = learning.task.get("near")
        titles = {
            "within": f"Within {near:g}" if isinstance(near, float) else "Near the target",
            "forget_gate": f"Mean {FORGET_GATE.label(labels).lower()}",
        }
        for place, (badge, head) in enumerate(zip(self._badges, self._heads, strict=True)):
            badge.setVisible(place < len(learners))
            head.setVisible(place < len(learners))
            if place < len(learners):
                badge.show_badge(learners[place].letter, learners[place].role)
                head.setText(learners[place].name)
        for (title, field), rule, name, cells in zip(_LINES, self._rules, self._names, self._cells, strict=True):
            curves: list[Curve] = [getattr(learner, field) for learner in learners]
            there = any(curve[0].size for curve in curves)
            name.setVisible(there)
            rule.setVisible(there)
            name.setText(titles.get(field, title))
            write: Callable[[float], str] = _loss_text if field == "loss" else _share_text
            for place, (room, cell) in enumerate(cells):
                room.setVisible(there and place < len(learners))
                if place < len(learners):
                    value = _value_at(curves[place], step)
                    cell.setText(_NONE if value is None else write(value))
                    cell.setAccessibleName(f"{learners[place].name}, {name.text()}: {cell.text()}")


def _number() -> tuple[Room, QLabel]:
    """Return a number, and the room that a layout holds for it."""
    made = label(kind="value")
    made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return Room(made, grows=True), made


def _value_at(curve: Curve, step: int) -> float | None:
    """Return what was measured nearest to a step."""
    steps, values = curve
    if not len(steps):
        return None
    after = int(np.searchsorted(steps, step))
    around = [place for place in (after - 1, after) if 0 <= place < len(steps)]
    return float(values[min(around, key=lambda place: abs(int(steps[place]) - step))])


def _loss_text(value: float) -> str:
    return f"{value:.3f}" if 0.001 <= value < 1000 else format_number(value)


def _share_text(value: float) -> str:
    return format_number(value)


class _Value(QWidget):
    """A name with its colour, and a number."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._badge = Badge(theme)
        self._name, (room, self._number) = label(kind="secondary"), _number()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._badge)
        row.addWidget(Room(self._name), 1)
        row.addWidget(room)

    def show_value(self, name: str, number: str, learner: Learner | None) -> None:
        """Show another number."""
        if learner is not None:
            self._badge.show_badge(learner.letter, learner.role)
        self._name.setText(name)
        self._number.setText(number)
        self._number.setAccessibleName(f"{name}: {number}")

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._badge.apply_theme(theme)
