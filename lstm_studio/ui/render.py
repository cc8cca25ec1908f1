"""The window as a picture, without a display."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_studio.errors import StudioError
from lstm_studio.networks.signals import Labels
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.session.compute import Computer, Opened, OpenFile
from lstm_studio.session.files import sort_files
from lstm_studio.session.pictures import Followed, picture_of
from lstm_studio.session.session import Session
from lstm_studio.session.session_file import read_session
from lstm_studio.session.settings import Settings
from lstm_studio.session.start import open_together
from lstm_studio.session.state import Result
from lstm_studio.session.writing import write_whole

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow


def render_view(
    out: str | Path,
    *,
    files: Sequence[str] = (),
    size: tuple[int, int] = (1600, 1000),
    theme: str = "light",
    labels: str = "standard",
    step: int | None = None,
    result: Result | None = None,
) -> None:
    """Draw the window to a PNG.

    Parameters
    ----------
    out
        The file.
    files
        As for :func:`~lstm_studio.ui.app.open_window`; without any, the first sample.
    size
        Width and height in pixels.
    theme
        ``"light"`` or ``"dark"``.
    labels
        ``"standard"`` or ``"classroom"``.
    step
        The step under the cursor, 0-based; None for the last, or for that of a session.
    result
        What to show instead of files.

    Raises
    ------
    StudioError
        If a file cannot be read or the picture cannot be written.
    """
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from lstm_studio.ui.app import destroy, first_session, make_application, make_window
    from lstm_studio.ui.export.stand_in import png_of
    from lstm_studio.ui.picture import picture_of as drawn

    make_application()
    computer = Computer()
    if result is not None:
        session = Session(result)
    else:
        session = first_session()
        _open(session, computer, files)
    settings = Settings(theme=theme, labels=Labels(labels))
    window = make_window(session, computer, settings)
    try:
        runs = sort_files(files).runs
        if runs:
            window.show_workspace("monitor")
            _follow(window, runs)
        if step is not None or not sort_files(files).sessions:
            session.move_cursor(session.steps - 1 if step is None else step)
        window.resize(*size)
        try:
            write_whole(Path(out), png_of(drawn(window)))
        except StudioError as error:
            raise StudioError(error.found, "Choose a folder in which you may write, on a disk with room.") from error
    finally:
        destroy(window)


def _follow(window: StudioWindow, runs: Sequence[str]) -> None:
    """Show trainings as they are here and now."""
    from lstm_studio.runs.opening import open_any, trainings_in

    addresses = [address for run in runs for address in trainings_in(run)]
    window.watchlist.add(addresses)
    window.watchlist.accept([Followed(address, picture_of(open_any(address))) for address in addresses])


def _open(session: Session, computer: Computer, files: Sequence[str]) -> None:
    """Open files as the window does, but here and now."""
    kinds = sort_files(files)
    if kinds.sessions:
        with tempfile.TemporaryDirectory(prefix="lstm-studio-") as networks:
            contents = read_session(Path(kinds.sessions[0]), Path(networks))
            result = contents.result or computer.compute(contents.setup, ignore_progress)
        session.show_stored("Open", result.setup, result, view=contents.view, remarks=contents.remarks)
        return
    if kinds.sequences:
        opened = computer.answer(OpenFile(kinds.sequences[0], ReadOptions()), ignore_progress)
        assert isinstance(opened, Opened)  # noqa: S101 - the answer to OpenFile
        open_together(session, opened, kinds.networks[:2])
    elif kinds.networks:
        session.open_checkpoints(kinds.networks[:2])
    if session.waiting:
        session.accept(computer.compute(session.setup, ignore_progress))
