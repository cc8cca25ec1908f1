"""The panels of the window, as a table: a new one is one row here, and gets its dock, switch, key and menu entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from PySide6.QtWidgets import QWidget

from lstm_studio.ui.icons import Icon
from lstm_studio.ui.theme import Theme
from lstm_studio.ui.workspaces import EXPLORE, TRAIN

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow


class Side(Enum):
    """Where a panel is at first."""

    LEFT = "left"
    RIGHT = "right"
    """One below the other."""
    TABS = "tabs"
    """On the right, as tabs of the topmost panel there, which has the most room; hidden until asked for."""


class ThemedWidget(Protocol):
    """A widget that takes the colours of a theme."""

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        ...


@dataclass(frozen=True, slots=True)
class PanelInfo:
    """One panel.

    Parameters
    ----------
    key
        Its name in saved layouts and in ``view.panel-KEY``, the action that shows and hides it.
    title
        In its title bar.
    icon
        On the strip that panels fold to.
    side
        Where it is at first.
    make
        Returns the panel for a window; it has ``apply_theme``.
    keys
        Shortcuts of its switch.
    link
        Action that its title bar offers as a link; empty for none.
    workspace
        Key of the workspace beside whose centre it stands.
    """

    key: str
    title: str
    icon: Icon
    side: Side
    make: Callable[[StudioWindow, Theme], QWidget]
    keys: tuple[str, ...] = ()
    link: str = ""
    workspace: str = EXPLORE

    @property
    def action(self) -> str:
        """Key of the action that shows and hides it."""
        return f"view.panel-{self.key}"

    @property
    def about(self) -> str:
        """What it shows: a screen reader says this where the keyboard comes to it, and not all that stands there."""
        return _ABOUT[self.key]


def _sequence(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.explore.sequence_panel import SequencePanel

    panel = SequencePanel(window.session, theme)
    panel.reopen_requested.connect(window.runner.open_sequence)
    panel.comparison_requested.connect(window.commands.what_if.compare_sequence)
    return panel


def _networks(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.explore.networks_panel import NetworksPanel

    panel = NetworksPanel(window.session, theme)
    panel.checkpoint_requested.connect(window.commands.files.choose_checkpoint)
    panel.comparison_requested.connect(window.commands.what_if.compare_network)
    return panel


def _units(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.explore.units_panel import UnitsPanel

    return UnitsPanel(window.session, theme)


def _step(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.explore.inspector import Inspector

    return Inspector(window.session, theme)


def _horizon(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.explore.horizon.panel import HorizonPanel

    return HorizonPanel(window.session, theme)


def _what_if(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.explore.what_if.panel import WhatIfPanel

    panel = WhatIfPanel(window.session, theme)
    window.workspace.value_dragged.connect(panel.hold)
    window.workspace.what_if_requested.connect(window.commands.what_if.open_at)
    # The step that a form begins at would else run away from it.
    panel.form_opened.connect(window.transport.pause)
    panel.form_opened.connect(window.arrangement.note_heights)
    panel.form_closed.connect(window.arrangement.restore_heights)
    return panel


def _similar(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.explore.similar.panel import SimilarPanel

    return SimilarPanel(window.session, theme)


def _notes(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.explore.notes.panel import NotesPanel

    panel = NotesPanel(window.session, theme)
    panel.add_wanted.connect(window.commands.notes.add)
    panel.edit_wanted.connect(window.commands.notes.edit)
    panel.move_wanted.connect(window.commands.notes.move)
    return panel


def _train_task(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.train.task_panel import TaskPanel

    return TaskPanel(window.trainings, window.session, window.runner, theme)


def _train_networks(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.train.networks_panel import TrainedNetworksPanel

    return TrainedNetworksPanel(window.trainings, theme)


def _train_equal(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.train.equal_panel import EqualPanel

    return EqualPanel(window.trainings, window.command_actions, theme)


def _train_snapshot(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.train.snapshot_panel import SnapshotPanel

    return SnapshotPanel(window.trainings, window.session, window.command_actions, theme)


def _train_seeds(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.train.seeds_panel import SeedsPanel

    return SeedsPanel(window.trainings, window.command_actions, theme)


def _train_kept(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.train.kept_panel import KeptPanel

    return KeptPanel(window.trainings, window.session, window.command_actions, theme)


def _train_result(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.train.result_panel import ResultPanel

    return ResultPanel(window.trainings, theme)


def _runs(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.monitor.runs_panel import RunsPanel

    panel = RunsPanel(window.monitoring, window.command_actions, theme)
    panel.removed.connect(window.commands.monitor.remove_run)
    return panel


def _alarms(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.monitor.alarms_panel import AlarmsPanel

    return AlarmsPanel(window.monitoring, window.command_actions, theme)


def _recorder(window: StudioWindow, theme: Theme) -> QWidget:
    from lstm_studio.ui.monitor.recorder_panel import RecorderPanel

    panel = RecorderPanel(window.monitoring, theme)
    panel.filled.connect(window.arrangement.share_heights_soon)
    return panel


PANELS = (
    PanelInfo("sequence", "Sequence", Icon.SEQUENCE, Side.LEFT, _sequence, ("Alt+1",)),
    PanelInfo("networks", "Networks", Icon.NETWORK, Side.LEFT, _networks, ("Alt+2",)),
    PanelInfo("units", "Units", Icon.UNITS, Side.LEFT, _units, ("Alt+3",)),
    PanelInfo("step", "At step", Icon.NUMBERS, Side.RIGHT, _step, ("Alt+4",), link="note.add"),
    PanelInfo("similar", "Find similar", Icon.SEARCH, Side.TABS, _similar),
    PanelInfo("horizon", "Horizon", Icon.HORIZON, Side.TABS, _horizon, ("H",)),
    PanelInfo("notes", "Notes", Icon.COMMENT, Side.TABS, _notes, ("Alt+6",)),
    PanelInfo("what-if", "What if", Icon.BRANCH, Side.RIGHT, _what_if, ("Alt+5",)),
    PanelInfo("runs", "Runs", Icon.LINES, Side.LEFT, _runs, ("Alt+1",), link="monitor.add-folder", workspace="monitor"),
    PanelInfo(
        "alarms", "Alarms", Icon.TRIANGLE, Side.RIGHT, _alarms, ("Alt+2",), "monitor.thresholds", workspace="monitor"
    ),
    PanelInfo("recorder", "Recorder", Icon.DOT, Side.RIGHT, _recorder, ("Alt+3",), workspace="monitor"),
    PanelInfo("train-task", "Task", Icon.TASK, Side.LEFT, _train_task, ("Alt+1",), workspace=TRAIN),
    PanelInfo("train-networks", "Networks", Icon.NETWORK, Side.LEFT, _train_networks, ("Alt+2",), workspace=TRAIN),
    PanelInfo("train-equal", "Kept equal", Icon.EQUAL, Side.LEFT, _train_equal, ("Alt+3",), workspace=TRAIN),
    PanelInfo("train-snapshot", "Snapshot", Icon.SNAPSHOT, Side.RIGHT, _train_snapshot, ("Alt+4",), workspace=TRAIN),
    PanelInfo("train-seeds", "Seeds", Icon.LOOP, Side.TABS, _train_seeds, ("Alt+6",), workspace=TRAIN),
    PanelInfo("train-kept", "Trainings", Icon.FOLDER, Side.TABS, _train_kept, ("Alt+7",), workspace=TRAIN),
    PanelInfo("train-result", "Result so far", Icon.TICK, Side.RIGHT, _train_result, ("Alt+5",), workspace=TRAIN),
)

_ABOUT: Mapping[str, str] = {
    "sequence": "The sequence that the networks read, its variables, and how they are scaled.",
    "networks": "The networks that are compared: their cells, units, layers and seeds.",
    "units": "Which units the plots show, and in which order.",
    "step": "What each operation computes at the step under the cursor.",
    "similar": "Where the same units do alike.",
    "horizon": "How far back the networks still feel an event.",
    "notes": "What was written down, step by step.",
    "what-if": "Changes to signals, units and inputs, and what they lead to.",
    "runs": "The runs that are watched, live or finished.",
    "alarms": "What is wrong with the runs that are watched.",
    "recorder": "How the selected run is recorded, and when it was last heard of.",
    "train-task": "What the networks learn.",
    "train-networks": "The networks that learn: their cells, units and layers.",
    "train-equal": "What is the same for both networks, and what is not.",
    "train-snapshot": "The networks as they were at the chosen step of the training.",
    "train-seeds": "The same training with other seeds.",
    "train-kept": "Trainings that were kept.",
    "train-result": "How well the networks do by now.",
}
