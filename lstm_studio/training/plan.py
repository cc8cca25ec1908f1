"""What is to be trained and how: plain values that the command line, the window and ``run.json`` all say alike.

Importing this module does not import torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lstm_studio.errors import RunError, StudioError
from lstm_studio.sequences.columns import ColumnRole
from lstm_studio.sequences.options import Missing
from lstm_studio.sequences.sequence import Scaling
from lstm_studio.tasks.registry import new_task, tasks
from lstm_studio.tasks.task import Task

NONE = "none"
"""How the command line says that there is no companion, or no forget bias of one's own."""


class Goal(StrEnum):
    """What is asked of a loaded sequence."""

    AUTO = "auto"
    """The classes or the target column that the file has, else the next step."""
    NEXT_STEP = "next-step"
    """At every step: all features of the step after it."""
    CLASSES = "classes"
    """The class of the sequence, or of each step."""
    TARGET = "target"
    """The numbers of the target column."""


class Equal(StrEnum):
    """What the companion has in common with the first network."""

    UNITS = "units"
    PARAMETERS = "parameters"


class Optimiser(StrEnum):
    """What changes the weights."""

    ADAM = "adam"
    """Kingma & Ba 2015, with PyTorch's settings."""
    SGD = "sgd"
    """The gradient times the learning rate, nothing else."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One training: the same plan gives the same weights on the same machine.

    Parameters
    ----------
    task
        Name of a teaching task, or empty where a sequence is learned.
    parameters
        Of the task; those that are missing take the task's own defaults.
    sequence
        Path of a sequence file or a folder of them, or empty.
    goal, columns, missing, scaling, piece_length
        What is asked of the sequence and how it is read: column → role; pieces of so many steps, 0 for whole sequences.
    kind, companion
        Registered cells to train side by side; an empty companion for none.
    match
        What the companion has in common with the first network.
    hidden, layers
        Units and layers of the first network.
    forget_bias
        Bias of forget gates before the first update, None for PyTorch's own.
    seed
        Of weights, batches and held-out sequences, 0 … 2**63 − 1.
    updates
        Optimiser steps.
    batch
        Sequences in each update.
    optimiser, learning_rate, clip
        The gradient is scaled down to the norm ``clip`` where it is longer; 0 for never.
    truncate
        Gradients flow through at most so many steps of time, 0 for all of them.
    evaluate_every
        Updates between two evaluations.
    held_out
        Sequences in each evaluation.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    stop_when_solved
        Whether the training ends as soon as the first network has solved the task.

    Raises
    ------
    StudioError
        If a value is out of range, or there is no such task.
    """

    task: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sequence: str = ""
    goal: Goal = Goal.AUTO
    columns: Mapping[str, ColumnRole] = field(default_factory=dict)
    missing: Missing = Missing.REFUSE
    scaling: Scaling = Scaling.STANDARD
    piece_length: int = 0
    kind: str = "lstm"
    companion: str = "rnn"
    match: Equal = Equal.UNITS
    hidden: int = 16
    layers: int = 1
    forget_bias: float | None = 1.0
    seed: int = 0
    updates: int = 2000
    batch: int = 32
    optimiser: Optimiser = Optimiser.ADAM
    learning_rate: float = 0.005
    clip: float = 1.0
    truncate: int = 0
    evaluate_every: int = 50
    held_out: int = 256
    device: str = "auto"
    stop_when_solved: bool = False

    def __post_init__(self) -> None:
        if bool(self.task) == bool(self.sequence):
            raise StudioError("A plan is for a task or for a sequence.", "Give one of the two.")
        for name, smallest in _SMALLEST.items():
            if getattr(self, name) < smallest:
                raise StudioError(f"{_word(name)} is {getattr(self, name)}.", f"Give {smallest} or more.")
        if not self.seed < 1 << 63:
            raise StudioError(f"--seed is {self.seed}.", "Give a whole number from 0 to 2**63 − 1.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise StudioError(f"--learning-rate is {self.learning_rate}.", "Give a number above 0.")
        if not (math.isfinite(self.clip) and self.clip >= 0):
            raise StudioError(f"--clip is {self.clip}.", "Give a number above 0, or 0 for no clipping.")
        if self.forget_bias is not None and not math.isfinite(self.forget_bias):
            raise StudioError(f"--forget-bias is {self.forget_bias}.", f"Give a number, or {NONE}.")
        complete = self.new_task().parameters() if self.task else {}
        object.__setattr__(self, "parameters", MappingProxyType(complete))
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def new_task(self) -> Task:
        """Return the task with its parameters.

        Raises
        ------
        StudioError
            If there is no such task, or a parameter is unknown or out of range.
        """
        return new_task(self.task, **self.parameters)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The cells to train, the first network's first."""
        return (self.kind, self.companion) if self.companion else (self.kind,)

    @property
    def keys(self) -> tuple[str, ...]:
        """What the run calls the networks: their kinds, with ``-2`` after a second one of the same kind."""
        return keys_of(self.kinds)

    @property
    def words(self) -> str:
        """What is trained, and how, on one line."""
        said = [f"{name} {value}" for name, value in self.parameters.items()]
        bias = "" if self.forget_bias is None else f", forget bias {self.forget_bias:g}"
        said += [f"{self.hidden} units{bias}", f"{self.updates:,} updates of {self.batch} sequences"]
        return ", ".join((*said, f"{self.optimiser} {self.learning_rate:g}"))

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as values that JSON has."""
        plain = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in plain.items()}

    @classmethod
    def from_training(cls, training: Mapping[str, Any]) -> Plan:
        """Return the plan of a run.

        Parameters
        ----------
        training
            What its ``run.json`` says under ``"training"``.

        Raises
        ------
        RunError
            If that is no plan that this version understands.
        StudioError
            If a value is out of range.
        """
        said = training.get("recipe")
        if not isinstance(said, Mapping):
            raise RunError("The run does not say how it was trained.", "Name a run of lstm-studio train.")
        kinds: dict[str, Any] = {part.name: _kind(part) for part in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in said.items():
            kind = kinds.get(str(name))
            if kind is None:
                raise RunError(f"The run has a setting {name!r:.80} that is not known here.", "Update LSTM Studio.")
            values[name] = _as(kind, name, value)
        columns = values.get("columns", {})
        values["columns"] = {str(name): _as(ColumnRole, "columns", role) for name, role in columns.items()}
        return cls(**values)

    def arguments(self, folder: str | Path, *, resume: bool = False, seeds: int | None = None) -> list[str]:
        """Return the words for ``lstm-studio`` that train by this plan.

        Parameters
        ----------
        folder
            Of the run.
        resume
            Whether to go on with the run that is there.
        seeds
            How many seeds to train, each into a folder of its own below ``folder``; None for the plan's alone.
        """
        if resume:
            return ["train", "--run", str(folder), "--resume"]
        words = ["train", self.task or str(Path(self.sequence).absolute()), "--run", str(folder)]
        for name, value in self.parameters.items():
            words += ["--set", f"{name}={value}"]
        if self.sequence:
            for name, role in self.columns.items():
                words += ["--column", f"{name}={role}"]
            for name in ("goal", "missing", "scaling", "piece_length"):
                words += [_word(name), str(getattr(self, name))]
        for name in _OPTIONS:
            value = getattr(self, name)
            words += [_word(name), NONE if value in {"", None} else str(value)]
        words.append("--stop-when-solved" if self.stop_when_solved else "--no-stop-when-solved")
        return words if seeds is None else [*words, "--seeds", str(seeds)]


_SMALLEST = {
    "piece_length": 0,
    "hidden": 1,
    "layers": 1,
    "seed": 0,
    "updates": 1,
    "batch": 1,
    "truncate": 0,
    "evaluate_every": 1,
    "held_out": 1,
}
_OPTIONS = (
    "kind",
    "companion",
    "match",
    "hidden",
    "layers",
    "forget_bias",
    "seed",
    "updates",
    "batch",
    "optimiser",
    "learning_rate",
    "clip",
    "truncate",
    "evaluate_every",
    "held_out",
    "device",
)


def _word(name: str) -> str:
    """Return the option of the command line that a field is."""
    return "--steps" if name == "updates" else f"--{name.replace('_', '-')}"


def _kind(part: Field[Any]) -> Any:
    """Return the type of a field, by its default."""
    return Mapping if part.default is MISSING else type(part.default)


def _as(kind: Any, name: str, value: Any) -> Any:
    """Return a value of a file as what the field holds."""
    if value is None and name == "forget_bias":
        return None
    numbers = (int, float)
    fits = {bool: (bool,), int: (int,), float: numbers}.get(kind, (str,) if issubclass(kind, str) else (Mapping,))
    if not isinstance(value, fits) or (isinstance(value, bool) and kind is not bool):
        raise RunError(f"The run says {value!r:.80} of {name}.", "Name another run.")
    if not issubclass(kind, str | float):
        return value
    try:
        return kind(value)
    except (ValueError, OverflowError):
        raise RunError(f"The run says {value!r:.80} of {name}.", "Name another run, or update LSTM Studio.") from None


def keys_of(kinds: Sequence[str]) -> tuple[str, ...]:
    """Return what networks of these kinds are called: the kind, with ``-2``, ``-3``, … after further ones of it."""
    before = [list(kinds[:place]).count(kind) for place, kind in enumerate(kinds)]
    return tuple(f"{kind}-{count + 1}" if count else kind for kind, count in zip(kinds, before, strict=True))


def parsed_parameters(task: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return parameters of a task that were given as texts, as on the command line.

    Parameters
    ----------
    task
        Its name.
    texts
        Parameter → value.

    Raises
    ------
    StudioError
        If there is no such task or parameter, or a text is no value of it.
    """
    usual = new_task(task).parameters()
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in usual:
            raise StudioError(f"Task {task!r} has no parameter {name!r}.", f"It has {', '.join(usual) or 'none'}.")
        kind = type(usual[name])
        try:
            values[name] = kind(text)
        except ValueError:
            wanted = "a whole number" if kind is int else "a number"
            raise StudioError(
                f"--set {name}={text}: {text!r} is not {wanted}.", f"Its default is {usual[name]}."
            ) from None
    return values


def class_room(task: str) -> Plan:
    """Return the class-room size of a task: small enough to be trained before one's eyes, in under a minute.

    Parameters
    ----------
    task
        Its name.

    Raises
    ------
    StudioError
        If there is no such task.
    """
    if task not in tasks():
        raise StudioError(f"There is no task {task!r}.", f"Choose one of {', '.join(tasks())}.")
    return replace(Plan(task=task), **_CLASS_ROOM.get(task, {}))


_LONG = {"learning_rate": 0.01, "forget_bias": 3.0}
"""Of tasks with a long wait: the forget gates begin open, so that memory outlasts it before anything is learned."""
_QUICK = {"learning_rate": 0.01}

_CLASS_ROOM: Mapping[str, Mapping[str, Any]] = {
    "adding": {"parameters": {"length": 50}, "updates": 2000, "batch": 64, **_LONG},
    "adding-halves": {"parameters": {"length": 50}, "updates": 2000, "batch": 64, **_LONG},
    "copy-memory": {"parameters": {"wait": 5}, "hidden": 64, "updates": 2500, **_LONG},
    "counting": {"hidden": 8, "updates": 1000, **_QUICK},
    "dinner-menu": {"hidden": 8, "updates": 1000, **_QUICK},
    "latch": {"hidden": 8, "updates": 600, **_LONG},
    "long-lag": {"parameters": {"lag": 40}, "hidden": 8, "updates": 1500, **_LONG},
    "multiplication": {"parameters": {"length": 24}, "updates": 3000, "batch": 64, **_LONG},
    "parentheses": {"hidden": 12, "updates": 2000, **_QUICK},
    "parity": {"parameters": {"length": 4}, "hidden": 8, "updates": 2500, **_QUICK},
    "pen-strokes": {"hidden": 32, "updates": 800, **_QUICK},
    "reber": {"updates": 1200, **_QUICK},
    "temporal-order": {"parameters": {"length": 50, "spread": 0}, "updates": 2500, **_LONG},
    "temporal-order-three": {"parameters": {"length": 50, "spread": 0}, "updates": 3000, **_LONG},
    "tones": {"parameters": {"noise": 0.2}, "hidden": 24, "updates": 800, **_QUICK},
    "two-sequence": {"parameters": {"length": 50}, "hidden": 8, "updates": 1000, **_LONG},
    "waves": {"updates": 1000, **_QUICK},
}
