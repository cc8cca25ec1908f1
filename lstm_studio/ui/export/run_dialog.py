"""Asks as what a run shall be exported, and says what of it goes along."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from lstm_studio.runs.export.formats import RunFormat
from lstm_studio.session.pictures import RunPicture
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.widgets.dialog import AskingDialog, wide_form
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label

_TITLES = {RunFormat.PARQUET: "Parquet", RunFormat.NPZ: "NumPy", RunFormat.TENSORBOARD: "TensorBoard"}
_WORDS = {
    RunFormat.PARQUET: "A table with a row for each number: for pandas, R, DuckDB.",
    RunFormat.NPZ: "An archive of arrays: for numpy.load.",
    RunFormat.TENSORBOARD: "A folder with an event file, for TensorBoard. It has curves only, in single precision.",
}
_LINES = 3
"""Of the longest words, so that nothing moves when another format is chosen."""


class RunExportDialog(AskingDialog):
    """One choice, and what it comes to.

    Parameters
    ----------
    picture
        The run.
    """

    def __init__(self, picture: RunPicture, parent: QWidget) -> None:
        super().__init__("Export run", "Save…", parent)
        self.address = picture.address
        """Of the run."""
        self.run_title = picture.title
        """What it is called."""
        self._picture = picture
        self.format = Segments("Format", {kind.value: title for kind, title in _TITLES.items()})
        self.format.show_choice(RunFormat.PARQUET.value)
        self.words = label(kind="caption")
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.words.setMinimumSize(380, _LINES * self.words.fontMetrics().lineSpacing())
        name = label(picture.title)
        name.setTextFormat(Qt.TextFormat.PlainText)
        form = wide_form()
        form.addRow("Run", name)
        form.addRow("Format", self.format)
        self.lay_out(form, self.words)
        self.format.chosen.connect(self._show)
        self._show()

    @property
    def kind(self) -> RunFormat:
        """The format that is chosen."""
        return RunFormat(self.format.choice)

    def _show(self) -> None:
        picture, kind = self._picture, self.kind
        curves = len(picture.scalars) + len(picture.statistics) + len(picture.parameters)
        parts = [_counted(curves, "curve")]
        if kind is not RunFormat.TENSORBOARD:
            parts += [_counted(len(picture.lags), "gradient by lag", "gradients by lag")]
            parts += [_counted(len(picture.steps), "step with traces", "steps with traces")]
        inside = ", ".join(part for part in parts if part) or "nothing yet"
        self.words.setText(f"{_WORDS[kind]}\n{inside[0].upper()}{inside[1:]}.")


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{format_count(count)} {one if count == 1 else many or f'{one}s'}" if count else ""
