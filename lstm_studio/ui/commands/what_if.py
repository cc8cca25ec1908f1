"""What-ifs, and what is compared with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_studio.networks.signals import INPUT, Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.branches import can_hold
from lstm_studio.session.files import NETWORK_SUFFIXES
from lstm_studio.session.state import SECOND, CompareMode, Second
from lstm_studio.ui import dialogs
from lstm_studio.ui.actions import ActionInfo, choice
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.explore.comparing import is_compared
from lstm_studio.ui.workspaces import EXPLORE

if TYPE_CHECKING:
    from lstm_studio.ui.explore.what_if.form import Change, Place
    from lstm_studio.ui.explore.what_if.panel import WhatIfPanel


class WhatIfCommands(Group):
    """What-ifs, and what is compared with what."""

    workspace = EXPLORE
    actions = (
        ActionInfo(
            "what-if.clamp",
            "Clamp…",
            "Hold a signal of some units at a value, from the cursor's step on.",
            "clamp",
            ("Shift+C",),
        ),
        ActionInfo("what-if.ablate", "Ablate…", "Switch some units off.", "ablate", ("Shift+A",)),
        ActionInfo(
            "what-if.event",
            "Edit what enters at the step…",
            "Give the networks something else at the cursor's step.",
            "edit_event",
            ("Shift+E",),
        ),
        ActionInfo(
            "what-if.state",
            "Set what a unit keeps…",
            "Set what a unit keeps to a value once, at the cursor's step.",
            "set_state",
            ("Shift+S",),
        ),
        ActionInfo(
            "compare.next-sequence",
            "Compare with the next sequence",
            "Show the next sequence of the set on the same axis.",
            "compare_next_sequence",
            ("Shift+PgDown",),
        ),
        ActionInfo(
            "compare.network",
            "Compare with another network…",
            "Run a network from a checkpoint over the same sequence, and show both.",
            "compare_network",
        ),
        ActionInfo(
            "compare.untrained",
            "Compare with an untrained network",
            "Run a new network of the same kind and size over the same sequence, and show both.",
            "compare_untrained",
        ),
        choice("compare.overlay", "Compare in one row", "Both on one axis, B dashed.", "overlay", "compare"),
        choice("compare.side", "Compare side by side", "A row for each of the two.", "side", "compare"),
        choice("compare.difference", "Compare by difference", "One minus the other.", "difference", "compare"),
        ActionInfo("compare.stop", "Stop comparing", "Show the recorded trace alone.", "stop"),
    )

    def clamp(self) -> None:
        """Open the form that holds a signal."""
        self._open("clamp")

    def ablate(self) -> None:
        """Open the form that switches units off."""
        self._open("ablate")

    def edit_event(self) -> None:
        """Open the form that changes an event."""
        self._open("event")

    def set_state(self) -> None:
        """Open the form that sets a state once."""
        self._open("state")

    def _open(self, change: str) -> None:
        from lstm_studio.ui.explore.what_if.form import Change

        self._panel().open_form(Change(change))

    def open_at(self, change: Change, place: Place) -> None:
        """Open a form that begins somewhere else than at the cursor."""
        self._panel().open_form(change, place)

    def _panel(self) -> WhatIfPanel:
        from lstm_studio.ui.explore.what_if.panel import WhatIfPanel

        self._window.show_panel("what-if", True)
        panel = self._window.panel("what-if")
        assert isinstance(panel, WhatIfPanel)  # noqa: S101 - the table of panels says so
        return panel

    # What else is compared.

    def compare_sequence(self, item: int) -> None:
        """Show another sequence of the set on the same axis."""
        self._compare(Second(item=item), f"Compare with sequence {item + 1}")

    def compare_next_sequence(self) -> None:
        """Show the next sequence of the set on the same axis."""
        self.compare_sequence(self._session.setup.item + 1)

    def compare_network(self) -> None:
        """Ask for a checkpoint, and show its network on the same axis."""
        patterns = " ".join(f"*{suffix}" for suffix in NETWORK_SUFFIXES)
        filters = (f"Checkpoints ({patterns})", "All files (*)")
        folder = self._window.settings.folder
        path = dialogs.ask_open(self._window, "Compare with another network", folder, filters)
        if path:
            self._window.commands.files.await_network(path)
            self._compare(Second(network=NetworkSpec(checkpoint=path)), f"Compare with {Path(path).name}")

    def compare_untrained(self) -> None:
        """Show a new network of the same kind and size on the same axis."""
        info, spec = self._session.result.infos[0], self._session.setup.network
        trained = spec.checkpoint is not None
        seed = spec.seed if trained else spec.seed + 1
        fresh = NetworkSpec(info.kind, info.hidden_size, info.layers, info.bidirectional, seed)
        self._compare(Second(network=fresh), "Compare with an untrained network")

    def keep_network(self, what: str) -> None:
        """Show the network that is shown now on the same axis as those that come after it."""
        self._compare(Second(network=self._session.setup.network), what)

    def _compare(self, second: Second, what: str) -> None:
        self._panel().await_source(SECOND, CompareMode.OVERLAY)
        self._session.change(what, second=second)

    # How.

    def overlay(self) -> None:
        """Show both in one row."""
        self._show(CompareMode.OVERLAY)

    def side(self) -> None:
        """Show a row for each."""
        self._show(CompareMode.SIDE)

    def difference(self) -> None:
        """Show one minus the other."""
        self._show(CompareMode.DIFFERENCE)

    def _show(self, mode: CompareMode) -> None:
        comparison = self._session.view.comparison
        if comparison is not None:
            self._session.look(comparison=replace(comparison, mode=mode))

    def stop(self) -> None:
        """Show the recorded trace alone."""
        self._session.look(comparison=None)

    # What is on, and possible.

    def switched(self) -> Mapping[str, bool]:
        """Return how two traces are shown."""
        comparison = self._session.view.comparison
        mode = CompareMode.DIFFERENCE if comparison is None else comparison.mode
        return {f"compare.{other}": other is mode for other in CompareMode}

    def possible(self) -> Mapping[str, bool]:
        """Return what networks and sequences allow."""
        result = self._session.result
        holds = any(can_hold(result, network) for network in range(len(result.traces)))
        compares = is_compared(result, self._session.view)
        return {
            **{f"what-if.{change}": holds for change in ("clamp", "ablate", "state")},
            "what-if.event": result.setup.recorded is None,
            **{f"compare.{mode}": compares for mode in CompareMode},
            "compare.next-sequence": self._session.setup.item < len(result.sequences) - 1,
            **{f"compare.{network}": result.setup.recorded is None for network in ("network", "untrained")},
            "compare.stop": compares,
        }

    def texts(self) -> Mapping[str, str]:
        """Return texts in the words of the window."""
        labels = self._session.view.labels
        memory = "memory" if labels is Labels.CLASSROOM else "state"
        return {"what-if.event": f"Edit {INPUT.label(labels).lower()}…", "what-if.state": f"Set {memory}…"}
