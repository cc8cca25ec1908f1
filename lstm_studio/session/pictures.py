"""What the views of trainings draw: one training as it was at one moment, in plain values and arrays."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstm_studio.errors import StudioError
from lstm_studio.runs.like import Curve, RunLike, Status


@dataclass(frozen=True, eq=False, slots=True)
class RunPicture:
    """One training at one moment; nothing in it changes later.

    Parameters
    ----------
    address
        Where it lies; a path, or an address of another computer.
    title
        What to call it.
    status
        What has become of it.
    heard_at
        When it was last heard of, by ``time.monotonic`` of this process.
    info
        What it says of itself.
    layers
        Attribute paths of its recurrent modules.
    scalars, statistics, parameters, lags
        As in :class:`~lstm_studio.runs.like.RunLike`.
    times
        (steps, seconds since 1970) at which the scalars were told; empty where that is not known. They never go back:
        where a clock was set back, or some steps were done anew, time stands still for one step.
    lag_spacing
        Signal → time steps between two columns of its norms.
    steps
        Training steps of which there is a trace.
    snapshots
        Training steps of which there are all weights.
    events
        What happened to it, in order.
    problems
        What could not be read, in words.
    lacks
        What it does not hold and why, in sentences.
    """

    address: str
    title: str
    status: Status
    heard_at: float
    info: Mapping[str, Any]
    layers: tuple[str, ...]
    times: Curve
    scalars: Mapping[str, Curve]
    statistics: Mapping[str, Curve]
    parameters: Mapping[str, Curve]
    lags: Mapping[str, Curve]
    lag_spacing: Mapping[str, int]
    steps: tuple[int, ...]
    snapshots: tuple[int, ...]
    events: tuple[Mapping[str, Any], ...]
    problems: tuple[str, ...]
    lacks: tuple[str, ...]

    @property
    def silent(self) -> float:
        """For how many seconds nothing has been heard of it."""
        return max(0.0, time.monotonic() - self.heard_at)

    @property
    def training(self) -> Mapping[str, Any]:
        """What ``lstm-studio train`` says of the training; empty for those of others."""
        about = self.info.get("training")
        return about if isinstance(about, dict) else {}

    @property
    def last_step(self) -> int:
        """The last training step of which anything is known; −1 before the first."""
        curves = (*self.scalars.values(), *self.statistics.values(), *self.lags.values())
        return max((int(steps[-1]) for steps, _ in curves if steps.size), default=-1)


@dataclass(frozen=True, eq=False, slots=True)
class Followed:
    """One address on the list.

    Parameters
    ----------
    address
        As it was added.
    picture
        The training there; None before it has been read, or where it cannot be.
    error
        Why it cannot be read; it is tried again.
    """

    address: str
    picture: RunPicture | None = None
    error: StudioError | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """What can be asked cheaply to know whether a training has changed since its last picture."""

    status: Status
    counts: tuple[int, ...]
    lengths: tuple[int, ...] = field(repr=False)


def mark_of(run: RunLike) -> Mark:
    """Return what changes when a training does."""
    curves = (run.scalars, run.statistics, run.parameters, run.lags)
    lengths = tuple(steps.size for group in curves for steps, _ in group.values())
    return Mark(run.status, (len(run.steps), len(run.snapshots), len(run.events), len(run.problems)), lengths)


def picture_of(run: RunLike) -> RunPicture:
    """Return how a training is now; read nothing but what has been read."""
    return RunPicture(
        run.address,
        run.title,
        run.status,
        time.monotonic() - run.heard,
        run.info,
        tuple(run.layers),
        _forwards(run.times),
        run.scalars,
        run.statistics,
        run.parameters,
        run.lags,
        run.lag_spacing,
        tuple(run.steps),
        tuple(run.snapshots),
        tuple(run.events),
        tuple(str(problem) for problem in run.problems),
        run.lacks,
    )


def _forwards(times: Curve) -> Curve:
    steps, walls = times
    if (walls[1:] >= walls[:-1]).all():
        return times
    return steps, walls[0] + np.concatenate(([0.0], np.maximum(np.diff(walls), 0.0).cumsum()))
