"""Opening, exporting and leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_studio.errors import StudioError
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.session.files import NETWORK_SUFFIXES, is_file, sort_files
from lstm_studio.session.samples import load_sample
from lstm_studio.session.start import stored_result, stored_verdicts
from lstm_studio.session.state import Result
from lstm_studio.ui import dialogs
from lstm_studio.ui.actions import ActionInfo
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.notices import Level
from lstm_studio.ui.workspaces import EXPLORE

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

_ALL_FILES = "All files (*)"


class FilesCommands(Group):
    """Opening, exporting and leaving."""

    actions = (
        ActionInfo(
            "file.open-sequence",
            "Open sequence…",
            "Open a table, array, text or sound file and run it through the networks.",
            "choose_sequence",
            ("Ctrl+O",),
            Icon.FOLDER,
        ),
        ActionInfo(
            "file.open-folder",
            "Open a folder of sequences…",
            "Open all files of one folder as one set of sequences.",
            "choose_folder",
        ),
        ActionInfo(
            "file.open-network",
            "Open network…",
            "Put a network from a checkpoint (.pt, .pth, .safetensors) under the microscope.",
            "choose_network",
            ("Ctrl+Shift+O",),
            Icon.FOLDER,
        ),
        ActionInfo(
            "file.open-companion",
            "Open network as companion…",
            "Put a network from a checkpoint beside the first one.",
            "choose_companion",
        ),
        ActionInfo("file.quit", "Quit", "Close the window.", "quit", ("Ctrl+Q",)),
    )

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._awaited: set[str] = set()
        """Checkpoints whose networks are on their way."""
        self._session.result_replaced.connect(self._on_result)

    def possible(self) -> Mapping[str, bool]:
        """Return whether there is a network beside which another can be put: of a recorded step there is none."""
        return {"file.open-companion": self._session.setup.recorded is None}

    def await_network(self, path: str) -> None:
        """Show the network of a checkpoint in Explore, and remember the file, as soon as it has been read."""
        self._awaited.add(path)
        self._on_result(self._session.result)

    def _on_result(self, result: Result) -> None:
        setup = result.setup
        specs = (setup.network, setup.companion, setup.second.network if setup.second is not None else None)
        for path in self._awaited & {spec.checkpoint for spec in specs if spec is not None}:
            self._awaited.discard(path)
            self._window.remember(self._window.settings.with_recent_network(path))
            self._window.show_workspace(EXPLORE)

    def open_files(self, paths: Sequence[str]) -> None:
        """Open a session, or sequences, networks, or both: dropped on the window or named on the command line.

        Several files of one folder are one set of sequences. One session is open at a time, one set and at most two
        networks; what is left over is named in a notice. Runs are followed beside all that.
        """
        files = sort_files(paths)
        if files.sessions:
            self.open_beside([path for path in paths if path != files.sessions[0]])
            self._window.keeper.open(Path(files.sessions[0]))
            return
        if files.runs:
            self._window.commands.monitor.add(files.runs)
            if not (files.sequences or files.networks):
                return
        sequences, options = _together(files.sequences)
        left = (*(() if options else files.sequences[1:]), *files.networks[2:])
        self._leave_out(left, "Put sequences into one folder and open that.")
        for path in files.networks[:2]:
            self.await_network(path)
        if files.sequences:
            self._window.runner.open_sequence(sequences, options, files.networks)
            return
        if files.networks:
            self._session.open_checkpoints(files.networks[:2])

    def open_beside(self, paths: Sequence[str]) -> None:
        """Follow the runs that were named together with a session, and say that the rest is not opened with it."""
        runs = sort_files(paths).runs
        if runs:
            self._window.commands.monitor.add(runs)
        self._leave_out([path for path in paths if path not in runs], "Open them after the session.")

    def _leave_out(self, paths: Sequence[str], cure: str) -> None:
        if paths:
            names = ", ".join(Path(path).name for path in paths)
            self._window.note(Level.WARNING, f"Not opened: {names}.", cure)

    def open_sample(self, name: str) -> None:
        """Show a sample as it is stored."""
        try:
            sample = load_sample(name)
        except StudioError as error:
            self._window.note(Level.ERROR, error.found, error.cure)
            return
        self._window.keeper.set_aside()
        self._window.show_workspace(EXPLORE)
        self._session.show_sample(stored_result(sample))
        verdicts = stored_verdicts(sample)
        if verdicts is not None:
            self._session.accept_verdicts(verdicts)
        self._window.keeper.begin_anew()

    def choose_sequence(self) -> None:
        """Ask for a sequence file and open it."""
        from lstm_studio.sequences.opening import supported_formats

        formats = [(title, " ".join(f"*{suffix}" for suffix in suffixes)) for title, suffixes in supported_formats()]
        every = f"Sequences ({' '.join(patterns for _, patterns in formats)})"
        filters = (every, *(f"{title} ({patterns})" for title, patterns in formats if patterns), _ALL_FILES)
        path = dialogs.ask_open(self._window, "Open a sequence", self._window.settings.folder, filters)
        if path:
            self._window.runner.open_sequence(path)

    def choose_folder(self) -> None:
        """Ask for a folder of sequence files and open it."""
        path = dialogs.ask_folder(self._window, "Open a folder of sequences", self._window.settings.folder)
        if path:
            self._window.runner.open_sequence(path)

    def choose_network(self) -> None:
        """Ask for a checkpoint and put it under the microscope."""
        self.choose_checkpoint(False)

    def choose_companion(self) -> None:
        """Ask for a checkpoint and put it beside the first network."""
        self.choose_checkpoint(True)

    def choose_checkpoint(self, companion: bool) -> None:
        """Ask for a checkpoint, for the first network or for its companion."""
        title = "Open a network as companion" if companion else "Open a network"
        patterns = " ".join(f"*{suffix}" for suffix in NETWORK_SUFFIXES)
        filters = (f"Checkpoints ({patterns})", _ALL_FILES)
        path = dialogs.ask_open(self._window, title, self._window.settings.folder, filters)
        if path:
            self.await_network(path)
            self._session.open_checkpoint(path, companion=companion)

    def quit(self) -> None:
        """Close the window."""
        self._window.close()


def _together(paths: Sequence[str]) -> tuple[str, ReadOptions | None]:
    """Return what opens all of these paths as one set: a folder and its files; else the first one alone."""
    if len(paths) < 2 or not all(is_file(Path(path)) for path in paths):
        return (paths[0] if paths else ""), None
    folders = {Path(path).absolute().parent for path in paths}
    if len(folders) > 1:
        return paths[0], None
    return str(folders.pop()), ReadOptions(files=tuple(Path(path).name for path in paths))
