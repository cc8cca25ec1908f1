"""Stepping, playing, choosing the unit and the sequence."""

from __future__ import annotations

from collections.abc import Mapping

from lstm_studio.session.settings import SPEEDS
from lstm_studio.session.units import beside, sight_of
from lstm_studio.ui.actions import ActionInfo, switch
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.explore.layers import inspected_layer, selected_unit
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.workspaces import EXPLORE


class RunCommands(Group):
    """Stepping, playing, choosing the unit and the sequence."""

    workspace = EXPLORE
    actions = (
        ActionInfo("run.play", "Play", "Play the sequence, or pause.", "play", ("Space",), Icon.PLAY),
        ActionInfo("run.next", "Next step", "One step on.", "next_step", ("Right",), Icon.NEXT),
        ActionInfo("run.previous", "Previous step", "One step back.", "previous_step", ("Left",), Icon.PREVIOUS),
        ActionInfo("run.next-ten", "Ten steps on", "Ten steps on.", "next_ten", ("Shift+Right",)),
        ActionInfo("run.previous-ten", "Ten steps back", "Ten steps back.", "previous_ten", ("Shift+Left",)),
        ActionInfo("run.first", "First step", "To the first step.", "first_step", ("Home",), Icon.FIRST),
        ActionInfo("run.last", "Last step", "To the last step.", "last_step", ("End",), Icon.LAST),
        ActionInfo("run.faster", "Faster", "More steps a second.", "faster", ("]",)),
        ActionInfo("run.slower", "Slower", "Fewer steps a second.", "slower", ("[",)),
        switch("run.loop", "Loop", "Start again after the last step.", "loop", "L", icon=Icon.LOOP),
        ActionInfo("run.next-unit", "Next unit", "Select the next of the units in sight.", "next_unit", ("Down",)),
        ActionInfo(
            "run.previous-unit",
            "Previous unit",
            "Select the one before, of the units in sight.",
            "previous_unit",
            ("Up",),
        ),
        ActionInfo("run.next-sequence", "Next sequence", "The next one of the set.", "next_sequence", ("PgDown",)),
        ActionInfo(
            "run.previous-sequence", "Previous sequence", "The one before in the set.", "previous_sequence", ("PgUp",)
        ),
    )

    def play(self) -> None:
        """Play, or pause."""
        self._window.transport.toggle_playing()

    def next_step(self) -> None:
        """Go one step on, or one phase."""
        self._session.step(1)

    def previous_step(self) -> None:
        """Go one step back, or one phase."""
        self._session.step(-1)

    def next_ten(self) -> None:
        """Go ten steps on."""
        self._step(10)

    def previous_ten(self) -> None:
        """Go ten steps back."""
        self._step(-10)

    def first_step(self) -> None:
        """Go to the first step."""
        self._session.move_cursor(0)

    def last_step(self) -> None:
        """Go to the last step."""
        self._session.move_cursor(self._session.steps - 1)

    def _step(self, by: int) -> None:
        self._session.move_cursor(self._session.view.cursor + by)

    def faster(self) -> None:
        """Play faster."""
        now = self._session.view.speed
        self._session.look(speed=min((speed for speed in SPEEDS if speed > now), default=now))

    def slower(self) -> None:
        """Play more slowly."""
        now = self._session.view.speed
        self._session.look(speed=max((speed for speed in SPEEDS if speed < now), default=now))

    def loop(self, on: bool) -> None:
        """Start again after the last step, or stop there."""
        self._session.look(loop=on)

    def next_unit(self) -> None:
        """Select the next unit of the shown layer."""
        self._select(1)

    def previous_unit(self) -> None:
        """Select the unit before, in the shown layer."""
        self._select(-1)

    def _select(self, by: int) -> None:
        session = self._session
        layer = inspected_layer(session.result, session.view)
        sight = None if layer is None else sight_of(session.result, session.view, session.remarks, layer.group)
        if layer is not None and sight is not None:
            session.select_unit(layer.group, beside(sight, selected_unit(layer, session.view), by))

    def next_sequence(self) -> None:
        """Show the next sequence of the set."""
        self._choose_item(1)

    def previous_sequence(self) -> None:
        """Show the sequence before, in the set."""
        self._choose_item(-1)

    def _choose_item(self, by: int) -> None:
        item = max(0, min(self._session.setup.item + by, len(self._session.result.sequences) - 1))
        self._session.change(f"Show sequence {item + 1}", item=item)

    def switched(self) -> Mapping[str, bool]:
        """Return whether playing starts again at the end."""
        return {"run.loop": self._session.view.loop}

    def possible(self) -> Mapping[str, bool]:
        """Return whether the set has a sequence before and after."""
        item = self._session.setup.item
        return {
            "run.next-sequence": item < len(self._session.result.sequences) - 1,
            "run.previous-sequence": item > 0,
        }
