"""Trains networks side by side on one task: the same seed, the very same batches, the same number of updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_studio.errors import StudioError
from lstm_studio.networks.cells import cell_of_kind
from lstm_studio.networks.network import Network, new_network
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Task

_BATCHES, _HELD_OUT, _TEST = range(3)
"""Independent random streams of one seed."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that is kept equal between the networks.

    Parameters
    ----------
    kinds
        Registered cells to train side by side.
    hidden_size, layers
        H and the number of layers of each network, at least 1.
    seed
        Seed of the initial weights, of the batches and of the held-out sequences; 0 … 2**63 − 1.
    updates
        Number of optimiser steps.
    batch
        Sequences in each update.
    learning_rate
        Step size of Adam (Kingma & Ba 2015), whose other settings are PyTorch's.
    clip
        The gradient is scaled down to this Euclidean norm, over all weights together, where it is longer.
    forget_bias
        Initial bias of the forget gates where the cell has them, so that memory is kept before anything is learned
        (Gers, Schmidhuber & Cummins 2000; 1 is the value of Jozefowicz, Zaremba & Sutskever 2015). None leaves
        PyTorch's.
    evaluate_every
        Updates between two evaluations.
    held_out
        Sequences in each evaluation; always the same ones, never trained on deliberately.
    """

    kinds: tuple[str, ...] = ("lstm", "rnn")
    hidden_size: int = 16
    layers: int = 1
    seed: int = 0
    updates: int = 4000
    batch: int = 32
    learning_rate: float = 0.005
    clip: float = 1.0
    forget_bias: float | None = 1.0
    evaluate_every: int = 50
    held_out: int = 256


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good every network is after a number of updates.

    Parameters
    ----------
    update
        Updates done, 0 before the first.
    scores
        Kind → score on the held-out sequences.
    """

    update: int
    scores: Mapping[str, Score]


@dataclass(frozen=True, slots=True)
class FinalTest:
    """How good every network is at the end, on sequences used for nothing else.

    Parameters
    ----------
    chance
        Score of the chance line on the same sequences.
    scores
        Kind → score.
    """

    chance: Score
    scores: Mapping[str, Score]


class Trainer:
    """Networks in training. The same task and recipe give the same weights, bit for bit, on one machine.

    Parameters
    ----------
    task
        What to learn.
    recipe
        How.
    """

    def __init__(self, task: Task, recipe: Recipe) -> None:
        self.task = task
        self.recipe = recipe
        self.held_out = task.draw(recipe.held_out, self._stream(_HELD_OUT))
        self.networks: Mapping[str, Network] = MappingProxyType({kind: self._new(kind) for kind in recipe.kinds})

    def run(self) -> Iterator[Evaluation]:
        """Train, yielding an evaluation before the first update, every ``evaluate_every`` updates and after the last.

        Raises
        ------
        StudioError
            If a gradient is no longer finite; the networks are then left as they were before that update.
        """
        batches = self._stream(_BATCHES)
        optimisers = {
            kind: torch.optim.Adam(network.module.parameters(), lr=self.recipe.learning_rate)
            for kind, network in self.networks.items()
        }
        yield self._evaluate(0)
        for update in range(1, self.recipe.updates + 1):
            batch = self.task.draw(self.recipe.batch, batches)
            for kind, optimiser in optimisers.items():
                self._update(kind, optimiser, batch, update)
            if update % self.recipe.evaluate_every == 0 or update == self.recipe.updates:
                yield self._evaluate(update)

    def test(self, count: int = 2000) -> FinalTest:
        """Return how good the networks are on ``count`` sequences used for nothing else; papers ask for 2,000."""
        batch = self.task.draw(count, self._stream(_TEST))
        return FinalTest(self.task.chance(batch), self._scores(batch))

    def _stream(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.recipe.seed, purpose])

    def _new(self, kind: str) -> Network:
        recipe, task = self.recipe, self.task
        wanted = {"forget_bias": recipe.forget_bias}
        options: dict[str, Any] = {
            option.name: wanted[option.name] for option in cell_of_kind(kind).options if option.name in wanted
        }
        return new_network(
            kind,
            input_size=len(task.features),
            hidden_size=recipe.hidden_size,
            layers=recipe.layers,
            seed=recipe.seed,
            outputs=len(task.answers),
            readout=task.readout,
            **options,
        )

    def _update(self, kind: str, optimiser: torch.optim.Optimizer, batch: Batch, update: int) -> None:
        module = self.networks[kind].module
        optimiser.zero_grad()
        loss = self._loss(_outputs(self.networks[kind], batch), batch)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = nn.utils.clip_grad_norm_(module.parameters(), self.recipe.clip)
        if not torch.isfinite(norm):
            raise StudioError(
                f"{self.task.title}: the gradient of {kind!r} is {norm.item()} at update {update}.",
                f"Try a learning rate below {self.recipe.learning_rate}.",
            )
        optimiser.step()

    def _loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        scored = torch.from_numpy(batch.scored)
        given, wanted = outputs[scored], torch.from_numpy(batch.targets)[scored]
        if self.task.readout == "classes":
            return nn.functional.cross_entropy(given, wanted)
        return (given - wanted).square().sum(-1).mean()

    def _evaluate(self, update: int) -> Evaluation:
        return Evaluation(update, self._scores(self.held_out))

    def _scores(self, batch: Batch) -> Mapping[str, Score]:
        scores = {
            kind: self.task.score(answers(network, self.task, batch), batch) for kind, network in self.networks.items()
        }
        return MappingProxyType(scores)


def answers(network: Network, task: Task, batch: Batch) -> NDArray[np.float64]:
    """Return what a network answers at every step.

    Parameters
    ----------
    network
        With a read-out for this task.
    task, batch
        What is asked.

    Returns
    -------
    ndarray
        (T, B, K) float64: probabilities or values.
    """
    with torch.no_grad():
        outputs = _outputs(network, batch).double()
    return np.asarray((outputs.softmax(-1) if task.readout == "classes" else outputs).numpy())


def _outputs(network: Network, batch: Batch) -> Tensor:
    """Return the read-out at every step, (T, B, K); what stands in the padding is never scored."""
    outputs: Tensor = network.module(torch.from_numpy(batch.inputs))
    return outputs
