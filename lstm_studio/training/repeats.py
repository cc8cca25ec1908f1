"""The same comparison over several seeds: one seed proves nothing general.

Importing this module, and reading with it, does not import torch.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from lstm_studio.errors import RunError, is_there
from lstm_studio.runs.format import LARGEST_JSON, RUN_FILE
from lstm_studio.runs.like import Status
from lstm_studio.runs.reader import open_run
from lstm_studio.training.plan import Plan

REPEATS_FILE = "repeats.json"
_MOST_SEEDS = 10_000


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What one seed has come to.

    Parameters
    ----------
    seed, folder
        Which, and where its run lies.
    status
        Of its run; None before it has begun.
    update
        Updates after which it was tested; None before.
    scores
        Key of a network → score → value on the sequences of the test, as the event ``tested`` has it.
    chance
        The same of the chance line.
    solved
        Key of a network → whether it has solved the task.
    """

    seed: int
    folder: Path
    status: Status | None
    update: int | None
    scores: Mapping[str, Mapping[str, float]]
    chance: Mapping[str, float]
    solved: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Spread:
    """One score over the seeds that have been tested.

    Parameters
    ----------
    median, smallest, largest
        Of the values.
    values
        Of each seed, in their order.
    """

    median: float
    smallest: float
    largest: float
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Repeats:
    """A comparison over several seeds.

    Parameters
    ----------
    plan
        With the first seed.
    results
        Of each seed, also of those to come.
    """

    plan: Plan
    results: tuple[SeedResult, ...]

    @property
    def tested(self) -> tuple[SeedResult, ...]:
        """The seeds that have come to their test."""
        return tuple(result for result in self.results if result.update is not None)

    def spread(self, key: str, score: str) -> Spread | None:
        """Return one score of one network over the seeds; None before any has been tested.

        Parameters
        ----------
        key
            Of the network.
        score
            ``"loss"``, ``"accuracy"``, ``"within"`` or ``"squared_error"``.
        """
        found = [result.scores[key].get(score) for result in self.tested if key in result.scores]
        values = tuple(value for value in found if value is not None)
        return Spread(median(values), min(values), max(values), values) if values else None

    def solved(self, key: str) -> int:
        """Return with how many seeds a network has solved the task."""
        return sum(result.solved.get(key, False) for result in self.tested)


def seeds_of(plan: Plan, count: int) -> tuple[int, ...]:
    """Return the seeds of a comparison: that of the plan and those after it."""
    return tuple(range(plan.seed, plan.seed + count))


def seed_folder(folder: Path, seed: int) -> Path:
    """Return where the run of one seed lies."""
    return folder / f"seed-{seed}"


def write_repeats(plan: Plan, folder: Path, count: int) -> None:
    """Write down what is to be compared, before it is.

    Raises
    ------
    RunError
        If the folder holds something else, or cannot be written.
    """
    path = folder / REPEATS_FILE
    if is_there(path, RunError) or is_there(folder / RUN_FILE, RunError):
        raise RunError(f"{folder} holds a training.", "Go on with it with --resume, or choose another folder.")
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps({"seeds": count, "recipe": plan.as_dict()}, indent=2), "utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written ({error.strerror or error}).", "Choose another folder.") from error


def count_of(folder: Path) -> tuple[Plan, int]:
    """Return the plan with the first seed, and how many seeds are compared; reads no run.

    Raises
    ------
    RunError
        If the folder holds none, or what it says is damaged.
    """
    path = folder / REPEATS_FILE
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(LARGEST_JSON))
        plan, count = Plan.from_training(said), said["seeds"]
        if not isinstance(count, int) or not 1 <= count <= _MOST_SEEDS:
            raise RunError(f"{path} says {count!r:.80} of seeds.", "Name another folder.")
    except FileNotFoundError:
        raise RunError(f"{folder} holds no comparison of seeds.", "Name the folder given with --seeds.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(f"{path} is damaged ({error!s:.200}).", "Name another folder.") from error
    return plan, count


def read_repeats(folder: Path) -> Repeats:
    """Return what has come of a comparison so far.

    Raises
    ------
    RunError
        If the folder holds none, or what it says is damaged.
    """
    plan, count = count_of(folder)
    return Repeats(plan, tuple(_result(seed_folder(folder, seed), seed) for seed in seeds_of(plan, count)))


def _result(folder: Path, seed: int) -> SeedResult:
    try:
        run = open_run(folder)
    except RunError:
        return SeedResult(seed, folder, None, None, {}, {}, {})
    event: Mapping[str, Any] = next(
        (event for event in reversed(run.events) if event.get("event") in {"tested", "start"}), {}
    )
    if event.get("event") != "tested":
        return SeedResult(seed, folder, run.status, None, {}, {}, {})
    try:
        scores = {str(key): _numbers(score) for key, score in event["scores"].items()}
        solved = {str(key): bool(is_so) for key, is_so in event["solved"].items()}
        return SeedResult(seed, folder, run.status, int(event["update"]), scores, _numbers(event["chance"]), solved)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
        return SeedResult(seed, folder, run.status, None, {}, {}, {})


def _numbers(score: Mapping[str, Any]) -> dict[str, float]:
    """Return a score as numbers; what JSON has no number for is written as text, and what there is not is left out."""
    return {str(name): float(value) for name, value in score.items() if value is not None}
