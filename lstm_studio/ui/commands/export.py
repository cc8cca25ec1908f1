"""Exports: pictures, numbers, playbacks, reports, and the clipboard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from lstm_studio.errors import StudioError
from lstm_studio.session.compute import Export
from lstm_studio.session.encoding import WritePlayback
from lstm_studio.session.phases import phases_of
from lstm_studio.session.question import Question
from lstm_studio.session.report import WriteReport
from lstm_studio.session.writing import write_whole
from lstm_studio.ui import dialogs
from lstm_studio.ui.actions import ActionInfo
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.export.dialogs import WORKSPACE, PictureDialog, PictureWish, PlaybackDialog
from lstm_studio.ui.export.playback import Playback
from lstm_studio.ui.export.stand_in import StandIn, draw, png_of, save_svg
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.notices import Level
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.theme import LIGHT
from lstm_studio.ui.workspaces import EXPLORE

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

TRACE_FORMATS = ("NumPy (*.npz)", "Table (*.csv)", "safetensors (*.safetensors)")
PICTURE_FORMATS = ("PNG (*.png)", "SVG (*.svg)")
_PLAYBACK_FORMATS = {".gif": "GIF (*.gif)", ".mp4": "MP4 (*.mp4)"}
_CENTRE = "centre"
"""What is exported of a workspace other than Explore, beside its panels."""
_REPORT_SHARPNESS = 2.0
_CLIPBOARD_SHARPNESS = 2.0


class ExportCommands(Group):
    """What leaves the window."""

    actions = (
        ActionInfo(
            "file.export-picture",
            "Export picture…",
            "Save the diagrams and plots, or a panel, as a PNG or SVG of any size.",
            "export_picture",
            ("Ctrl+E",),
            Icon.SAVE,
        ),
        ActionInfo(
            "file.export-numbers",
            "Export numbers…",
            "Save all signals of a network as CSV, NPZ or safetensors.",
            "export_numbers",
            ("Ctrl+Shift+E",),
            workspace=EXPLORE,
        ),
        ActionInfo(
            "file.export-playback",
            "Export playback…",
            "Save the steps one after the other as a GIF, or as an MP4 where ffmpeg is installed.",
            "export_playback",
            workspace=EXPLORE,
        ),
        ActionInfo(
            "file.export-report",
            "Export report…",
            "Save the picture, the numbers and the settings as one HTML page.",
            "export_report",
            workspace=EXPLORE,
        ),
        ActionInfo(
            "edit.copy-picture",
            "Copy picture",
            "Put the diagrams and plots on the clipboard.",
            "copy_picture",
            ("Ctrl+Shift+C",),
            Icon.COPY,
        ),
    )

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._picture_dialog: PictureDialog | None = None
        self._playback_dialog: PlaybackDialog | None = None
        self._playback: Playback | None = None
        self._session.answered.connect(self._on_answered)

    def export_picture(self) -> None:
        """Ask what the picture shall be, then where to."""
        centre = self._other_centre()
        views = {WORKSPACE: ("Diagrams and plots", self._workspace_size())}
        if centre is not None:
            views = {_CENTRE: (f"{centre.accessibleName()} plots", (centre.width(), centre.height()))}
        for info in PANELS:
            panel = self._window.shown_panel(info.key)
            if panel is not None:
                views[info.key] = (f"{info.title} panel", (panel.width(), panel.height()))
        self._picture_dialog = PictureDialog(views, self._window)
        self._picture_dialog.accepted.connect(self._on_picture_wished)
        self._picture_dialog.open()

    def _on_picture_wished(self) -> None:
        if self._picture_dialog is None:
            return
        wish, self._picture_dialog = self._picture_dialog.wish, None
        path = self._ask_save("Export picture", "png", PICTURE_FORMATS)
        if not path:
            return
        try:
            self.save_picture(wish, Path(path))
        except StudioError as error:
            self._window.note(Level.ERROR, error.found, error.cure)
        else:
            self._window.note(Level.NOTE, f"Saved {path}.")

    def save_picture(self, wish: PictureWish, path: Path) -> None:
        """Write a picture.

        Raises
        ------
        StudioError
            If the suffix is unknown or the file cannot be written.
        """
        suffix = path.suffix.lower()
        if suffix not in {".png", ".svg"}:
            raise StudioError(f"{path}: a picture cannot be saved as {path.suffix}.", "Choose .png or .svg.")
        title = self._session.result.sequences.title or "LSTM Studio"
        if wish.what == WORKSPACE:
            with StandIn(self._session, wish.size, self._window.appearance.in_my_maps(wish.theme)) as stand_in:
                if suffix == ".svg":
                    stand_in.save_svg(path, title)
                    return
                image = stand_in.draw(wish.sharpness)
        else:
            panel = (self._other_centre() if wish.what == _CENTRE else None) or self._window.panel(wish.what)
            theme = self._window.appearance.theme
            if suffix == ".svg":
                save_svg(panel, theme, path, title)
                return
            image = draw(panel, theme, wish.sharpness)
        write_whole(path, png_of(image))

    def export_numbers(self) -> None:
        """Ask where to, and save every signal of every network."""
        path = self._ask_save("Export numbers", "npz", TRACE_FORMATS)
        if path:
            self._window.runner.submit(Export(self._session.result, path))

    def export_playback(self) -> None:
        """Ask which steps, then where to."""
        session = self._session
        self._playback_dialog = PlaybackDialog(
            session.steps,
            session.view.speed,
            self._workspace_size(),
            self._window,
            phases=len(phases_of(session.result)),
            in_phases=session.view.four_phases,
        )
        self._playback_dialog.accepted.connect(self._on_playback_wished)
        self._playback_dialog.open()

    def _on_playback_wished(self) -> None:
        if self._playback_dialog is None:
            return
        wish, self._playback_dialog = self._playback_dialog.wish, None
        path = self._ask_save("Export playback", wish.suffix[1:], (_PLAYBACK_FORMATS[wish.suffix],))
        if not path:
            return
        if self._playback is not None:
            self._playback.stop()
        wish = replace(wish, theme=self._window.appearance.in_my_maps(wish.theme))
        self._playback = Playback(self._session, wish, Path(path), self)
        self._playback.ended.connect(self._on_playback_ended)

    def _on_playback_ended(self) -> None:
        self._playback = None

    def export_report(self) -> None:
        """Ask where to, and write a page about what is shown."""
        path = self._ask_save("Export report", "html", ("HTML (*.html)",))
        if not path:
            return
        session = self._session
        with StandIn(session, self._workspace_size(), self._window.appearance.in_my_maps(LIGHT)) as stand_in:
            image, words = stand_in.draw(_REPORT_SHARPNESS), stand_in.words
        session.ask(WriteReport(path, session.result, session.view, session.remarks, png_of(image), words))

    def copy_picture(self) -> None:
        """Put what is in the middle of the window on the clipboard."""
        centre = self._other_centre()
        if centre is not None:
            QGuiApplication.clipboard().setImage(draw(centre, self._window.appearance.theme, _CLIPBOARD_SHARPNESS))
            return
        with StandIn(self._session, self._workspace_size(), self._window.appearance.in_my_maps(LIGHT)) as stand_in:
            QGuiApplication.clipboard().setImage(stand_in.draw(_CLIPBOARD_SHARPNESS))

    def _other_centre(self) -> QWidget | None:
        """Return what is in the middle of the window where that is not Explore; it is drawn as it is on the screen."""
        return None if self._window.current_workspace == EXPLORE else self._window.stage.shown

    def _workspace_size(self) -> tuple[int, int]:
        return self._window.workspace.width(), self._window.workspace.height()

    def _on_answered(self, question: Question, answer: object) -> None:
        if isinstance(question, WritePlayback | WriteReport):
            self._window.note(Level.NOTE, f"Saved {answer}.")

    def _ask_save(self, title: str, suffix: str, filters: tuple[str, ...]) -> str:
        name = "".join(c if c.isalnum() else "-" for c in self._session.result.sequences.title.lower()) or "trace"
        suggestion = str(Path(self._window.settings.folder) / f"{name}.{suffix}")
        path = dialogs.ask_save(self._window, title, suggestion, filters)
        return path if not path or Path(path).suffix else f"{path}.{suffix}"
