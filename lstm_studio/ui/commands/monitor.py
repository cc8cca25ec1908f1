"""Following trainings: which, how they are looked at, and through their recorded steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from lstm_studio.session.finding_runs import FindRuns, FoundRuns
from lstm_studio.session.monitoring import Monitoring, MonitorView, Overlay
from lstm_studio.session.question import Question
from lstm_studio.session.recorded import OpenStep
from lstm_studio.session.state import Recorded, Result
from lstm_studio.ui import dialogs
from lstm_studio.ui.actions import ActionInfo, choice, switch
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.export.run_export import RunExport
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.monitor.code_lines import LINES
from lstm_studio.ui.notices import Level
from lstm_studio.ui.workspaces import EXPLORE

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

MONITOR = "monitor"
"""Key of the workspace."""
_TEN = 10


_ADDING = (
    ActionInfo(
        "monitor.add-folder",
        "Add run folder…",
        "Follow the training in a folder, or all trainings in the folders below it.",
        "add_folder",
        ("Ctrl+Shift+A",),
        Icon.FOLDER,
    ),
    ActionInfo(
        "monitor.add-address",
        "Add run by address…",
        "Follow a training on another computer: ssh://, http(s):// or s3://.",
        "add_address",
    ),
)
"""These can be done anywhere, and lead to the workspace."""
LOOKING = (
    ActionInfo("monitor.remove", "Take run off the list", "Follow the selected run no longer.", "remove"),
    ActionInfo("monitor.next-run", "Next run", "Select the next run of the list.", "next_run", ("Alt+Down",)),
    ActionInfo(
        "monitor.previous-run", "Previous run", "Select the run before in the list.", "previous_run", ("Alt+Up",)
    ),
    ActionInfo("monitor.next-step", "Next recorded step", "One recorded step on.", "next_step", ("Right",), Icon.NEXT),
    ActionInfo(
        "monitor.previous-step",
        "Previous recorded step",
        "One recorded step back.",
        "previous_step",
        ("Left",),
        Icon.PREVIOUS,
    ),
    ActionInfo("monitor.next-ten", "Ten recorded steps on", "Ten recorded steps on.", "next_ten", ("Shift+Right",)),
    ActionInfo(
        "monitor.previous-ten",
        "Ten recorded steps back",
        "Ten recorded steps back.",
        "previous_ten",
        ("Shift+Left",),
    ),
    ActionInfo(
        "monitor.first-step", "First recorded step", "To the first recorded step.", "first", ("Home",), Icon.FIRST
    ),
    ActionInfo("monitor.last-step", "Last recorded step", "To the last recorded step.", "last", ("End",), Icon.LAST),
    switch("monitor.follow", "Follow live edge", "Keep the cursor on what is new.", "follow", "F"),
    switch("monitor.log-axis", "Logarithmic axis", "Draw the curves on a logarithmic axis.", "use_log", "G"),
    choice("monitor.by-step", "Overlay by step", "Lay runs upon each other by step.", "by_step", "overlay"),
    choice(
        "monitor.by-time",
        "Overlay by time",
        "Lay runs upon each other by time since each began.",
        "by_time",
        "overlay",
    ),
    ActionInfo(
        "monitor.open",
        "Open recorded step in Explore",
        "Look at the sampled sequence of this step, with all signals and gradients as they were recorded.",
        "open_step",
        ("Ctrl+Return",),
    ),
    ActionInfo(
        "monitor.copy-lines",
        "Copy the three lines",
        "Copy the lines that record a training, to be pasted into its script.",
        "copy_lines",
        icon=Icon.COPY,
    ),
    ActionInfo(
        "file.export-run",
        "Export run…",
        "Save curves, gradients by lag and traces of the selected run for TensorBoard, pandas or NumPy.",
        "export_run",
        ("Ctrl+Shift+E",),
        Icon.SAVE,
    ),
    ActionInfo("monitor.copy-address", "Copy address", "Copy where the selected run lies.", "copy_address"),
    ActionInfo("monitor.thresholds", "Thresholds…", "Set when there are alarms.", "set_thresholds"),
    ActionInfo("monitor.unmute", "Show muted alarms", "Say everything again that was muted.", "unmute"),
)


class MonitorCommands(Group):
    """Following trainings."""

    actions = (*_ADDING, *(replace(info, workspace=MONITOR) for info in LOOKING))

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._looking: tuple[str, ...] = ()
        self._begun = False
        self._opening: OpenStep | None = None
        self._export = RunExport(window)
        window.session.answered.connect(self._on_answered)

    @property
    def monitoring(self) -> Monitoring:
        """What is followed, and how it is looked at."""
        made = self._window.monitoring
        if not self._begun:
            self._begun = True
            made.view_changed.connect(self._on_view)
            made.pictured.connect(self._on_told)
            made.alarms_changed.connect(self._on_told)
        return made

    def switched(self) -> Mapping[str, bool]:
        """Return what is on."""
        if not self._begun:
            return {}
        view = self.monitoring.view
        return {
            "monitor.follow": self.monitoring.following,
            "monitor.log-axis": view.log,
            "monitor.by-step": view.overlay is Overlay.STEP,
            "monitor.by-time": view.overlay is Overlay.TIME,
        }

    def possible(self) -> Mapping[str, bool]:
        """Return what there is something for."""
        if not self._begun:
            return {}
        monitoring = self.monitoring
        runs, steps = len(monitoring.addresses), len(monitoring.steps)
        moves = ("next-step", "previous-step", "next-ten", "previous-ten", "first-step", "last-step", "follow")
        timed = any(
            picture is not None and len(picture.times[0]) for picture in map(monitoring.picture, monitoring.addresses)
        )
        return {
            **dict.fromkeys((f"monitor.{move}" for move in moves), steps > 0),
            **dict.fromkeys(("monitor.remove", "monitor.copy-address"), runs > 0),
            **dict.fromkeys(("monitor.next-run", "monitor.previous-run"), runs > 1),
            "monitor.by-time": timed,
            "file.export-run": monitoring.selected is not None,
            "monitor.open": monitoring.selected is not None and bool(monitoring.selected.steps),
            "monitor.unmute": monitoring.muted > 0,
        }

    # What is followed.

    def add(self, addresses: Iterable[str]) -> None:
        """Follow the trainings at these addresses, or in these folders, and show the workspace."""
        wanted = tuple(dict.fromkeys((*self._looking, *addresses)))
        if not wanted:
            return
        self._looking = wanted
        self._window.show_workspace(MONITOR)
        self._session.ask(FindRuns(wanted))

    def add_folder(self) -> None:
        """Ask for a folder and follow what is in it."""
        path = dialogs.ask_folder(self._window, "Add a run folder", self._window.settings.folder)
        if path:
            self._window.remember(replace(self._window.settings, folder=path))
            self.add([path])

    def add_address(self) -> None:
        """Ask for an address and follow what is there."""
        from lstm_studio.ui.monitor.address_dialog import AddressDialog

        dialog = AddressDialog(self._window)
        dialog.accepted.connect(self._on_address)
        dialog.open()

    def _on_address(self) -> None:
        from lstm_studio.ui.monitor.address_dialog import AddressDialog

        dialog = self.sender()
        if isinstance(dialog, AddressDialog) and dialog.address:
            self.add([dialog.address])

    def remove(self) -> None:
        """Follow the selected run no longer."""
        self.remove_run(self.monitoring.view.selected)

    def remove_run(self, address: str) -> None:
        """Follow one run no longer; nothing of it is deleted."""
        addresses = self.monitoring.addresses
        if address not in addresses:
            return
        place = addresses.index(address)
        rest = [other for other in addresses if other != address]
        if address == self.monitoring.view.selected and rest:
            self.monitoring.select(rest[min(place, len(rest) - 1)])
        self._window.watchlist.remove([address])

    def _on_answered(self, question: Question, answer: object) -> None:
        if isinstance(question, OpenStep) and isinstance(answer, Result):
            self._show_step(question, answer)
        if not isinstance(question, FindRuns) or not isinstance(answer, FoundRuns):
            return
        self._looking = tuple(address for address in self._looking if address not in question.addresses)
        known = set(self.monitoring.addresses)
        self._window.watchlist.add(answer.addresses)
        fresh = [address for address in answer.addresses if address not in known]
        if fresh or answer.addresses:
            self.monitoring.select((fresh or answer.addresses)[0])
        for error in answer.errors:
            self._window.note(Level.ERROR, error.found, error.cure)

    # How it is looked at.

    def next_run(self) -> None:
        """Select the next run."""
        self._select(1)

    def previous_run(self) -> None:
        """Select the run before."""
        self._select(-1)

    def _select(self, by: int) -> None:
        monitoring = self.monitoring
        runs = [address for address in monitoring.addresses if monitoring.matches(address)]
        if not runs:
            return
        here = runs.index(monitoring.view.selected) if monitoring.view.selected in runs else -by
        monitoring.select(runs[max(0, min(here + by, len(runs) - 1))])

    def next_step(self) -> None:
        """Go one recorded step on."""
        self.monitoring.move(1)

    def previous_step(self) -> None:
        """Go one recorded step back."""
        self.monitoring.move(-1)

    def next_ten(self) -> None:
        """Go ten recorded steps on."""
        self.monitoring.move(_TEN)

    def previous_ten(self) -> None:
        """Go ten recorded steps back."""
        self.monitoring.move(-_TEN)

    def first(self) -> None:
        """Go to the first recorded step."""
        self.monitoring.go_to_place(0)

    def last(self) -> None:
        """Go to the last recorded step."""
        self.monitoring.go_to_place(len(self.monitoring.steps) - 1)

    def follow(self, on: bool) -> None:
        """Let the cursor go along with what is new, or not."""
        self.monitoring.follow(on)

    def use_log(self, on: bool) -> None:
        """Draw the curves on a logarithmic axis, or on a linear one."""
        self.monitoring.look(log=on)

    def by_step(self) -> None:
        """Lay runs upon each other by step."""
        self.monitoring.look(overlay=Overlay.STEP)

    def by_time(self) -> None:
        """Lay runs upon each other by the time since each began."""
        self.monitoring.look(overlay=Overlay.TIME)

    # Else.

    def open_step(self) -> None:
        """Show the recorded step under the cursor in Explore."""
        monitoring = self.monitoring
        picture, step = monitoring.selected, monitoring.step
        if picture is not None and step is not None and picture.steps:
            self._opening = OpenStep(Recorded(picture.address, step, monitoring.view.item))
            self._session.ask(self._opening)

    def _show_step(self, question: OpenStep, result: Result) -> None:
        if question != self._opening:
            return
        self._opening = None
        window = self._window
        window.keeper.set_aside()
        self._session.show_stored(f"Open {result.sequences.title}", result.setup, result)
        window.keeper.begin_anew()
        window.show_workspace(EXPLORE)

    def export_run(self) -> None:
        """Ask as what and where to, and save the selected run."""
        picture = self.monitoring.selected
        if picture is not None:
            self._export.begin(picture)

    def copy_lines(self) -> None:
        """Put the lines that record a training on the clipboard."""
        QGuiApplication.clipboard().setText(f"{LINES}\n")
        self._window.note(Level.NOTE, "The three lines are on the clipboard.", "Paste them into the training script.")

    def copy_address(self) -> None:
        """Put the address of the selected run on the clipboard."""
        QGuiApplication.clipboard().setText(self.monitoring.view.selected)

    def set_thresholds(self) -> None:
        """Ask when there are to be alarms."""
        from lstm_studio.ui.monitor.thresholds_dialog import ThresholdsDialog

        dialog = ThresholdsDialog(self.monitoring.thresholds, self._window)
        dialog.accepted.connect(self._on_thresholds)
        dialog.open()

    def _on_thresholds(self) -> None:
        from lstm_studio.ui.monitor.thresholds_dialog import ThresholdsDialog

        dialog = self.sender()
        if isinstance(dialog, ThresholdsDialog):
            self.monitoring.use_thresholds(dialog.thresholds)
            thresholds = asdict(dialog.thresholds)
            self._window.remember(replace(self._window.settings, thresholds=thresholds))

    def unmute(self) -> None:
        """Say everything again."""
        self.monitoring.unmute()

    def _on_view(self, after: MonitorView, before: MonitorView) -> None:  # noqa: ARG002 - cheap enough to show whole
        self._show()

    def _on_told(self, what: object) -> None:  # noqa: ARG002 - cheap enough to show whole
        self._show()

    def _show(self) -> None:
        if self._window.current_workspace == MONITOR:
            actions, possible = self._window.command_actions, self.possible()
            for key, on in self.switched().items():
                actions[key].setChecked(on)
            for info in self.actions:
                actions[info.key].setEnabled(possible.get(info.key, True))
