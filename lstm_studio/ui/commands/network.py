"""The networks and how they match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.state import Match
from lstm_studio.ui.actions import ActionInfo, choice, switch
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.workspaces import EXPLORE

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow


class NetworkCommands(Group):
    """The networks and how they match."""

    workspace = EXPLORE
    actions = (
        ActionInfo(
            "network.next-seed",
            "Another seed",
            "Build the untrained networks again with the next seed.",
            "next_seed",
            ("N",),
        ),
        switch(
            "network.companion", "Companion network", "Show a second network on the same sequence.", "companion", "C"
        ),
        choice(
            "network.same-units",
            "Companion of the same size",
            "The companion has as many units as the first network.",
            "match_units",
            "match",
        ),
        choice(
            "network.same-parameters",
            "Companion with as many weights",
            "The companion has nearly as many weights as the first network.",
            "match_parameters",
            "match",
        ),
    )

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._companion = self._session.setup.companion or NetworkSpec("rnn")

    def next_seed(self) -> None:
        """Build the networks with other initial weights."""
        network = self._session.setup.network
        if network.checkpoint is None:
            self._session.change("Change the seed", network=replace(network, seed=network.seed + 1))

    def companion(self, on: bool) -> None:
        """Show a second network, or only the first."""
        self._companion = self._session.setup.companion or self._companion
        self._session.change(
            "Show a companion" if on else "Hide the companion", companion=self._companion if on else None
        )

    def match_units(self) -> None:
        """Give the companion as many units."""
        self._session.change("Match the units", match=Match.UNITS)

    def match_parameters(self) -> None:
        """Give the companion nearly as many weights."""
        self._session.change("Match the weights", match=Match.PARAMETERS)

    def switched(self) -> Mapping[str, bool]:
        """Return whether there is a companion, and what it matches."""
        setup = self._session.setup
        return {
            "network.companion": setup.companion is not None,
            "network.same-units": setup.match is Match.UNITS,
            "network.same-parameters": setup.match is Match.PARAMETERS,
        }

    def possible(self) -> Mapping[str, bool]:
        """Return what an untrained network allows."""
        setup = self._session.setup
        fresh = setup.companion is not None and setup.companion.checkpoint is None
        return {
            "network.next-seed": setup.network.checkpoint is None and setup.recorded is None,
            "network.companion": setup.recorded is None,
            "network.same-units": fresh,
            "network.same-parameters": fresh,
        }
