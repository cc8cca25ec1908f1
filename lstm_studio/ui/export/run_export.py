"""Exporting a run: as what, where to, then the work, which the worker does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from lstm_studio.runs.export.formats import RunFormat
from lstm_studio.session.export_run import ExportRun
from lstm_studio.session.files import is_file
from lstm_studio.session.pictures import RunPicture
from lstm_studio.session.question import Question
from lstm_studio.ui import dialogs
from lstm_studio.ui.export.run_dialog import RunExportDialog
from lstm_studio.ui.notices import Level

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

_FILTERS = {
    RunFormat.PARQUET: "Parquet (*.parquet)",
    RunFormat.NPZ: "NumPy (*.npz)",
    RunFormat.TENSORBOARD: "A new folder (*)",
}


class RunExport(QObject):
    """The way from a run to a file.

    Parameters
    ----------
    window
        Whose session asks for the work, and whose notices tell of it.
    """

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._window = window
        window.session.answered.connect(self._on_answered)

    def begin(self, picture: RunPicture) -> None:
        """Ask as what a run shall be written."""
        dialog = RunExportDialog(picture, self._window)
        dialog.accepted.connect(self._on_wished)
        dialog.open()

    def _on_wished(self) -> None:
        dialog = self.sender()
        if not isinstance(dialog, RunExportDialog):
            return
        kind = dialog.kind
        end = "" if kind is RunFormat.TENSORBOARD else f".{kind}"
        name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in dialog.run_title) or "run"
        settings = self._window.settings
        suggestion = str(Path(settings.folder) / f"{name}{end or '-tensorboard'}")
        found = dialogs.ask_save(self._window, "Export run", suggestion, (_FILTERS[kind],))
        if not found:
            return
        path = Path(found)
        # What has this very name the dialog has asked about.
        force = bool(end) and is_file(path)
        if end and not path.suffix:
            path = path.with_name(f"{path.name}{end}")
            force = False
        if not force and _is_taken(path):
            told = "is not empty. An earlier export in it is replaced, all else stays." if path.is_dir() else "exists."
            if dialogs.ask_choice(self._window, "Export run", f"{path} {told}", ("Replace", "Cancel")) != 0:
                return
            force = True
        self._window.remember(replace(settings, folder=str(path.parent)))
        self._window.session.ask(ExportRun(dialog.address, str(path), kind, force))

    def _on_answered(self, question: Question, answer: object) -> None:
        from lstm_studio.runs.export.exporting import ExportedRun

        if isinstance(question, ExportRun) and isinstance(answer, ExportedRun):
            self._window.note(Level.NOTE, f"Saved {answer.path}: {answer.about}.", " ".join(answer.left_out))


def _is_taken(path: Path) -> bool:
    try:
        return path.is_file() or (path.is_dir() and any(path.iterdir()))
    except OSError:
        # The export itself says why.
        return False
