"""What a monkey opens: sequences, networks, sessions and trainings, good and bad."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from lstm_studio.errors import RunError
from lstm_studio.runs.recorder import watch
from lstm_studio.session.trainings import Child
from lstm_studio.training import child as children
from lstm_studio.training.control import Wish, wish
from lstm_studio.training.plan import Plan
from tests.session.fake_training import FakeChild, FakeTraining, score, small_plan, write_training

NOWHERE = "http://127.0.0.1:9/runs/none"
"""Nobody answers there, and says so at once."""
_EVALUATIONS = 12
"""A training that grows before the monkey's eyes ends after so many."""
_MOST_GROWN = 4
"""Of the trainings that have grown so many stay; the oldest is deleted while somebody may look at it."""


def write_sequences(folder: Path) -> tuple[list[str], list[str]]:
    """Write files that open and files that cannot, and return their paths."""
    rng = np.random.default_rng(0)
    good = folder / "good.csv"
    good.write_text("a,b\n" + "\n".join(f"{x:.3f},{y:.3f}" for x, y in rng.normal(size=(40, 2))), "utf-8")
    text = folder / "text.txt"
    text.write_text("the cat sat on the mat and sat and sat", "utf-8")
    array = folder / "array.npy"
    np.save(array, rng.normal(size=(60, 3)).astype(np.float32))
    ragged = folder / "ragged.csv"
    ragged.write_text("a,b\n1,2\n3\n4,5,6\n", "utf-8")
    words = folder / "words.csv"
    words.write_text("a,b\n1,2\n3,x\n4,5\n", "utf-8")
    empty = folder / "empty.csv"
    empty.write_bytes(b"")
    garbage = folder / "garbage.npz"
    garbage.write_bytes(rng.bytes(300))
    network = folder / "broken.safetensors"
    network.write_bytes(b'\x08\0\0\0\0\0\0\0{"weight"')
    session = folder / "broken.lstmstudio"
    session.write_bytes(rng.bytes(500))
    return (
        [str(path) for path in (good, text, array)],
        [str(path) for path in (ragged, words, empty, garbage, network, session, folder / "missing.csv")],
    )


def write_runs(folder: Path) -> tuple[list[str], list[str]]:
    """Write trainings that can be followed and some that cannot, and return their addresses."""
    rng = np.random.default_rng(0)
    trained = folder / "trained"
    write_training(trained)
    recorded = folder / "recorded"
    _record(recorded)
    logged = folder / "logged" / "metrics.csv"
    logged.parent.mkdir()
    logged.write_text("step,loss\n" + "\n".join(f"{step},{1 / (1 + step)}" for step in range(50)), "utf-8")
    broken = folder / "broken"
    shutil.copytree(trained, broken)
    for segment in broken.rglob("*.mcap"):
        segment.write_bytes(rng.bytes(400))
    garbled = folder / "garbled"
    garbled.mkdir()
    (garbled / "run.json").write_text('{"format": ', "utf-8")
    events = folder / "events.out.tfevents.1700000000.host.1.0"
    events.write_bytes(rng.bytes(400))
    words = folder / "words" / "metrics.csv"
    words.parent.mkdir()
    words.write_text("step,loss\n0,\n1,high\n", "utf-8")
    return (
        [str(path) for path in (trained, recorded, logged, folder)],
        [str(path) for path in (broken, garbled, events, words)],
    )


def _record(folder: Path) -> None:
    """Record a training as any script does."""
    import torch

    torch.manual_seed(0)
    model = torch.nn.LSTM(3, 6)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, folder, every=10) as run:
        for _ in range(40):
            loss = model(torch.randn(9, 4, 3))[0].pow(2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            run.step(loss=loss)


class Growing:
    """Writes one training after the other, a little more of it each time that it is asked to.

    Parameters
    ----------
    folder
        In which the runs lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Path] = []
        self._count = 0
        self._now: FakeTraining | None = None
        self._done = 0

    @property
    def address(self) -> str:
        """Of the newest training."""
        return str(self._made[-1]) if self._made else str(self._folder / "growing-1")

    def grow(self) -> None:
        """Begin a training, write another evaluation of it, or end it."""
        if self._now is None:
            self._count += 1
            self._made.append(self._folder / f"growing-{self._count}")
            self._now, self._done = FakeTraining(self._made[-1], small_plan(seed=self._count)), 0
            for old in self._made[:-_MOST_GROWN]:
                shutil.rmtree(old)
            del self._made[:-_MOST_GROWN]
        elif self._done < _EVALUATIONS:
            _evaluate(self._now, self._done)
            self._done += 1
        else:
            self.end()

    def end(self) -> None:
        """End what is being written."""
        if self._now is not None:
            self._now.close()
            self._now = None


def _evaluate(training: FakeTraining, place: int) -> None:
    first = score(1.4 / (1 + place), min(1.0, 0.25 + place / 8), forget_gate=0.75)
    training.evaluate(10 * place, dict(zip(training.plan.keys, (first, score(1.39)), strict=False)))


class Nursery:
    """Starts what the monkey wants to train: one training at a time, a tiny one, and sometimes none.

    Parameters
    ----------
    chance
        Decides what is refused.
    real
        Whether processes are started; else what they would write is written at :meth:`grow`.
    """

    def __init__(self, chance: random.Random, *, real: bool) -> None:
        self._random, self._real = chance, real
        self._child: Child | None = None
        self._fake: tuple[FakeChild, FakeTraining, int] | None = None
        self.begun = 0

    def start(self, plan: Plan, folder: Path, resume: bool = False, *, seeds: int | None = None) -> Child:
        """Start a training, in the place of :func:`lstm_studio.training.child.start`."""
        busy = self._child is not None and self._child.running
        if busy or self._random.random() < 0.2 or (not self._real and (resume or seeds is not None)):
            raise RunError(f"{folder} cannot be written.", "Choose another folder.")
        self.begun += 1
        small = replace(plan, hidden=4, updates=30, batch=4, evaluate_every=10, held_out=8, device="cpu")
        if self._real:
            self._child = children.start(small, folder, resume, seeds=seeds)
        else:
            child = FakeChild(folder)
            self._child, self._fake = child, (child, FakeTraining(folder, small), 0)
        return self._child

    def grow(self) -> None:
        """Let a training that is written here go on, as it is asked to."""
        if self._fake is None:
            return
        child, training, done = self._fake
        wanted = wish(child.folder)
        if wanted is Wish.STOP or done == _EVALUATIONS:
            self.end()
        elif wanted is Wish.RUN:
            _evaluate(training, done)
            self._fake = child, training, done + 1

    def end(self) -> None:
        """End what runs."""
        if self._fake is not None:
            child, training, _ = self._fake
            training.close()
            child.running = False
            self._fake = None
        elif isinstance(self._child, children.Child):
            self._child.kill()
            self._child.wait()
        self._child = None
