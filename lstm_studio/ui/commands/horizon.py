"""How far back networks reach: the pages of the panel, and the Jacobians among the plots."""

from __future__ import annotations

from collections.abc import Mapping

from lstm_studio.ui.actions import ActionInfo, switch
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.workspaces import EXPLORE


class HorizonCommands(Group):
    """How far back networks reach."""

    workspace = EXPLORE
    actions = (
        ActionInfo(
            "horizon.itemised",
            "Itemised gradient",
            "Show from which step's loss the gradient at each step comes.",
            "show_itemised",
        ),
        ActionInfo(
            "horizon.saturation", "Saturation", "Show how often each sigmoid is shut or open.", "show_saturation"
        ),
        switch(
            "horizon.jacobian-row",
            "Jacobians in the plots",
            "Show how much of each step survives to the last, whatever the loss.",
            "jacobian_row",
        ),
    )

    def show_itemised(self) -> None:
        """Show whose loss is felt."""
        self._show("itemised")

    def show_saturation(self) -> None:
        """Show how saturated the gates are."""
        self._show("saturation")

    def _show(self, page: str) -> None:
        # Not before the first paint, which needs none of it.
        from lstm_studio.ui.explore.horizon.panel import HorizonPanel

        self._window.show_panel("horizon", True)
        panel = self._window.panel("horizon")
        if isinstance(panel, HorizonPanel):
            panel.show_page(page)

    def jacobian_row(self, on: bool) -> None:
        """Show or hide the norms of the Jacobians among the plots."""
        self._session.change("Show the Jacobians" if on else "Hide the Jacobians", memory=on)

    def switched(self) -> Mapping[str, bool]:
        """Return whether the Jacobians are taken."""
        return {"horizon.jacobian-row": self._session.setup.memory}
