"""What a training shows while it learns: its networks with their curves, and what they are measured against.

Made of a picture of the run by picking, so that it costs the same however long the run is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_studio.networks.cells import cells
from lstm_studio.networks.naming import short_names
from lstm_studio.networks.signals import Role
from lstm_studio.runs.format import SNAPSHOTS, WEIGHTS_SUFFIX
from lstm_studio.runs.like import Curve, Status
from lstm_studio.session.pictures import RunPicture

_CURVES = ("loss", "accuracy", "within", "forget_gate", "train_loss")
_CELL_STATE = "cell_state"
_EMPTY: Curve = (np.empty(0, np.int64), np.empty(0, np.float64))
_EMPTY_ROWS: Curve = (np.empty(0, np.int64), np.empty((0, 0), np.float64))


@dataclass(frozen=True, eq=False, slots=True)
class Learner:
    """One network of a training.

    Parameters
    ----------
    key, kind, title, name
        What the run calls it, its registered kind, that kind's proper name, and a short one.
    letter, role
        Its badge.
    place
        0 for the network under the microscope.
    units, layers, weights
        Its size; 0 where the run does not say.
    loss, accuracy, within, forget_gate
        (steps, values) on the held-out sequences; empty where there are none.
    train_loss
        The same on the batches, at every update.
    lags
        (steps (N,), norms (N, L)): the gradient with respect to the top layer's hidden state, by steps back in time.
    spacing
        Time steps between two columns of that.
    solved_at
        The update at which all held-out sequences were first answered as the task asks; None if that has not been.
    passed
        Whether it has passed the task's own test at the end; None before.
    tested
        Its score in that test; empty before.
    """

    key: str
    kind: str
    title: str
    name: str
    letter: str
    role: Role
    place: int
    units: int
    layers: int
    weights: int
    loss: Curve
    accuracy: Curve
    within: Curve
    forget_gate: Curve
    train_loss: Curve
    lags: Curve
    spacing: int
    solved_at: int | None
    passed: bool | None
    tested: Mapping[str, Any]


@dataclass(frozen=True, eq=False, slots=True)
class Learning:
    """A training at one moment.

    Parameters
    ----------
    picture
        What it was made of.
    title
        Of the task.
    learners
        Its networks.
    planned
        Updates that it is to have.
    done
        Updates of which anything is known.
    chance
        Score of the chance line on the held-out sequences.
    classes
        Whether classes are asked for; else values.
    paused
        Whether it waits for the user.
    stopped
        Whether it has ended in order before its last update.
    """

    picture: RunPicture
    title: str
    learners: tuple[Learner, ...]
    planned: int
    done: int
    chance: Mapping[str, Any]
    classes: bool
    paused: bool
    stopped: bool

    @property
    def address(self) -> str:
        """Where the run lies."""
        return self.picture.address

    @property
    def status(self) -> Status:
        """What has become of it."""
        return self.picture.status

    @property
    def running(self) -> bool:
        """Whether it is under way, paused or not."""
        return self.picture.status is Status.RUNNING

    @property
    def snapshots(self) -> tuple[int, ...]:
        """The updates of which all weights were kept."""
        return self.picture.snapshots

    def weights_file(self, update: int, key: str) -> str:
        """Return the path of the weights that one network had after one of :attr:`snapshots`."""
        return str(Path(self.address) / SNAPSHOTS / f"{update:08d}" / f"{key}{WEIGHTS_SUFFIX}")

    @property
    def task(self) -> Mapping[str, Any]:
        """What the run says of its task, or of its sequence."""
        return _mapping(self.picture.training.get("task"))

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The plan that it follows."""
        return _mapping(self.picture.training.get("recipe"))

    @property
    def shape(self) -> tuple[int, int] | None:
        """How many numbers enter the networks at each step, and how many are asked for; None where that is not said."""
        layers, answers = self.picture.info.get("layers"), self.task.get("answers")
        first = layers[0] if isinstance(layers, list) and layers else None
        features = _count(_mapping(first).get("input_size"))
        return (features, len(answers)) if features and isinstance(answers, list) and answers else None

    @property
    def held_out(self) -> int:
        """How many sequences each evaluation has; 0 where the run does not say."""
        return _count(self.picture.training.get("held_out"))

    @property
    def tested(self) -> bool:
        """Whether the task's own test has been made."""
        return any(learner.passed is not None for learner in self.learners)


def learning_of(picture: RunPicture) -> Learning | None:
    """Return what a training shows; None where the run is not of ``lstm-studio train``."""
    training = picture.training
    found = training.get("networks")
    networks = [one for one in found if isinstance(one, dict) and one.get("key")] if isinstance(found, list) else []
    if not networks:
        return None
    titles = [str(one.get("title") or one.get("kind") or one["key"]) for one in networks]
    names = short_names(titles)
    solved: dict[str, int] = {}
    tested: Mapping[str, Any] = {}
    paused = False
    for event in picture.events:
        match event.get("event"):
            case "solved":
                solved.setdefault(str(event.get("network")), _count(event.get("step")))
            case "tested":
                tested = event
            case "paused":
                paused = True
            case "resumed" | "start":
                paused = False
    badges = badges_of([str(one.get("kind")) for one in networks])
    learners: list[Learner] = []
    for place, (about, title, name) in enumerate(zip(networks, titles, names, strict=True)):
        key = str(about["key"])
        lags, passed = _lags_of(picture, key), _mapping(tested.get("solved"))
        learners.append(
            Learner(
                key=key,
                kind=str(about.get("kind")),
                title=title,
                name=name,
                letter=badges[place][0],
                role=badges[place][1],
                place=place,
                units=_count(about.get("hidden_size")),
                layers=_count(about.get("layers")),
                weights=_count(about.get("weights")),
                solved_at=solved.get(key),
                passed=bool(passed[key]) if key in passed else None,
                tested=_mapping(_mapping(tested.get("scores")).get(key)),
                lags=picture.lags.get(lags, _EMPTY_ROWS),
                spacing=picture.lag_spacing.get(lags, 1),
                **{name: picture.scalars.get(f"{key}.{name}", _EMPTY) for name in _CURVES},
            )
        )
    task, recipe = _mapping(training.get("task")), _mapping(training.get("recipe"))
    chance = _mapping(training.get("chance"))
    planned = _count(recipe.get("updates"))
    ends = [curve[0][-1] for one in learners for curve in (one.train_loss, one.loss) if curve[0].size]
    done = int(max(ends, default=0))
    return Learning(
        picture,
        title=str(task.get("title") or task.get("name") or picture.title),
        learners=tuple(learners),
        planned=max(planned, done, 1),
        done=done,
        chance=chance,
        classes=chance.get("accuracy") is not None or any(one.accuracy[0].size for one in learners),
        paused=paused and picture.status is Status.RUNNING,
        stopped=picture.status is Status.FINISHED and done < planned,
    )


def badges_of(kinds: Sequence[str]) -> tuple[tuple[str, Role], ...]:
    """Return letter and role of each network; where two would have the same role, the second is in neutral ink."""
    found: list[tuple[str, Role]] = []
    for kind in kinds:
        cell = cells().get(kind)
        memory = cell is not None and _CELL_STATE in cell.states
        letter, role = ("L", Role.LONG_TERM) if memory else ("R", Role.RECURRENT)
        found.append((letter, Role.GRADIENT if any(role is taken for _, taken in found) else role))
    return tuple(found)


def _lags_of(picture: RunPicture, key: str) -> str:
    """Return the name of a network's gradients by lag, of its top layer on the held-out sequences; empty for none."""
    begin, end = f"{key}.", ".hidden_state"
    layers = (name[len(begin) : -len(end)] for name in picture.lags if name.startswith(begin) and name.endswith(end))
    # Beside these lie those of the batches, under the path of the layer in the model.
    top = max((int(layer) for layer in layers if layer.isdecimal()), default=-1)
    return f"{begin}{top}{end}" if top >= 0 else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
