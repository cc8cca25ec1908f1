"""The body of ``lstm-studio train``."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from lstm_studio.engine.devices import use_interactive_threads
from lstm_studio.errors import RunError, is_there
from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.runs.format import RUN_FILE
from lstm_studio.tasks.score import Score
from lstm_studio.training.assignment import Assignment
from lstm_studio.training.control import Wish, ask, wish
from lstm_studio.training.loaded import load
from lstm_studio.training.plan import Plan
from lstm_studio.training.recorded import Ending, RecordedTraining
from lstm_studio.training.repeats import REPEATS_FILE, Repeats, SeedResult, read_repeats, write_repeats
from lstm_studio.training.share import joined
from lstm_studio.training.snapshots import STATE_FILE

INTERRUPTED = 130
"""Exit status of a training that was ended with Ctrl-C."""
_SAME_SECONDS = 1.0
"""Signals that come so soon after the first one are the same."""


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
    if resume:
        _forget_stop(folder)
    with joined(plan.device, plan.batch) as share, _interruptions() as interrupted:
        assignment, about = assignment_of(plan)
        training = RecordedTraining(plan, assignment, about, folder, share, resume=resume)
        ending = training.run(progress if share.is_first else ignore_progress, interrupted)
        if share.is_first:
            _report(ending, folder)
    return INTERRUPTED if ending.interrupted else 0


def repeat(plan: Plan, folder: Path, count: int, progress: Progress, *, resume: bool = False) -> int:
    """Train by a plan once with each of several seeds, and print how far the results are apart.

    Parameters
    ----------
    plan
        With the first seed.
    folder
        Of the comparison; each seed's run has a folder of its own in it.
    count
        How many seeds.
    progress, resume
        As in :func:`train`; seeds that have been trained to the end are left as they are.

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
        if share.is_first and not resume:
            write_repeats(plan, folder, count)
        if share.is_first and resume:
            _forget_stop(folder)
        share.wait()
        before = read_repeats(folder).results
        for place, result in enumerate(before):
            if _is_done(result, plan):
                continue
            own = replace(plan, seed=result.seed)
            assignment, about = assignment_of(own)
            again = (result.folder / STATE_FILE).exists()
            if again:
                _forget_stop(result.folder)
            training = RecordedTraining(own, assignment, about, result.folder, share, resume=again, asked=folder)

            def show(fraction: float, words: str, place: int = place, seed: int = result.seed) -> None:
                progress((place + fraction) / count, f"seed {seed}, {words}")

            training.run(show if share.is_first else ignore_progress, interrupted)
            if share.told(interrupted() or wish(folder) is Wish.STOP):
                break
        if share.is_first:
            _report_spread(read_repeats(folder), folder)
    return INTERRUPTED if interrupted() else 0


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
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror or error}).", "Check that you may read it.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(
            f"{path} does not say how it was trained ({error!s:.200}).", "Name a run of lstm-studio train."
        ) from error


def plan_to_resume(folder: Path) -> tuple[Plan, int | None]:
    """Return the plan of what a folder holds, and with how many seeds it is compared; None for a single run.

    Raises
    ------
    RunError
        If the folder holds no run of ``lstm-studio train``.
    """
    if is_there(folder / REPEATS_FILE, RunError):
        repeats = read_repeats(folder)
        return repeats.plan, len(repeats.results)
    return plan_of_run(folder), None


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


def _is_done(result: SeedResult, plan: Plan) -> bool:
    """Return whether one seed has been trained to the end."""
    if result.update is None:
        return False
    enough = plan.stop_when_solved and result.solved.get(plan.keys[0], False)
    return enough or result.update >= plan.updates


def _forget_stop(folder: Path) -> None:
    """Forget the wish that has ended a training, before it goes on."""
    if wish(folder) is Wish.STOP:
        ask(folder, Wish.RUN)


@contextmanager
def _interruptions() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C, and the wish of the system to end the process, end the training in order; twice, at once."""
    wanted: list[float] = []

    def note(_number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        # A terminal and a launcher may both pass one Ctrl-C on.
        if wanted and now - wanted[0] > _SAME_SECONDS:
            raise KeyboardInterrupt
        wanted.append(now)

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


def _report_spread(repeats: Repeats, folder: Path) -> None:
    """Print how far the seeds are apart."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=200)
    tested = len(repeats.tested)
    console.print(f"{tested} of {len(repeats.results)} seeds tested; recorded in {folder}", markup=False)
    table = Table("", "median loss", "smallest", "largest", "median accuracy", "solved", box=box.SIMPLE)
    for key in repeats.plan.keys:
        loss, accuracy = repeats.spread(key, "loss"), repeats.spread(key, "accuracy")
        if loss is not None:
            numbers = (f"{value:.4g}" for value in (loss.median, loss.smallest, loss.largest))
            share = "" if accuracy is None else f"{accuracy.median:.3f}"
            table.add_row(key, *numbers, share, f"{repeats.solved(key)} of {tested}")
    console.print(table)


def _numbers(score: Score) -> tuple[str, str, str]:
    accuracy = "" if score.accuracy is None else f"{score.accuracy:.3f}"
    return f"{score.loss:.4g}", accuracy, f"{score.within:.3f}"
