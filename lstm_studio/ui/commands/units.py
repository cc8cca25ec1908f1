"""Which units are in sight, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from lstm_studio.session.state import UnitFilter, UnitOrder
from lstm_studio.ui.actions import ActionInfo, choice
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.explore.layers import inspected_layer, selected_unit
from lstm_studio.ui.explore.units_panel import UnitsPanel, pin_unit
from lstm_studio.ui.workspaces import EXPLORE


class UnitsCommands(Group):
    """Which units are in sight, and in which order."""

    workspace = EXPLORE
    actions = (
        choice("units.by-index", "Units by index", "Order units by their numbers.", "by_index", "unit-order"),
        choice(
            "units.by-activity",
            "Units by activity",
            "Order units by the mean of |h| over time, the most active first.",
            "by_activity",
            "unit-order",
        ),
        choice(
            "units.by-similarity",
            "Units by similarity",
            "Put units side by side whose h goes alike over time.",
            "by_similarity",
            "unit-order",
        ),
        ActionInfo(
            "units.next-order", "Next order of units", "By index, by activity, by similarity.", "next_order", ("O",)
        ),
        ActionInfo("units.pin", "Pin or unpin the unit", "Keep the selected unit on top, or let it go.", "pin", ("P",)),
        ActionInfo("units.filter", "Filter units", "Name the units that are shown.", "filter_units", ("/",)),
        ActionInfo("units.all", "Show all units", "Take the filter away.", "show_all_units"),
    )

    def by_index(self) -> None:
        """Order units by number."""
        self._session.look(order=UnitOrder.INDEX)

    def by_activity(self) -> None:
        """Put the most active first."""
        self._session.look(order=UnitOrder.ACTIVITY)

    def by_similarity(self) -> None:
        """Put those side by side that do alike."""
        self._session.look(order=UnitOrder.SIMILARITY)

    def next_order(self) -> None:
        """Go from one order to the next."""
        orders = tuple(UnitOrder)
        self._session.look(order=orders[(orders.index(self._session.view.order) + 1) % len(orders)])

    def pin(self) -> None:
        """Pin the selected unit, or let it go."""
        layer = inspected_layer(self._session.result, self._session.view)
        if layer is not None:
            unit = selected_unit(layer, self._session.view)
            pinned = unit in self._session.remarks.pinned.get(layer.group, ())
            pin_unit(self._session, layer.group, unit, on=not pinned)

    def filter_units(self) -> None:
        """Show the units panel and give its filter the keyboard."""
        self._window.show_panel("units", True)
        cast(UnitsPanel, self._window.panel("units")).focus_filter()

    def show_all_units(self) -> None:
        """Take the filter away."""
        self._session.look(unit_filter=UnitFilter())

    def switched(self) -> Mapping[str, bool]:
        """Return which order is on."""
        order = self._session.view.order
        return {
            "units.by-index": order is UnitOrder.INDEX,
            "units.by-activity": order is UnitOrder.ACTIVITY,
            "units.by-similarity": order is UnitOrder.SIMILARITY,
        }

    def possible(self) -> Mapping[str, bool]:
        """Return whether there is a filter to take away."""
        return {"units.all": self._session.view.unit_filter != UnitFilter()}
