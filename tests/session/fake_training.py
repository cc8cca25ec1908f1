"""A run as ``lstm-studio train`` writes it, without training anything: every number in it is known."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lstm_studio.errors import RunError
from lstm_studio.runs.format import Line
from lstm_studio.runs.writer import Writer, json_bytes
from lstm_studio.training.plan import Plan
from lstm_studio.training.sizes import sizes_of

LAGS = 6
CHANCE = {"sequences": 8, "loss": 1.3862943611198906, "accuracy": 0.25, "within": 0.0, "squared_error": 0.75}


def small_plan(**changes: Any) -> Plan:
    """A plan that nobody carries out."""
    settings = {"parameters": {"length": 20, "spread": 0}, "hidden": 4, "updates": 100, "evaluate_every": 10}
    return Plan(**{"task": "temporal-order", "held_out": 8, **settings, **changes})


def norms_at(place: int, step: int) -> list[float]:
    """The gradient by lag of a network: smaller with every step back, and for the second network much smaller."""
    return [10.0 ** -((1 + place * 2) * lag + step / 100) for lag in range(LAGS)]


@dataclass
class FakeChild:
    folder: Path
    running: bool = True
    failure: str = ""


@dataclass
class FakeStart:
    """Starts nothing, and remembers what it was asked for."""

    children: list[FakeChild] = field(default_factory=list)
    asked: list[tuple[Plan, bool, int | None]] = field(default_factory=list)
    refuse: str = ""

    def __call__(self, plan: Plan, folder: Path, resume: bool = False, *, seeds: int | None = None) -> FakeChild:
        if self.refuse:
            raise RunError(self.refuse)
        folder.mkdir(parents=True, exist_ok=True)
        self.asked.append((plan, resume, seeds))
        self.children.append(FakeChild(folder))
        return self.children[-1]


@dataclass
class FakeTraining:
    """Writes a run step by step.

    Parameters
    ----------
    folder
        Of the run; made.
    plan
        What it says it follows.
    """

    folder: Path
    plan: Plan

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        task = self.plan.new_task()
        training = {
            "task": {
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
            },
            "chance": CHANCE,
            "recipe": self.plan.as_dict(),
            "networks": [
                {
                    "key": size.key,
                    "kind": size.kind,
                    "title": size.title,
                    "hidden_size": size.hidden_size,
                    "layers": size.layers,
                    "weights": size.weights,
                }
                for size in sizes_of(self.plan)
            ],
            "seed": self.plan.seed,
            "held_out": self.plan.held_out,
        }
        (self.folder / "run.json").write_text(json.dumps({"format": 1, "layers": [], "training": training}))
        self._writer = Writer(self.folder / "rank00000")

    def say(self, line: Line, said: Mapping[str, Any]) -> None:
        """Write one record, and wait until the file has it."""
        self._writer.put(line, json_bytes(said))
        self._wait()

    def _wait(self) -> None:
        for _ in range(2000):
            before = self._writer.written
            time.sleep(0.001)
            if not self._writer._waiting and self._writer.written == before:
                return

    def update(self, step: int, **losses: float) -> None:
        """Say the losses of a batch."""
        row = {f"{key}.train_loss": loss for key, loss in losses.items()}
        self.say(Line("scalars", "scalars"), {"rows": [[step, 0.0, row]]})

    def evaluate(self, step: int, scores: Mapping[str, Mapping[str, float]], *, keep: bool = True) -> None:
        """Say how good the networks are, and keep their weights."""
        row = {f"{key}.{name}": value for key, score in scores.items() for name, value in score.items()}
        row |= {f"{key}.train_loss": score.get("loss", 1.0) for key, score in scores.items()}
        for place, key in enumerate(scores):
            lags = {f"{key}.0": {"hidden_state": norms_at(place, step)}}
            said = {"step": step, "item": 0, "values": {}, "lags": lags}
            self.say(Line(f"layer/{key}", "statistics"), said)
        self.say(Line("scalars", "scalars"), {"rows": [[step, 0.0, row]]})
        if keep:
            folder = self.folder / "snapshots" / f"{step:08d}"
            folder.mkdir(parents=True)
            for key in scores:
                (folder / f"{key}.safetensors").write_bytes(b"")

    def event(self, kind: str, **about: Any) -> None:
        """Say that something has happened."""
        self._writer.event(kind, **about)
        self._wait()

    def tested(self, update: int, solved: Mapping[str, bool], within: Mapping[str, float]) -> None:
        """Say how the test at the end went."""
        scores = {key: {**CHANCE, "sequences": 2000, "within": share} for key, share in within.items()}
        self.event("tested", update=update, scores=scores, chance=CHANCE, solved=dict(solved))

    def close(self) -> None:
        """End the run in order."""
        self._writer.close()


def score(loss: float, accuracy: float = 0.25, within: float = 0.0, **more: float) -> dict[str, float]:
    """Scores of one network."""
    return {"loss": loss, "accuracy": accuracy, "within": within, **more}


def write_training(folder: Path, plan: Plan | None = None, *, steps: int = 51, close: bool = True) -> FakeTraining:
    """Write a run in which the first network learns, from step 30 on, and the second does not."""
    made = FakeTraining(folder, plan or small_plan())
    for step in range(0, steps, 10):
        solved = step >= 30
        first = score(1.4 / (1 + step), 1.0 if solved else 0.5, 1.0 if solved else 0.25, forget_gate=0.75)
        made.evaluate(step, dict(zip(made.plan.keys, (first, score(1.39)), strict=False)))
        if step == 30:
            made.event("solved", network=made.plan.keys[0], step=30)
    if close:
        keys = made.plan.keys
        made.tested(
            steps - 1,
            dict(zip(keys, (True, False), strict=False)),
            dict(zip(keys, (1.0, 0.0), strict=False)),
        )
        made.close()
    return made


def shown_gradients(place: int, steps: list[int]) -> np.ndarray[Any, Any]:
    """(N, LAGS) what the heat map of a network is drawn from."""
    return np.array([norms_at(place, step) for step in steps])
