"""Trains in a process of its own, which outlives the one that started it.

Importing this module does not import torch.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from lstm_studio.errors import RunError
from lstm_studio.runs.places import local
from lstm_studio.training.control import Wish, ask
from lstm_studio.training.plan import Plan

LOG_FILE = "train.log"
_LAST_LINES = 12
_LAST_BYTES = 8000


class Child:
    """A training in a process of its own; made by :func:`start`.

    Parameters
    ----------
    process
        The process.
    folder
        Of its run.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self.folder = folder

    @property
    def process(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    @property
    def failure(self) -> str:
        """The last lines it wrote, where it ended with an error; empty while it runs and where all went well."""
        status = self._process.poll()
        if status is None or status in _NO_FAILURE:
            return ""
        try:
            with (self.folder / LOG_FILE).open("rb") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - _LAST_BYTES, 0))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            text = ""
        lines = [line for line in text.splitlines() if line.strip()][-_LAST_LINES:]
        return "\n".join(lines) or f"The training ended with exit status {status}."

    def pause(self) -> None:
        """Ask it to wait after the update it is at."""
        ask(self.folder, Wish.PAUSE)

    def go_on(self) -> None:
        """Ask it to go on after a pause."""
        ask(self.folder, Wish.RUN)

    def stop(self) -> None:
        """Ask it to end in order: with its last evaluation and snapshot, so that it can be resumed."""
        ask(self.folder, Wish.STOP)

    def kill(self) -> None:
        """End the process at once; what it has recorded stays."""
        if self.running:
            _kill_all(self._process)

    def wait(self, seconds: float | None = None) -> int:
        """Wait until it has ended, and return its exit status.

        Raises
        ------
        subprocess.TimeoutExpired
            If that takes longer than ``seconds``.
        """
        return self._process.wait(seconds)


def start(plan: Plan, folder: str | Path, resume: bool = False, *, seeds: int | None = None) -> Child:
    """Train in a new process.

    Parameters
    ----------
    plan
        What to train.
    folder
        Of the run; made if it is not there. What the process says goes into ``train.log`` there.
    resume
        Whether to go on with the run that is there.
    seeds
        How many seeds to train, each into a folder of its own below ``folder``; None for the plan's alone.

    Raises
    ------
    RunError
        If the folder cannot be written or the process cannot be started.
    """
    folder = local(folder).absolute()
    command = [*_program(), *plan.arguments(folder, resume=resume, seeds=seeds)]
    try:
        # An old wish to stop is none of the new training's.
        ask(folder, Wish.RUN)
        with (folder / LOG_FILE).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own program, and no shell
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **_apart()
            )
    except OSError as error:
        raise RunError(
            f"The training in {folder} could not be started ({error.strerror or error}).", "Choose another folder."
        ) from error
    return Child(process, folder)


_NO_FAILURE = frozenset({0, 130})
"""Ended in order, or interrupted by whoever sat before it."""


def _program() -> list[str]:
    """Return how this very program is started."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "lstm_studio"]


def _apart() -> dict[str, Any]:
    """Return what lets a process outlive the one that starts it, and not be interrupted together with it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and those that it has started."""
    if sys.platform == "win32":
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
