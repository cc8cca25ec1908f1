"""Trains networks side by side on one task: the same seed, the very same batches, the same number of updates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_studio.engine import devices
from lstm_studio.errors import StudioError
from lstm_studio.networks.network import Network, new_network
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch
from lstm_studio.training.assignment import Assignment
from lstm_studio.training.plan import Equal, Optimiser, Plan, keys_of
from lstm_studio.training.share import ALONE, Share
from lstm_studio.training.sizes import NetworkSize, network_sizes

_BATCHES, _HELD_OUT, _TEST, _CONFIRM = range(4)
"""Independent random streams of one seed."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that is kept equal between the networks.

    Parameters
    ----------
    kinds
        Registered cells to train side by side.
    hidden_size, layers
        H and the number of layers of the first network, at least 1.
    seed
        Seed of the initial weights, of the batches and of the held-out sequences; 0 … 2**63 − 1.
    updates
        Number of optimiser steps.
    batch
        Sequences in each update.
    learning_rate
        Step size of the optimiser.
    clip
        The gradient is scaled down to this Euclidean norm, over all weights together, where it is longer; 0 for never.
    forget_bias
        Initial bias of the forget gates where the cell has them, so that memory is kept before anything is learned
        (Gers, Schmidhuber & Cummins 2000; 1 is the value of Jozefowicz, Zaremba & Sutskever 2015). None leaves
        PyTorch's.
    evaluate_every
        Updates between two evaluations.
    held_out
        Sequences in each evaluation; always the same ones, never trained on deliberately.
    match
        Whether the others have as many units as the first network, or as nearly as many weights as can be.
    optimiser
        Adam (Kingma & Ba 2015), whose other settings are PyTorch's, or plain gradient descent.
    truncate
        Gradients flow through pieces of so many steps, counted from the start of the sequence, and no further; 0 for
        the whole sequence. What the state carries from piece to piece is kept (Williams & Zipser 1995).
    device
        As in ``ls.trace``.
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
    match: Equal = Equal.UNITS
    optimiser: Optimiser = Optimiser.ADAM
    truncate: int = 0
    device: str = "cpu"

    @property
    def keys(self) -> tuple[str, ...]:
        """What the networks are called: their kinds, with ``-2`` after a second one of the same kind."""
        return keys_of(self.kinds)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good every network is after a number of updates.

    Parameters
    ----------
    update
        Updates done, 0 before the first.
    scores
        Key of a network → score on the held-out sequences.
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
        Key of a network → score.
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
    share
        Of each batch, where several processes train together.

    Raises
    ------
    StudioError
        If a network cannot be built, or there is no such device.
    """

    def __init__(self, task: Assignment, recipe: Recipe, share: Share = ALONE) -> None:
        self.task = task
        self.recipe = recipe
        self.device = share.device or devices.choose(recipe.device)
        self.done = 0
        """Updates that the weights have had."""
        self.held_out = task.held_out(recipe.held_out, self._stream(_HELD_OUT))
        self.sizes = network_sizes(
            recipe.kinds,
            len(task.features),
            len(task.answers),
            hidden=recipe.hidden_size,
            layers=recipe.layers,
            match=recipe.match,
        )
        networks = {size.key: self._new(size) for size in self.sizes}
        self.networks: Mapping[str, Network] = MappingProxyType(networks)
        self._share = share
        self._batches = self._stream(_BATCHES)
        self._before: Any = None
        """The batches as they stood before the one that is measured and not learned from yet."""
        self._optimisers = {
            key: _optimiser(recipe, [*network.module.parameters()]) for key, network in self.networks.items()
        }

    def run(self) -> Iterator[Evaluation]:
        """Train, yielding an evaluation before the first update, every ``evaluate_every`` updates and after the last.

        Raises
        ------
        StudioError
            If a gradient is no longer finite; the networks are then left as they were before that update.
        """
        yield self.evaluate()
        while self.done < self.recipe.updates:
            self.measure()
            self.update()
            if self.done % self.recipe.evaluate_every == 0 or self.done == self.recipe.updates:
                yield self.evaluate()

    def measure(self) -> Mapping[str, float]:
        """Draw the next batch and take each network's gradient of its loss; the weights stay as they are.

        Returns
        -------
        Mapping
            Key of a network → its loss on the batch.
        """
        self._before = self._batches.bit_generator.state
        batch = self.task.draw(self.recipe.batch, self._batches)
        asked = int(batch.scored.sum())
        part = self._share.of(batch)
        losses = {}
        for key, network in self.networks.items():
            self._optimisers[key].zero_grad()
            if len(part.lengths):
                losses[key] = self._loss(self._outputs(network, part), part, asked)
            else:
                # Fewer sequences than processes: this one has nothing to add, and adds it.
                losses[key] = 0.0 * torch.stack([weight.sum() for weight in network.module.parameters()]).sum()
        # In one pass backwards, all that happened in this step is there to be recorded when it ends; the gradients are
        # those of each loss alone.
        torch.autograd.backward(torch.stack([*losses.values()]).sum())
        found = [loss.detach() for loss in losses.values()]
        weights = [weight for network in self.networks.values() for weight in network.module.parameters()]
        self._share.add_up([*(weight.grad for weight in weights if weight.grad is not None), *found])
        return dict(zip(losses, torch.stack(found).tolist(), strict=True))

    def update(self) -> None:
        """Change the weights by the gradients that were measured last.

        Raises
        ------
        StudioError
            If a gradient is not finite; the networks are then left as they are.
        """
        most = self.recipe.clip or math.inf
        for key, network in self.networks.items():
            norm = nn.utils.clip_grad_norm_(network.module.parameters(), most)
            if not torch.isfinite(norm):
                raise StudioError(
                    f"{self.task.title}: the gradient of {key!r} is {norm.item()} at update {self.done + 1}.",
                    f"Try a learning rate below {self.recipe.learning_rate}.",
                )
        for optimiser in self._optimisers.values():
            optimiser.step()
        self._before = None
        self.done += 1

    def evaluate(self) -> Evaluation:
        """Return how good the networks are on the held-out sequences now."""
        return Evaluation(self.done, self._scores(self.held_out))

    def test(self, count: int | None = None) -> FinalTest:
        """Return how good the networks are on new sequences, as many as the task's criterion asks for."""
        batch = self.task.held_out(count or self.task.test_size, self._stream(_TEST))
        return FinalTest(self.task.chance(batch), self._scores(batch))

    def looks_solved(self, score: Score, chance: Score) -> bool:
        """Return whether a score on fewer sequences than the criterion asks for would be enough on all of them."""
        return self.task.solved(replace(score, sequences=max(score.sequences, self.task.test_size)), chance)

    def confirms(self, key: str) -> bool:
        """Return whether a network solves as many new sequences as the criterion asks for; others at each update."""
        batch = self.task.held_out(self.task.test_size, self._stream(_CONFIRM, self.done))
        score = self.task.score(answers(self.networks[key], self.task, batch), batch)
        return self.task.solved(score, self.task.chance(batch))

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return all that decides how the training goes on: tensors by name, and plain values for JSON."""
        tensors = {}
        for key, network in self.networks.items():
            for name, weight in network.module.state_dict().items():
                tensors[f"{key}/weights/{name}"] = weight.detach().cpu().contiguous()
            for index, kept in self._optimisers[key].state_dict()["state"].items():
                for name, value in kept.items():
                    tensors[f"{key}/optimiser/{index}/{name}"] = value.detach().cpu().contiguous()
        return tensors, {"done": self.done, "batches": self._before or self._batches.bit_generator.state}

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Go back to where :meth:`state` was taken.

        Raises
        ------
        KeyError, ValueError, TypeError, RuntimeError
            If that was of other networks, or is damaged.
        """
        for key, network in self.networks.items():
            begin = f"{key}/weights/"
            weights = {name.removeprefix(begin): value for name, value in tensors.items() if name.startswith(begin)}
            network.module.load_state_dict(weights)
            kept: dict[int, dict[str, Tensor]] = {}
            begin = f"{key}/optimiser/"
            for name, value in tensors.items():
                if name.startswith(begin):
                    index, _, what = name.removeprefix(begin).partition("/")
                    kept.setdefault(int(index), {})[what] = value
            optimiser = self._optimisers[key]
            optimiser.load_state_dict({**optimiser.state_dict(), "state": kept})
        self._batches.bit_generator.state, self._before = values["batches"], None
        self.done = int(values["done"])

    def _stream(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.recipe.seed, *purpose])

    def _new(self, size: NetworkSize) -> Network:
        options: dict[str, Any] = {"forget_bias": self.recipe.forget_bias} if size.forget_gate else {}
        network = new_network(
            size.kind,
            input_size=len(self.task.features),
            hidden_size=size.hidden_size,
            layers=self.recipe.layers,
            seed=self.recipe.seed,
            outputs=len(self.task.answers),
            readout=self.task.readout,
            **options,
        )
        # cuDNN goes back in training mode only; without dropout it computes the same.
        network.module.to(self.device).train()
        return network

    def _outputs(self, network: Network, batch: Batch) -> Tensor:
        """Return the read-out at every step, (T, B, K); gradients stop at the borders of the pieces."""
        if not self.recipe.truncate:
            return _outputs(network, batch)
        x = torch.from_numpy(batch.inputs).to(self.device)
        recurrent, readout = network.recurrent, network.module.get_submodule(network.readout_path)
        states, outputs = None, []
        for piece in torch.split(x, self.recipe.truncate):
            hidden, states = recurrent(piece, states)
            outputs.append(readout(hidden))
            states = states.detach() if isinstance(states, Tensor) else tuple(state.detach() for state in states)
        return torch.cat(outputs)

    def _loss(self, outputs: Tensor, batch: Batch, asked: int) -> Tensor:
        """Return the loss: the mean over the ``asked`` steps of the whole batch, of which this may be a part."""
        scored = torch.from_numpy(batch.scored).to(outputs.device)
        given, wanted = outputs[scored], torch.from_numpy(batch.targets).to(outputs.device)[scored]
        part = len(given) / asked
        if self.task.readout == "classes":
            loss = nn.functional.cross_entropy(given, wanted, reduction="mean" if part == 1.0 else "sum")
        else:
            errors = (given - wanted).square().sum(-1)
            loss = errors.mean() if part == 1.0 else errors.sum()
        return loss if part == 1.0 else loss / asked

    def _scores(self, batch: Batch) -> Mapping[str, Score]:
        scores = {
            key: self.task.score(answers(network, self.task, batch), batch) for key, network in self.networks.items()
        }
        return MappingProxyType(scores)


def recipe_of(plan: Plan) -> Recipe:
    """Return the part of a plan that says how to train, whatever it is."""
    return Recipe(
        kinds=plan.kinds,
        hidden_size=plan.hidden,
        layers=plan.layers,
        seed=plan.seed,
        updates=plan.updates,
        batch=plan.batch,
        learning_rate=plan.learning_rate,
        clip=plan.clip,
        forget_bias=plan.forget_bias,
        evaluate_every=plan.evaluate_every,
        held_out=plan.held_out,
        match=plan.match,
        optimiser=plan.optimiser,
        truncate=plan.truncate,
        device=plan.device,
    )


def _optimiser(recipe: Recipe, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
    if recipe.optimiser is Optimiser.SGD:
        return torch.optim.SGD(weights, lr=recipe.learning_rate)
    return torch.optim.Adam(weights, lr=recipe.learning_rate)


def answers(network: Network, task: Assignment, batch: Batch) -> NDArray[np.float64]:
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
        outputs = _outputs(network, batch).cpu().double()
    return np.asarray((outputs.softmax(-1) if task.readout == "classes" else outputs).numpy())


def _outputs(network: Network, batch: Batch) -> Tensor:
    """Return the read-out at every step, (T, B, K); what stands in the padding is never scored."""
    device = next(network.module.parameters()).device
    outputs: Tensor = network.module(torch.from_numpy(batch.inputs).to(device))
    return outputs
