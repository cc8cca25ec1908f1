"""Trains the samples in resources/ again: ``python -m lstm_studio.training.samples [NAME …] [--out FOLDER]``.

All seeds were fixed before the first run. Whatever comes out is what the card says, of every seed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_studio.engine.storage import save_trace
from lstm_studio.engine.tracing import trace
from lstm_studio.errors import StudioError
from lstm_studio.networks.checkpoints import open_network, save_network
from lstm_studio.networks.network import Network
from lstm_studio.progress import Progress
from lstm_studio.resources import resources_folder
from lstm_studio.sequences.sequence import SequenceSet
from lstm_studio.sequences.storage import save_set
from lstm_studio.tasks.dinner_menu import DinnerMenu
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Task
from lstm_studio.tasks.temporal_order import TemporalOrder
from lstm_studio.tasks.waves import Waves
from lstm_studio.training.trainer import Evaluation, FinalTest, Recipe, Trainer, answers

SEQUENCES_SEED = 2026
"""Seed of the stored sequences, apart from every training stream."""

OBJECTIVE = "last-hidden"
"""What the stored traces differentiate. Not the loss: a network that is right has next to none, and its gradient would
be small for that reason alone. The last hidden state asks both networks the same question."""

_SEQUENCES_FILE = "sequences.safetensors"


@dataclass(frozen=True, slots=True)
class SampleRecipe:
    """How one sample is made.

    Parameters
    ----------
    task, recipe
        What is learned and how; the recipe's seed is the one that was fixed in advance.
    title, description
        For the list of samples; the description says what to look at, never what was reached.
    sequences
        How many held-out sequences are stored; the first one is traced.
    other_seeds
        Seeds that are trained in the same way, to say in the card what they reach.
    typical
        Whether to show, instead of the recipe's own seed, the run with the median test loss of the first network: half
        of the others are better, half are worse.
    """

    task: Task
    recipe: Recipe
    title: str
    description: str
    sequences: int
    other_seeds: tuple[int, ...] = (0, 1, 2, 4)
    typical: bool = False

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds that are trained, the one fixed in advance first."""
        return (self.recipe.seed, *self.other_seeds)


_TEMPORAL_ORDER = SampleRecipe(
    task=TemporalOrder(length=50, spread=0),
    recipe=Recipe(hidden_size=16, seed=3, updates=4000),
    title="Temporal order",
    description="Two events, X or Y, and a long wait. At the last step: which two, in which order?",
    sequences=200,
    typical=True,
)

SAMPLES: Mapping[str, SampleRecipe] = {
    "temporal-order": _TEMPORAL_ORDER,
    "temporal-order-seed-3": replace(
        _TEMPORAL_ORDER,
        title="Temporal order, seed 3",
        description="The same recipe with the seed that was fixed before the first run. Compare each loss with chance.",
        other_seeds=(),
        typical=False,
    ),
    "waves": SampleRecipe(
        task=Waves(shape="two-sine", length=100),
        recipe=Recipe(hidden_size=16, seed=3, updates=2000),
        title="Two waves in one",
        description="A slow and a fast wave, added up, with noise. At every step: what is the next value?",
        sequences=24,
    ),
    "dinner-menu": SampleRecipe(
        task=DinnerMenu(weeks=4),
        recipe=Recipe(hidden_size=8, seed=3, updates=1000),
        title="Dinner menu",
        description="Yesterday's dinner decides today's, with a fasting day every week. Which dinner comes next?",
        sequences=100,
    ),
}


def make_sample(sample: SampleRecipe, folder: Path, progress: Progress) -> dict[str, Any]:
    """Train the networks of a sample, write its files and return its card.

    Parameters
    ----------
    sample
        What to make.
    folder
        Where to write; made if missing, files of the same name are replaced.
    progress
        Called at every evaluation.

    Raises
    ------
    StudioError
        If the training diverges.
    OSError
        If a file cannot be written.
    """
    # Before the training, so that a folder that cannot be made is known at once.
    folder.mkdir(parents=True, exist_ok=True)
    runs = [_train(sample, seed, progress) for seed in sample.seeds]
    shown = _typical(runs) if sample.typical else runs[0]
    task = sample.task
    batch = task.draw(sample.sequences, np.random.default_rng(SEQUENCES_SEED))
    sequences = task.as_set(batch, SEQUENCES_SEED)
    save_set(sequences, folder / _SEQUENCES_FILE)
    networks = []
    for kind, trained in shown.trainer.networks.items():
        stored, entry = _store(trained, sequences, folder)
        networks.append({**entry, **_measured(task, stored, batch), "curve": _curve(shown.evaluations, kind)})
    card = {
        "title": sample.title,
        "description": sample.description,
        "sequences": _SEQUENCES_FILE,
        "sequences_seed": SEQUENCES_SEED,
        "first": 0,
        "objective": OBJECTIVE,
        "task": {
            "name": task.name,
            "title": task.title,
            "shows": task.shows,
            "parameters": task.parameters(),
            "chance": task.chance_words,
            "solved": task.solved_words,
        },
        "training": {**asdict(shown.trainer.recipe), "torch": str(torch.__version__)},
        "chance": _score(task.chance(batch)),
        "networks": networks,
        "tested": _tested(shown),
        "seed_rule": _seed_rule(sample),
        "other_seeds": [{"seed": run.trainer.recipe.seed, **_tested(run)} for run in runs if run is not shown],
    }
    text = json.dumps(card, ensure_ascii=False, allow_nan=False, indent=1)
    (folder / "card.json").write_text(_join_numbers(text) + "\n", "utf-8")
    return card


@dataclass(frozen=True, slots=True)
class _Run:
    """One seed's training, and how good its networks are in the end."""

    trainer: Trainer
    evaluations: tuple[Evaluation, ...]
    test: FinalTest


def _train(sample: SampleRecipe, seed: int, progress: Progress) -> _Run:
    recipe = replace(sample.recipe, seed=seed)
    trainer = Trainer(sample.task, recipe)
    evaluations = []
    for evaluation in trainer.run():
        evaluations.append(evaluation)
        losses = ", ".join(f"{kind} {score.loss:.4f}" for kind, score in evaluation.scores.items())
        done = (sample.seeds.index(seed) + evaluation.update / recipe.updates) / len(sample.seeds)
        progress(done, f"{sample.title}, seed {seed}, update {evaluation.update:,} of {recipe.updates:,}: {losses}")
    return _Run(trainer, tuple(evaluations), trainer.test())


def _typical(runs: Sequence[_Run]) -> _Run:
    """Return the run with the median test loss of its first network; of an even number, the better of the middle."""
    kind = runs[0].trainer.recipe.kinds[0]
    return sorted(runs, key=lambda run: run.test.scores[kind].loss)[(len(runs) - 1) // 2]


def _seed_rule(sample: SampleRecipe) -> str:
    """Say in words why the shown seed is shown."""
    if not sample.typical:
        return f"seed {sample.recipe.seed} was fixed before the first run"
    seeds = ", ".join(map(str, sorted(sample.seeds)))
    return f"the run with the median {sample.recipe.kinds[0].upper()} loss of the seeds {seeds}"


def _tested(run: _Run) -> dict[str, Any]:
    """Return the final test by kind, with the answer to "solved?"."""
    task, test = run.trainer.task, run.test
    return {kind: {**_score(score), "solved": task.solved(score, test.chance)} for kind, score in test.scores.items()}


def _store(network: Network, sequences: SequenceSet, folder: Path) -> tuple[Network, dict[str, Any]]:
    """Write the weights and the trace of a network; return it as read back, and what the card says of it."""
    kind = network.info().kind
    weights, traced = f"{kind}.safetensors", f"{kind}.trace.safetensors"
    save_network(network, folder / weights)
    stored = open_network(folder / weights)
    save_trace(trace(stored, sequences[0], objective=OBJECTIVE), folder / traced)
    info = asdict(stored.info())
    # The path of the machine that trained it is nobody's business.
    del info["source"]
    return stored, {**info, "weights": weights, "trace": traced}


def _measured(task: Task, network: Network, batch: Batch) -> dict[str, Any]:
    """Return what the card says of a network's answers to the stored sequences."""
    outputs = answers(network, task, batch)
    return {
        **_score(task.score(outputs, batch)),
        "predictions": _predictions(task, outputs, batch).tolist(),
        "right": task.right(outputs, batch).tolist(),
    }


def _curve(evaluations: Sequence[Evaluation], kind: str) -> dict[str, Any]:
    """Return the learning curve of one network on the held-out sequences."""
    scores = [evaluation.scores[kind] for evaluation in evaluations]
    return {
        "steps": [evaluation.update for evaluation in evaluations],
        "loss": [_digits(score.loss) for score in scores],
        "accuracy": [_digits(score.accuracy) for score in scores],
        "within": [_digits(score.within) for score in scores],
    }


def _predictions(task: Task, outputs: NDArray[np.float64], batch: Batch) -> NDArray[Any]:
    """Return the answers with the sequences first: (N,) or (N, T) classes, or (N, T, K) values to four decimals."""
    if task.readout == "values":
        return outputs.swapaxes(0, 1).round(4)
    classes = outputs.argmax(axis=-1)
    once = batch.scored.sum(axis=0) == 1
    return np.asarray(classes.T[batch.scored.T] if once.all() else classes.T)


def _score(score: Score) -> dict[str, Any]:
    return {name: _digits(value) for name, value in asdict(score).items()}


def _digits(value: float | None) -> float | None:
    """Keep six significant digits, more than any panel shows and than another machine would repeat."""
    return value if value is None or isinstance(value, int) else float(f"{value:.6g}")


def _join_numbers(text: str) -> str:
    """Put each list of numbers on one line, so that the card can be read."""
    return re.sub(r'\[([^][{}"]*)\]', lambda found: f"[{' '.join(found[1].split())}]", text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m lstm_studio.training.samples", description="Train the samples.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all of {', '.join(SAMPLES)} by default")
    parser.add_argument("--out", type=Path, default=None, metavar="FOLDER", help="resources/samples by default")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in SAMPLES]
    if unknown:
        parser.error(f"there is no sample {unknown[0]!r}; choose from {', '.join(SAMPLES)}")
    # One thread: faster at this size, and sums are then taken in the same order everywhere.
    torch.set_num_threads(1)
    out: Path = options.out or resources_folder() / "samples"
    for name in options.names or SAMPLES:
        try:
            card = make_sample(SAMPLES[name], out / name, _print_progress)
        except (StudioError, OSError) as error:
            sys.stderr.write(f"{error}\n")
            return 2
        for network in card["networks"]:
            accuracy = "" if network["accuracy"] is None else f", accuracy {network['accuracy']:.3f}"
            sys.stdout.write(f"{name}: {network['title']} loss {network['loss']:.4g}{accuracy}\n")
    return 0


def _print_progress(fraction: float, words: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{fraction:4.0%} {words}")
        if fraction >= 1.0:
            sys.stderr.write("\n")


if __name__ == "__main__":
    sys.exit(main())
