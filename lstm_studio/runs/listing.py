"""What is in a run, or in a folder of runs, as tables for the command line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from lstm_studio.errors import RunError
from lstm_studio.runs.like import RunLike
from lstm_studio.runs.opening import open_any, trainings_in

_SHOWN_PROBLEMS = 5


def runs_in(address: str | Path) -> tuple[list[RunLike], list[RunError]]:
    """Return the training that lies at an address, or those that lie in the folders there, and which are left out.

    Raises
    ------
    RunError
        If there is none, or none can be opened.
    """
    runs: list[RunLike] = []
    left_out: list[RunError] = []
    for found in trainings_in(address):
        try:
            runs.append(open_any(found))
        except RunError as error:
            left_out.append(error)
    if not runs:
        raise left_out[0]
    return runs, left_out


def overview(runs: list[RunLike]) -> Table:
    """Return one row for each run."""
    table = Table("run", "status", "steps", "traces", "layers", "last values", box=box.SIMPLE)
    for run in runs:
        curves = run.scalars
        last = max((int(steps[-1]) for steps, _ in curves.values()), default=None)
        values = ", ".join(f"{name} {_number(points[-1])}" for name, (_, points) in list(curves.items())[:4])
        cells = [run.title, run.status.value, "" if last is None else str(last + 1), str(len(run.steps))]
        table.add_row(*map(_plain, [*cells, ", ".join(run.layers), values]))
    return table


def details(run: RunLike) -> Iterator[Table | Text]:
    """Return what one run holds: its curves, the steps with a trace, and what could not be read."""
    curves = Table("scalar", "steps", "first", "smallest", "largest", "last", box=box.SIMPLE)
    for name, (steps, values) in run.scalars.items():
        numbers = (values[0], values.min(), values.max(), values[-1])
        curves.add_row(_plain(name), str(len(steps)), *map(_number, numbers))
    if run.scalars:
        yield curves
    if run.steps:
        yield Text(f"traces at {len(run.steps)} steps, from {run.steps[0]} to {run.steps[-1]}")
    for event in run.events:
        if event.get("event") in {"not captured", "nothing captured", "dropped", "stopped"} or "error" in event:
            about = ", ".join(f"{key} {value}" for key, value in event.items() if key not in {"event", "wall"})
            yield _plain(f"{event['event']}: {about}")
    for lack in run.lacks:
        yield _plain(lack)
    for problem in run.problems[:_SHOWN_PROBLEMS]:
        yield _plain(f"cannot be read: {problem}")
    if len(run.problems) > _SHOWN_PROBLEMS:
        yield Text(f"and {len(run.problems) - _SHOWN_PROBLEMS} more that cannot be read")


def news_lines(run: RunLike) -> Iterator[str]:
    """Yield a line whenever something has come, until the run has ended."""
    for news in run.follow():
        curves = run.scalars
        last = max((int(steps[-1]) for steps, _ in curves.values()), default=None)
        values = ", ".join(f"{name} {_number(points[-1])}" for name, (_, points) in curves.items())
        traced = f"; trace of {', '.join(map(str, news.steps[-3:]))}" if news.steps else ""
        yield _plain(f"{news.status.value:8} step {'-' if last is None else last}: {values}{traced}").plain


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else str(value)


def _plain(text: str) -> Text:
    """Return a text of a file without what would steer the terminal."""
    return Text("".join(letter if letter.isprintable() else "�" for letter in text))
