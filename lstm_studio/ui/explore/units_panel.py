"""Which units are in sight and in which order, and which one, of which layer and direction, the window follows."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QGridLayout, QLineEdit, QPushButton, QWidget

from lstm_studio.session.session import Session
from lstm_studio.session.state import Remarks, Result, UnitFilter, UnitOrder, View
from lstm_studio.session.units import (
    UnitsError,
    activity,
    filter_text,
    passing,
    pinned_in,
    read_filter,
    sight_of,
    units_text,
)
from lstm_studio.ui.explore.layers import ShownLayer, inspected_layer, layers_of, selected_unit
from lstm_studio.ui.icons import Icon, make_icon
from lstm_studio.ui.numbers import format_count, format_number
from lstm_studio.ui.theme import GRID, Theme
from lstm_studio.ui.widgets.action_button import set_field_icon
from lstm_studio.ui.widgets.debounce import Debounce
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.stepper import Stepper
from lstm_studio.ui.widgets.text import label

_FORWARD, _BACKWARD = "forward", "backward"
_BESIDE_WORDS = 6
"""Pixels beside each order: three of them decide how wide the docks on the left are."""
_ORDERS = {UnitOrder.INDEX: "index", UnitOrder.ACTIVITY: "activity", UnitOrder.SIMILARITY: "similar"}
_ORDER_TIPS = {
    UnitOrder.INDEX: "By number, as the network stores them",
    UnitOrder.ACTIVITY: "The most active first: by the mean of |h| over all steps",
    UnitOrder.SIMILARITY: "Units that do alike side by side: by the correlation of their h over time",
}
_FILTER_TIP = "Units by number (3, 5, 8–12), or those more active than so much (> 0.2): the mean of |h| over time"


@dataclass(frozen=True, slots=True)
class _State:
    group: str
    unit: int
    units: int
    layer: int
    depth: int
    directions: int
    backward: bool
    order: UnitOrder
    kept: UnitFilter
    shown: tuple[int, ...]
    pinned: tuple[int, ...]
    nothing_kept: str


class UnitsPanel(Panel[_State]):
    """Order, filter and pins of the units; the selected one; a layer and a direction where there are several."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Units", parent)
        self._session = session
        orders = {str(order): words for order, words in _ORDERS.items()}
        self._order = Segments("Order", orders, padding=_BESIDE_WORDS)
        self._unit, self._pin = Stepper(theme, "unit"), QPushButton("Pin")
        self._filter, self._problem = QLineEdit(), label()
        self._count = label(kind="caption")
        self._layer_word, self._layer = label("Layer", "secondary"), Stepper(theme, "layer")
        self._depth = label(kind="caption")
        self._direction_word = label("Reads", "secondary")
        self._direction = Segments("Direction", {_FORWARD: "forward", _BACKWARD: "backward"})
        self._typing = Debounce(self)
        self._lay_out()
        self._connect()
        self.apply_theme(theme)
        self.refresh()

    def _lay_out(self) -> None:
        for order, tip in _ORDER_TIPS.items():
            self._order.button(str(order)).setToolTip(tip)
        # Three words have to share the narrowest panel.
        self._order.setStyleSheet("QPushButton { padding: 0 2px; } QPushButton:focus { padding: 0 1px; }")
        self._pin.setCheckable(True)
        self._filter.setPlaceholderText("all, or 3, 8–12, or > 0.2")
        self._clear = self._filter.addAction(QIcon(), QLineEdit.ActionPosition.TrailingPosition)
        self._clear.setToolTip("Show all units")
        # The button in the field would else be as high as any other, and its cross too low.
        self._filter.setStyleSheet("QToolButton { min-height: 0; padding: 0; border: 0; background: transparent; }")
        self._clear.setVisible(False)
        self._filter.setAccessibleName("Show units")
        self._filter.setToolTip(_FILTER_TIP)
        for words in (self._problem, self._count):
            words.setWordWrap(True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID)
        grid.addWidget(label("Order", "secondary"), 0, 0)
        grid.addWidget(self._order, 0, 1, 1, 2)
        grid.addWidget(label("Selected", "secondary"), 1, 0)
        grid.addWidget(self._unit, 1, 1)
        grid.addWidget(self._pin, 1, 2)
        grid.addWidget(label("Show", "secondary"), 2, 0)
        grid.addWidget(self._filter, 2, 1, 1, 2)
        grid.addWidget(self._problem, 3, 1, 1, 2)
        grid.addWidget(self._count, 4, 1, 1, 2)
        grid.addWidget(self._layer_word, 5, 0)
        grid.addWidget(self._layer, 5, 1)
        grid.addWidget(self._depth, 5, 2)
        grid.addWidget(self._direction_word, 6, 0)
        grid.addWidget(self._direction, 6, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self.column.addLayout(grid)
        self.column.addStretch(1)

    def _connect(self) -> None:
        self._order.chosen.connect(self._choose_order)
        self._unit.chosen.connect(self._choose_unit)
        self._pin.clicked.connect(self._choose_pin)
        self._filter.textEdited.connect(self._typing.trigger)
        self._filter.editingFinished.connect(self._finish_filter)
        self._filter.textChanged.connect(self._offer_clearing)
        self._typing.settled.connect(self._try_filter)
        self._clear.triggered.connect(self._clear_filter)
        self._layer.chosen.connect(self._choose_layer)
        self._direction.chosen.connect(self._choose_direction)
        self._session.result_replaced.connect(self._on_result)
        self._session.view_changed.connect(self._on_view)
        self._session.remarks_changed.connect(self._on_remarks)

    @property
    def filter_field(self) -> QLineEdit:
        """The field in which units are named."""
        return self._filter

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._unit.apply_theme(theme)
        self._layer.apply_theme(theme)
        set_field_icon(self._clear, make_icon(Icon.CROSS, theme, theme.ink3, size=10))
        self._problem.setStyleSheet(f"color: {theme.error};")

    def minimumSizeHint(self) -> QSize:
        """Return the height at which all is seen: so little is not worth scrolling."""
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())

    def focus_filter(self) -> None:
        """Give the filter the keyboard."""
        self._filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._filter.selectAll()

    def _on_result(self, result: Result) -> None:  # noqa: ARG002 - the session holds it
        self.refresh()

    def _on_view(self, after: View, before: View) -> None:
        watched = ("units", "layer", "backward", "order", "unit_filter")
        if any(getattr(after, name) != getattr(before, name) for name in watched):
            self.refresh()

    def _on_remarks(self, remarks: Remarks) -> None:  # noqa: ARG002 - the session holds them
        self.refresh()

    def _choose_order(self, order: str) -> None:
        self._session.look(order=UnitOrder(order))

    def _choose_unit(self, unit: int) -> None:
        if self._state is not None:
            self._session.select_unit(self._state.group, unit)

    def _choose_pin(self, on: bool) -> None:
        if self._state is not None:
            pin_unit(self._session, self._state.group, self._state.unit, on=on)

    def _try_filter(self) -> None:
        """Follow the typing where it already makes sense, and say nothing where it does not yet."""
        try:
            kept = self._read()
        except UnitsError:
            return
        self._say("")
        self._session.look(unit_filter=kept)

    def _finish_filter(self) -> None:
        self._typing.cancel()
        try:
            kept = self._read()
        except UnitsError as error:
            self._say(str(error))
            return
        self._session.look(unit_filter=kept)
        self._filter.setModified(False)
        self._show_filter()

    def _offer_clearing(self, text: str) -> None:
        self._clear.setVisible(bool(text))

    def _clear_filter(self) -> None:
        self._filter.clear()
        self._finish_filter()

    def _read(self) -> UnitFilter:
        return read_filter(self._filter.text(), self._state.units if self._state is not None else 0)

    def _choose_layer(self, number: int) -> None:
        self._session.look(layer=number - 1)

    def _choose_direction(self, direction: str) -> None:
        self._session.look(backward=direction == _BACKWARD)

    def _resolve(self) -> _State:
        result, view, remarks = self._session.result, self._session.view, self._session.remarks
        shown = inspected_layer(result, view)
        if shown is None:
            return _State("", 0, 0, 0, 0, 0, False, view.order, view.unit_filter, (), (), "")
        stacked = layers_of(result, 0)
        sight = sight_of(result, view, remarks, shown.group)
        return _State(
            shown.group,
            selected_unit(shown, view),
            shown.layer.units,
            shown.number,
            shown.depth,
            len(stacked[shown.number]),
            shown.backward,
            view.order,
            view.unit_filter,
            () if sight is None else tuple(sight.tolist()),
            pinned_in(remarks, shown.group, shown.layer.units),
            _nothing_kept(shown, view.unit_filter),
        )

    def _apply(self, state: _State, before: _State | None) -> None:
        self._order.show_choice(str(state.order))
        self._unit.show_value(state.unit, 0, max(0, state.units - 1), state.shown)
        pinned = state.unit in state.pinned
        self._pin.setChecked(pinned)
        self._pin.setAccessibleName(f"Pin unit {state.unit}")
        self._pin.setToolTip(
            f"Unit {state.unit} is pinned: it stays on top, whatever the order and the filter (P lets it go)"
            if pinned
            else f"Keep unit {state.unit} on top, whatever the order and the filter (P)"
        )
        self._pin.setEnabled(state.units > 0)
        self._filter.setEnabled(state.units > 0)
        self._count.setText(_count(state))
        if before is None or state.kept != before.kept or state.nothing_kept != before.nothing_kept:
            self._show_filter()
        self._layer.show_value(state.layer + 1, 1, max(1, state.depth))
        self._depth.setText(f"of {state.depth}")
        for widget in (self._layer_word, self._layer, self._depth):
            widget.setVisible(state.depth > 1)
        self._direction.show_choice(_BACKWARD if state.backward else _FORWARD)
        for part in (self._direction_word, self._direction):
            part.setVisible(state.directions > 1)

    def _show_filter(self) -> None:
        """Write the filter as it is, unless it is being typed."""
        if self._state is None:
            return
        if not self._typing.waiting and not (self._filter.hasFocus() and self._filter.isModified()):
            self._filter.setText(filter_text(self._state.kept))
        self._say(self._state.nothing_kept)

    def _say(self, problem: str) -> None:
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._filter.setAccessibleDescription(problem or _FILTER_TIP)


def pin_unit(session: Session, group: str, unit: int, *, on: bool) -> None:
    """Keep a unit of one layer on top, or let it go; can be undone."""
    others = tuple(other for other in session.remarks.pinned.get(group, ()) if other != unit)
    pinned = {**session.remarks.pinned, group: (*others, unit) if on else others}
    what = f"Pin unit {unit}" if on else f"Unpin unit {unit}"
    session.remark(what, pinned=MappingProxyType({key: units for key, units in pinned.items() if units}))


def _count(state: _State) -> str:
    """Return how many units are in sight, and which are pinned."""
    everyone = f"{format_count(state.units)} {'unit' if state.units == 1 else 'units'}"
    words = everyone if len(state.shown) == state.units else f"{format_count(len(state.shown))} of {everyone}"
    return f"{words} · pinned {units_text(state.pinned)}" if state.pinned else words


def _nothing_kept(shown: ShownLayer, kept: UnitFilter) -> str:
    """Return why a filter shows all units, where it keeps none; else an empty string."""
    if passing(shown.trace, shown.layer, kept).any():
        return ""
    if kept.above is not None:
        most = format_number(float(activity(shown.trace, shown.layer).max()))
        return f"No unit is more active than {kept.above:g}: the most active one reaches {most}. All are shown."
    return "This layer has none of these units. All are shown."
