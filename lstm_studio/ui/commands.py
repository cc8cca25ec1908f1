"""What each action does: the methods that the table of actions names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from lstm_studio.errors import StudioError
from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.files import NETWORK_SUFFIXES, sort_files
from lstm_studio.session.samples import load_sample
from lstm_studio.session.settings import FONT_SCALES, SPEEDS
from lstm_studio.session.start import stored_result, stored_verdicts
from lstm_studio.session.state import Match
from lstm_studio.ui import dialogs
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.explore.layers import inspected_layer, selected_unit
from lstm_studio.ui.notices import Level, Notice
from lstm_studio.ui.picture import PICTURE_FORMATS, save_picture
from lstm_studio.ui.sheets import TextSheet, about_page, shortcuts_page

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

TRACE_FORMATS = ("NumPy (*.npz)", "Table (*.csv)", "safetensors (*.safetensors)")
_ALL_FILES = "All files (*)"


class Commands(QObject):
    """The commands of one window.

    Parameters
    ----------
    window
        Whose session, runner, panels and settings they act on.
    """

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self._companion = self._session.setup.companion or NetworkSpec("rnn")

    # Files.

    def open_files(self, paths: Sequence[str]) -> None:
        """Open sequences, networks, or both: dropped on the window or named on the command line.

        One set of sequences is open at a time and at most two networks; what is left over is named in a notice.
        """
        files = sort_files(paths)
        left = (*files.sequences[1:], *files.networks[2:])
        if left:
            names = ", ".join(Path(path).name for path in left)
            self._note(Level.WARNING, f"Not opened: {names}.", "Put sequences into one folder and open that.")
        for path in files.networks[:2]:
            self._window.remember(self._window.settings.with_recent_network(path))
        if files.sequences:
            self._window.runner.open_sequence(files.sequences[0], networks=files.networks)
            return
        for path, companion in zip(files.networks, (False, True), strict=False):
            self._session.open_checkpoint(path, companion=companion)

    def open_sample(self, name: str) -> None:
        """Show a sample as it is stored."""
        try:
            sample = load_sample(name)
        except StudioError as error:
            self._note(Level.ERROR, error.found, error.cure)
            return
        self._session.show_sample(stored_result(sample))
        verdicts = stored_verdicts(sample)
        if verdicts is not None:
            self._session.accept_verdicts(verdicts)

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
            self._window.remember(self._window.settings.with_recent_network(path))
            self._session.open_checkpoint(path, companion=companion)

    def export_picture(self) -> None:
        """Ask where to, and save the plots as they are on the screen."""
        path = self._ask_save("Export picture", "png", tuple(PICTURE_FORMATS))
        if not path:
            return
        try:
            written = save_picture(self._window.workspace, Path(path), self._window.appearance.theme)
        except StudioError as error:
            self._note(Level.ERROR, error.found, error.cure)
        else:
            self._note(Level.NOTE, f"Saved {written}.")

    def export_numbers(self) -> None:
        """Ask where to, and save every signal of every network."""
        from lstm_studio.session.compute import Export

        path = self._ask_save("Export numbers", "npz", TRACE_FORMATS)
        if path:
            self._window.runner.submit(Export(self._session.result, path))

    def _ask_save(self, title: str, suffix: str, filters: tuple[str, ...]) -> str:
        name = "".join(c if c.isalnum() else "-" for c in self._session.result.sequences.title.lower()) or "trace"
        suggestion = str(Path(self._window.settings.folder) / f"{name}.{suffix}")
        path = dialogs.ask_save(self._window, title, suggestion, filters)
        return path if not path or Path(path).suffix else f"{path}.{suffix}"

    def quit(self) -> None:
        """Close the window."""
        self._window.close()

    # Editing.

    def undo(self) -> None:
        """Take back the last change."""
        self._session.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._session.redo()

    def remove_event(self) -> None:
        """Remove the event added last."""
        self._session.remove_event()

    # Looks.

    def show_all(self, on: bool) -> None:
        """Show or hide the steps to come."""
        self._session.look(reveal_all=on)

    def label_standard(self) -> None:
        """Name things as papers do."""
        self._session.look(labels=Labels.STANDARD)

    def label_classroom(self) -> None:
        """Name things as the lessons do."""
        self._session.look(labels=Labels.CLASSROOM)

    def theme_system(self) -> None:
        """Follow the desktop."""
        self._session.look(theme="system")

    def theme_light(self) -> None:
        """Dark on light."""
        self._session.look(theme="light")

    def theme_dark(self) -> None:
        """Light on dark."""
        self._session.look(theme="dark")

    def larger(self) -> None:
        """Enlarge all text by one notch."""
        now = self._window.settings.font_scale
        self._window.scale_text(min((scale for scale in FONT_SCALES if scale > now), default=now))

    def smaller(self) -> None:
        """Shrink all text by one notch."""
        now = self._window.settings.font_scale
        self._window.scale_text(max((scale for scale in FONT_SCALES if scale < now), default=now))

    def normal_size(self) -> None:
        """Show text at the system's size."""
        self._window.scale_text(100)

    def panel_sequence(self, on: bool) -> None:
        """Show or hide the sequence panel."""
        self._window.show_panel("sequence", on)

    def panel_networks(self, on: bool) -> None:
        """Show or hide the networks panel."""
        self._window.show_panel("networks", on)

    def panel_units(self, on: bool) -> None:
        """Show or hide the units panel."""
        self._window.show_panel("units", on)

    def panel_step(self, on: bool) -> None:
        """Show or hide the numbers at the cursor."""
        self._window.show_panel("step", on)

    def whole_sequence(self) -> None:
        """Take back zooming into time."""
        self._window.workspace.stack.show_all_steps()

    def reset_layout(self) -> None:
        """Put the panels back."""
        self._window.reset_layout()

    def full_screen(self, on: bool) -> None:
        """Fill the screen, or return to a window."""
        if on:
            self._window.showFullScreen()
        else:
            self._window.showNormal()

    def dismiss(self) -> None:
        """Close the newest notice; without one, give the keyboard back to the plots; then leave the full screen."""
        if self._window.stage.notices.dismiss():
            return
        stack = self._window.workspace.stack
        if self._window.focusWidget() not in {None, stack}:
            stack.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif self._window.isFullScreen():
            self._window.showNormal()

    # Networks.

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

    # Running.

    def play(self) -> None:
        """Play, or pause."""
        self._window.transport.toggle_playing()

    def next_step(self) -> None:
        """Go one step on."""
        self._step(1)

    def previous_step(self) -> None:
        """Go one step back."""
        self._step(-1)

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
        layer = inspected_layer(self._session.result, self._session.view)
        if layer is not None:
            self._session.select_unit(layer.group, selected_unit(layer, self._session.view) + by)

    def next_sequence(self) -> None:
        """Show the next sequence of the set."""
        self._choose_item(1)

    def previous_sequence(self) -> None:
        """Show the sequence before, in the set."""
        self._choose_item(-1)

    def _choose_item(self, by: int) -> None:
        item = max(0, min(self._session.setup.item + by, len(self._session.result.sequences) - 1))
        self._session.change(f"Show sequence {item + 1}", item=item)

    # Help.

    def show_shortcuts(self) -> None:
        """Show all keys."""
        TextSheet("Keyboard shortcuts", shortcuts_page(), self._window).show()

    def show_about(self) -> None:
        """Show versions and licence."""
        warm = self._window.runner.warm
        TextSheet("About LSTM Studio", about_page(warm.torch_version if warm else None), self._window).show()

    def _note(self, level: Level, found: str, cure: str = "") -> None:
        self._window.show_notice(Notice(level, found, cure))


def show_state(actions: Actions, window: StudioWindow) -> None:
    """Let the actions show what is on, and what can be done now."""
    session = window.session
    setup, view = session.setup, session.view
    switched = {
        "view.show-all": view.reveal_all,
        "view.labels-standard": view.labels is Labels.STANDARD,
        "view.labels-classroom": view.labels is Labels.CLASSROOM,
        "view.theme-system": view.theme == "system",
        "view.theme-light": view.theme == "light",
        "view.theme-dark": view.theme == "dark",
        "view.full-screen": window.isFullScreen(),
        "network.companion": setup.companion is not None,
        "network.same-units": setup.match is Match.UNITS,
        "network.same-parameters": setup.match is Match.PARAMETERS,
        "run.loop": view.loop,
    }
    for key, on in switched.items():
        actions[key].setChecked(on)
    fresh = setup.companion is not None and setup.companion.checkpoint is None
    possible = {
        "edit.undo": session.undo_text is not None,
        "edit.redo": session.redo_text is not None,
        "edit.remove-event": bool(setup.events),
        "network.next-seed": setup.network.checkpoint is None,
        "network.same-units": fresh,
        "network.same-parameters": fresh,
        "run.next-sequence": setup.item < len(session.result.sequences) - 1,
        "run.previous-sequence": setup.item > 0,
    }
    for key, enabled in possible.items():
        actions[key].setEnabled(enabled)
    actions["edit.undo"].setText(f"Undo: {session.undo_text}" if session.undo_text else "Undo")
    actions["edit.redo"].setText(f"Redo: {session.redo_text}" if session.redo_text else "Redo")
