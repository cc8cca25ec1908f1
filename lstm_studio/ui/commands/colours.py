"""The colours in which numbers are shown."""

from __future__ import annotations

from collections.abc import Mapping

from lstm_studio.ui.actions import choice
from lstm_studio.ui.colour_maps import GATE_MAPS, SIGNED_MAPS
from lstm_studio.ui.commands.group import Group

_GATES, _SIGNED = "colours.gates-", "colours.signed-"


class ColourCommands(Group):
    """One choice for what lies between 0 and 1, one for what lies around 0."""

    actions = (
        *(
            choice(_GATES + key, f"Between 0 and 1: {title}", "Choose a colour map.", "use_gate_map", "gate-maps")
            for key, title in GATE_MAPS.items()
        ),
        *(
            choice(_SIGNED + key, f"Around 0: {title}", "Choose a colour map.", "use_signed_map", "signed-maps")
            for key, title in SIGNED_MAPS.items()
        ),
    )

    def use_gate_map(self) -> None:
        """Show what lies between 0 and 1 in the map that was chosen."""
        self._window.use_maps(self.sender().objectName().removeprefix(_GATES), self._window.settings.signed_map)

    def use_signed_map(self) -> None:
        """Show what lies around 0 in the map that was chosen."""
        self._window.use_maps(self._window.settings.gate_map, self.sender().objectName().removeprefix(_SIGNED))

    def switched(self) -> Mapping[str, bool]:
        """Return which maps are used."""
        settings = self._window.settings
        return {
            **{_GATES + key: key == settings.gate_map for key in GATE_MAPS},
            **{_SIGNED + key: key == settings.signed_map for key in SIGNED_MAPS},
        }
