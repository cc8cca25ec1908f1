"""The body of ``lstm-studio train``."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from lstm_studio.engine.devices import use_interactive_threads
from lstm_studio.errors import RunError
from lstm_studio.progress import Progress
from lstm_studio.runs.format import RUN_FILE
from lstm_studio.tasks.score import Score
from lstm_studio.training.assignment import Assignment
from lstm_studio.training.loaded import load
from lstm_studio.training.plan import Plan
from lstm_studio.training.recorded import Ending, RecordedTraining
from lstm_studio.training.share import joined

INTERRUPTED = 130
"""Exit status of a training that was ended with Ctrl-C."""


def train(plan: Plan, folder: Path, progress: Progress, *, resume: bool = False) -> int:
    """Train by a plan, record the run, and print what came of it.

    Parameters
    ----------
    plan
        What to train.
    folder
        Of the run.
    progress
        Told several times a second.
    resume
        Whether to go on with the run that is there.

    Returns
    -------
    int
        The exit status: 0, or 130 after Ctrl-C.

    Raises
    ------
    StudioError
        If the plan cannot be carried out, or a gradient is no longer finite.
    """
    use_interactive_threads()
    with joined(plan.device, plan.batch) as share, _interruptions() as interrupted:
        assignment, about = assignment_of(plan)
        training = RecordedTraining(plan, assignment, about, folder, share, resume=resume)
        ending = training.run(progress if share.is_first else _nobody, interrupted)
        if share.is_first:
            _report(ending, folder)
    return INTERRUPTED if ending.interrupted else 0


def plan_of_run(folder: Path) -> Plan:
    """Return the plan by which a run was trained.

    Raises
    ------
    RunError
        If the folder holds no run of ``lstm-studio train``.
    """
    path = folder / RUN_FILE
    try:
        training = json.loads(path.read_text("utf-8"))["training"]
        return Plan.from_training(training)
    except FileNotFoundError:
        raise RunError(f"{folder} holds no run.", "Name the folder of a run of lstm-studio train.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(
            f"{path} does not say how it was trained ({error!s:.200}).", "Name a run of lstm-studio train."
        ) from error


def assignment_of(plan: Plan) -> tuple[Assignment, Mapping[str, Any]]:
    """Return what a plan is for, and what ``run.json`` says of it.

    Raises
    ------
    StudioError
        If the task or the sequence of the plan cannot be had.
    """
    if plan.sequence:
        loaded, said = load(plan)
        return loaded, {"task": said}
    task = plan.new_task()
    about = {
        "name": task.name,
        "title": task.title,
        "shows": task.shows,
        "parameters": task.parameters(),
        "chance": task.chance_words,
        "solved": task.solved_words,
        "caution": task.caution,
        "readout": task.readout,
        "answers": list(task.answers),
        "near": task.near,
    }
    return task, {"task": about}


def _nobody(fraction: float, words: str) -> None:
    """Leave the reporting to the first process."""


@contextmanager
def _interruptions() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C, and the wish of the system to end the process, end the training in order; twice, at once."""
    wanted: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if wanted:
            raise KeyboardInterrupt
        wanted.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(wanted)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(ending: Ending, folder: Path) -> None:
    """Print how good the networks are in the end."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=200)
    test = ending.test
    console.print(
        f"{ending.update:,} updates, tested on {test.chance.sequences:,} sequences; recorded in {folder}", markup=False
    )
    table = Table("", "loss", "accuracy", "near the target", "solved", box=box.SIMPLE)
    for key, score in test.scores.items():
        table.add_row(key, *_numbers(score), "yes" if ending.solved[key] else "no")
    table.add_row("chance", *_numbers(test.chance), "")
    console.print(table)


def _numbers(score: Score) -> tuple[str, str, str]:
    accuracy = "" if score.accuracy is None else f"{score.accuracy:.3f}"
    return f"{score.loss:.4g}", accuracy, f"{score.within:.3f}"
