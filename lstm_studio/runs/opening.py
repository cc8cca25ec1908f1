"""Opens whatever a training has written, by its address."""

from __future__ import annotations

from pathlib import Path

from lstm_studio.errors import RunError
from lstm_studio.runs.format import RUN_FILE
from lstm_studio.runs.like import RunLike
from lstm_studio.runs.reader import open_run


def open_any(address: str | Path) -> RunLike:
    """Open the training that lies at an address.

    Parameters
    ----------
    address
        The folder of a run that ``ls.watch`` or ``lstm-studio train`` recorded.

    Raises
    ------
    RunError
        If there is nothing that could be read.
    """
    folder = Path(address)
    if not folder.exists():
        raise RunError(f"{folder} does not exist.", "Check the name.")
    if folder.is_file() and folder.name == RUN_FILE:
        folder = folder.parent
    return open_run(folder)
