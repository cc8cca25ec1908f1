"""Asks a training in another process to pause, to go on or to stop: a small file in the folder of its run.

Importing this module does not import torch.
"""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path

from lstm_studio.runs.places import LocalFile, whole

CONTROL_FILE = "control.json"
_LARGEST = 1000


class Wish(StrEnum):
    """What a training is asked to do."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


def ask(folder: Path, wish: Wish) -> None:
    """Ask the training that records into a folder; it looks several times a second, and obeys after an update.

    Parameters
    ----------
    folder
        Of the run; made if it is not there yet.
    wish
        Replaces whatever was asked before.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONTROL_FILE
    # Nobody ever reads half a wish.
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps({"wanted": wish}), "utf-8")
    part.replace(path)


def wish(folder: Path) -> Wish:
    """Return what is asked of the training that records into a folder: to run, unless the file says otherwise.

    Never what a link leads to says it, and a pipe, which would make the training wait, is not opened.
    """
    try:
        said = json.loads(whole(LocalFile(folder / CONTROL_FILE), _LARGEST))
        return Wish(said["wanted"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Wish.RUN
