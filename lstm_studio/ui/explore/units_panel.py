"""Which unit, of which layer and direction, the window follows."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QGridLayout, QWidget

from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, View
from lstm_studio.ui.explore.layers import inspected_layer, layers_of, selected_unit
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, Theme
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.stepper import Stepper
from lstm_studio.ui.widgets.text import label

_FORWARD, _BACKWARD = "forward", "backward"


@dataclass(frozen=True, slots=True)
class _State:
    group: str
    unit: int
    units: int
    layer: int
    depth: int
    directions: int
    backward: bool


class UnitsPanel(Panel[_State]):
    """The selected unit of the shown layer; a layer and a direction to choose where there are several."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Units", parent)
        self._session = session
        self._unit, self._count = Stepper(theme, "unit"), label(kind="caption")
        self._layer_word, self._layer = label("Layer", "secondary"), Stepper(theme, "layer")
        self._depth = label(kind="caption")
        self._direction_word = label("Reads", "secondary")
        self._direction = Segments("Direction", {_FORWARD: "forward", _BACKWARD: "backward"})
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID)
        grid.addWidget(label("Selected", "secondary"), 0, 0)
        grid.addWidget(self._unit, 0, 1)
        grid.addWidget(self._count, 0, 2)
        grid.addWidget(self._layer_word, 1, 0)
        grid.addWidget(self._layer, 1, 1)
        grid.addWidget(self._depth, 1, 2)
        grid.addWidget(self._direction_word, 2, 0)
        grid.addWidget(self._direction, 2, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self.column.addLayout(grid)
        self.column.addStretch(1)
        self._unit.chosen.connect(self._choose_unit)
        self._layer.chosen.connect(self._choose_layer)
        self._direction.chosen.connect(self._choose_direction)
        session.result_replaced.connect(self._on_result)
        session.view_changed.connect(self._on_view)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._unit.apply_theme(theme)
        self._layer.apply_theme(theme)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the height at which all is seen: so little is not worth scrolling."""
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())

    def _on_result(self, result: Result) -> None:  # noqa: ARG002 - the session holds it
        self.refresh()

    def _on_view(self, after: View, before: View) -> None:
        if any(getattr(after, name) != getattr(before, name) for name in ("units", "layer", "backward")):
            self.refresh()

    def _choose_unit(self, unit: int) -> None:
        if self._state is not None:
            self._session.select_unit(self._state.group, unit)

    def _choose_layer(self, number: int) -> None:
        self._session.look(layer=number - 1)

    def _choose_direction(self, direction: str) -> None:
        self._session.look(backward=direction == _BACKWARD)

    def _resolve(self) -> _State:
        result, view = self._session.result, self._session.view
        shown = inspected_layer(result, view)
        if shown is None:
            return _State("", 0, 0, 0, 0, 0, False)
        stacked = layers_of(result, 0)
        return _State(
            shown.group,
            selected_unit(shown, view),
            shown.layer.units,
            shown.number,
            shown.depth,
            len(stacked[shown.number]),
            shown.backward,
        )

    def _apply(self, state: _State, before: _State | None) -> None:  # noqa: ARG002 - few widgets
        self._unit.show_value(state.unit, 0, max(0, state.units - 1))
        self._count.setText(f"of {format_count(state.units)}")
        self._layer.show_value(state.layer + 1, 1, max(1, state.depth))
        self._depth.setText(f"of {state.depth}")
        for widget in (self._layer_word, self._layer, self._depth):
            widget.setVisible(state.depth > 1)
        self._direction.show_choice(_BACKWARD if state.backward else _FORWARD)
        for part in (self._direction_word, self._direction):
            part.setVisible(state.directions > 1)
