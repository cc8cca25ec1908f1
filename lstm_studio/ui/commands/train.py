"""Starting, pausing and stopping a training, and going through its snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_studio.runs.like import Status
from lstm_studio.training.control import Wish
from lstm_studio.ui import dialogs
from lstm_studio.ui.actions import ActionInfo, switch
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.workspaces import EXPLORE, TRAIN

if TYPE_CHECKING:
    from lstm_studio.session.trainings import Trainings

_SEEDS, _MOST_SEEDS = 5, 100


class TrainCommands(Group):
    """Starting, pausing and stopping a training, and going through its snapshots."""

    workspace = TRAIN
    actions = (
        ActionInfo(
            "train.start",
            "Start training",
            "Train the networks as planned at the left, in a process of its own.",
            "start",
            ("Ctrl+Return",),
            Icon.PLAY,
        ),
        ActionInfo(
            "train.new",
            "New training…",
            "Choose the next task; a training that runs goes on.",
            "new",
            ("Ctrl+N",),
        ),
        ActionInfo("train.pause", "Pause", "Let the training wait, or go on.", "pause", ("Space",), Icon.PAUSE),
        ActionInfo(
            "train.stop",
            "Stop training",
            "End the training after this update; it can be gone on with.",
            "stop",
            ("Ctrl+Shift+Return",),
            Icon.STOP,
        ),
        ActionInfo("train.restart", "Restart training", "Begin the training that is shown anew.", "restart"),
        ActionInfo("train.next", "Next snapshot", "One snapshot on.", "next_snapshot", ("Right",), Icon.NEXT),
        ActionInfo(
            "train.previous", "Previous snapshot", "One snapshot back.", "previous_snapshot", ("Left",), Icon.PREVIOUS
        ),
        ActionInfo("train.next-ten", "Ten snapshots on", "Ten snapshots on.", "next_ten", ("Shift+Right",)),
        ActionInfo("train.previous-ten", "Ten snapshots back", "Ten snapshots back.", "previous_ten", ("Shift+Left",)),
        ActionInfo(
            "train.first", "First snapshot", "As it was before the first update.", "first", ("Home",), Icon.FIRST
        ),
        ActionInfo("train.last", "Last snapshot", "As it is now.", "last", ("End",), Icon.LAST),
        switch(
            "train.follow-edge",
            "Follow the live edge",
            "Look at the newest snapshot, and at each that comes.",
            "follow_edge",
            "L",
        ),
        ActionInfo(
            "train.open-in-explore",
            "Open this snapshot in Explore",
            "Step the networks as they were at this snapshot through sequences that they were not trained on.",
            "open_in_explore",
            ("O",),
        ),
        switch(
            "train.explore-follows",
            "Explore follows the snapshots",
            "Whichever snapshot is looked at, Explore shows the networks as they were then.",
            "explore_follows",
            "Shift+O",
        ),
        ActionInfo(
            "train.explore-next",
            "Next snapshot of the training",
            "Show the networks as they were one snapshot later.",
            "explore_next",
            ("Alt+Right",),
            workspace=EXPLORE,
        ),
        ActionInfo(
            "train.explore-previous",
            "Previous snapshot of the training",
            "Show the networks as they were one snapshot before.",
            "explore_previous",
            ("Alt+Left",),
            workspace=EXPLORE,
        ),
        ActionInfo(
            "train.compare-snapshot",
            "Compare with this snapshot",
            "Keep this snapshot on the axis of those that Explore goes to from here.",
            "compare_snapshot",
            ("Alt+C",),
            workspace=EXPLORE,
        ),
        ActionInfo(
            "train.repeat",
            "Repeat with several seeds…",
            "Train the networks as planned with one seed after the other, and show how far the results are apart.",
            "repeat",
            ("R",),
        ),
        ActionInfo(
            "train.show", "Show an earlier training", "List the trainings that are kept.", "show_earlier", ("Ctrl+R",)
        ),
        ActionInfo(
            "train.open-run", "Show a training from a folder…", "Show a training that lies elsewhere.", "open_run"
        ),
        ActionInfo("train.folder", "Keep trainings in…", "Choose where new trainings are kept.", "choose_folder"),
    )

    @property
    def _trainings(self) -> Trainings:
        return self._window.trainings

    # What can be done.

    def switched(self) -> Mapping[str, bool]:
        """Return whether the newest snapshot is followed."""
        if not self._window.has_trainings:
            return {}
        return {
            "train.follow-edge": self._trainings.following,
            "train.explore-follows": self._window.train_driver.link.follows,
        }

    def texts(self) -> Mapping[str, str]:
        """Return whether the training would wait or go on."""
        return {"train.pause": "Go on" if self._window.has_trainings and not self._may_pause() else "Pause"}

    def possible(self) -> Mapping[str, bool]:
        """Return what can be done with the training that is shown."""
        if not self._window.has_trainings:
            return dict.fromkeys(_IN_EXPLORE, False)
        trainings = self._trainings
        linked = self._window.train_driver.link.linked
        learning = trainings.learning
        running = trainings.beginning or (learning is not None and learning.running)
        snapshots = learning is not None and bool(learning.snapshots)
        moves = dict.fromkeys((f"train.{where}" for where in _MOVES), snapshots)
        return {
            **moves,
            **dict.fromkeys(_IN_EXPLORE, linked),
            "train.open-in-explore": snapshots,
            "train.explore-follows": snapshots,
            "train.start": not running,
            "train.new": learning is not None,
            "train.repeat": not running,
            "train.pause": running or self._may_resume(),
            "train.stop": running and trainings.wish is not Wish.STOP,
            "train.restart": not running and trainings.shown_plan is not None,
        }

    def _may_pause(self) -> bool:
        learning = self._trainings.learning
        if learning is None:
            return self._trainings.wish is not Wish.PAUSE
        return learning.running and not learning.paused and self._trainings.wish is not Wish.PAUSE

    def _may_resume(self) -> bool:
        """Return whether the training that is shown has ended too early, and may be gone on with."""
        learning = self._trainings.learning
        if learning is None or learning.running or not learning.snapshots or self._trainings.differs:
            return False
        return learning.stopped or learning.status is Status.DIED

    # Doing it.

    def start(self) -> None:
        """Train the networks as planned, on the device that the window is set to."""
        if self._trainings.change(device=self._session.setup.device):
            self._trainings.begin()

    def new(self) -> None:
        """Show the choice of tasks."""
        self._trainings.leave()

    def pause(self) -> None:
        """Let the training wait, or go on, also after it has ended."""
        if self._may_resume():
            self._trainings.resume()
        elif self._may_pause():
            self._trainings.pause()
        else:
            self._trainings.go_on()

    def stop(self) -> None:
        """End the training after this update."""
        self._trainings.stop()

    def restart(self) -> None:
        """Begin the training that is shown anew."""
        self._trainings.restart()

    def next_snapshot(self) -> None:
        """Go one snapshot on."""
        self._trainings.move(1)

    def previous_snapshot(self) -> None:
        """Go one snapshot back."""
        self._trainings.move(-1)

    def next_ten(self) -> None:
        """Go ten snapshots on."""
        self._trainings.move(10)

    def previous_ten(self) -> None:
        """Go ten snapshots back."""
        self._trainings.move(-10)

    def first(self) -> None:
        """Go to the weights before the first update."""
        self._trainings.select(0)

    def last(self) -> None:
        """Go to the newest snapshot, and stay there."""
        learning = self._trainings.learning
        if learning is not None and learning.snapshots:
            self._trainings.select(learning.snapshots[-1])

    def follow_edge(self, on: bool) -> None:
        """Look at the newest snapshot, and at each that comes; or stay where one is."""
        self._trainings.follow(on)

    def open_in_explore(self) -> None:
        """Show the snapshot that is looked at in Explore."""
        self._window.train_driver.link.open()

    def explore_next(self) -> None:
        """Show one snapshot later in Explore."""
        self._move_explore(1)

    def explore_previous(self) -> None:
        """Show one snapshot before in Explore."""
        self._move_explore(-1)

    def _move_explore(self, by: int) -> None:
        self._trainings.move(by)
        self._window.train_driver.link.refresh()

    def compare_snapshot(self) -> None:
        """Keep the snapshot that Explore shows, to compare others with it."""
        self._window.commands.what_if.keep_network("Compare with this snapshot")

    def explore_follows(self, on: bool) -> None:
        """Move Explore along with the snapshots, or leave it where it is."""
        self._window.train_driver.link.follow(on)

    def repeat(self) -> None:
        """Ask with how many seeds, and train with one after the other."""
        question = "With how many seeds, from that of the plan on?"
        count = dialogs.ask_count(self._window, "Repeat with several seeds", question, _SEEDS, 2, _MOST_SEEDS)
        if count and self._trainings.change(device=self._session.setup.device) and self._trainings.begin(seeds=count):
            self._window.show_panel("train-seeds", True)

    def show_earlier(self) -> None:
        """List the trainings that are kept."""
        self._window.show_panel("train-kept", True)

    def open_run(self) -> None:
        """Ask for the folder of a run, and show it."""
        path = dialogs.ask_folder(self._window, "Show a training", str(self._trainings.folder))
        if path:
            self._trainings.show(path)

    def choose_folder(self) -> None:
        """Ask where new trainings are kept."""
        path = dialogs.ask_folder(self._window, "Keep trainings in", str(self._trainings.folder))
        if path:
            self._trainings.folder = Path(path)
            self._window.remember(replace(self._window.settings, trainings=path))
            self._trainings.changed.emit()


_IN_EXPLORE = ("train.explore-next", "train.explore-previous", "train.compare-snapshot")
_MOVES = ("next", "previous", "next-ten", "previous-ten", "first", "last", "follow-edge")
