"""Writing a training that is followed to a file or folder for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lstm_studio.progress import Progress
from lstm_studio.runs.export.formats import RunFormat
from lstm_studio.session.question import Question, Tools

if TYPE_CHECKING:
    from lstm_studio.runs.export.exporting import ExportedRun


@dataclass(frozen=True, slots=True)
class ExportRun(Question):
    """Write what a run holds by now; answered with :class:`~lstm_studio.runs.export.exporting.ExportedRun`.

    Parameters
    ----------
    address
        Where it lies.
    path, kind
        Where to, and as what.
    force
        Whether what was exported there before may be replaced.
    """

    address: str
    path: str
    kind: RunFormat
    force: bool = False

    title = "Exporting the run"
    about_result = False

    def answer(self, tools: Tools, progress: Progress) -> ExportedRun:  # noqa: ARG002 - needs no network
        """Read the run anew, and write it."""
        from lstm_studio.runs.export.exporting import export_run
        from lstm_studio.runs.opening import open_any

        progress(-1.0, self.title)
        run = open_any(self.address)
        return export_run(run, self.path, kind=self.kind, force=self.force, progress=progress)
