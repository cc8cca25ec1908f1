"""The script behind resources/samples, on a sample small enough for a test."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_studio.networks.checkpoints import open_network
from lstm_studio.progress import ignore_progress
from lstm_studio.session import samples as session_samples
from lstm_studio.tasks.dinner_menu import DinnerMenu
from lstm_studio.tasks.temporal_order import TemporalOrder
from lstm_studio.tasks.waves import Waves
from lstm_studio.training import samples
from lstm_studio.training.samples import SAMPLES, SampleRecipe, make_sample
from lstm_studio.training.trainer import Recipe, Trainer, answers

RECIPE = Recipe(hidden_size=5, seed=3, updates=20, batch=8, evaluate_every=10, held_out=16)


@pytest.mark.parametrize(
    ("task", "predictions"),
    [(TemporalOrder(length=20), (7,)), (DinnerMenu(weeks=2), (7, 14)), (Waves(length=12), (7, 12, 1))],
)
def test_what_the_script_writes_is_what_the_window_reads(
    task: TemporalOrder | DinnerMenu | Waves,
    predictions: tuple[int, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = SampleRecipe(task, RECIPE, "A title", "A description.", sequences=7, other_seeds=(8,))
    told: list[float] = []
    make_sample(recipe, tmp_path / "mine", lambda fraction, words: told.append(fraction))
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == 1.0

    monkeypatch.setattr(session_samples, "sample_folder", tmp_path.joinpath)
    sample = session_samples.load_sample("mine")
    assert (sample.title, sample.description, sample.first) == ("A title", "A description.", 0)
    assert [q.fingerprint for q in sample.sequences] == [
        q.fingerprint for q in task.generate(7, samples.SEQUENCES_SEED)
    ]

    trainer = Trainer(task, RECIPE)
    evaluations = list(trainer.run())
    batch = task.draw(7, np.random.default_rng(samples.SEQUENCES_SEED))
    assert [network.info.kind for network in sample.networks] == ["lstm", "rnn"]
    for network in sample.networks:
        kind = network.info.kind
        assert network.predictions.shape == predictions
        outputs = answers(trainer.networks[kind], task, batch)
        score = task.score(outputs, batch)
        assert network.loss == pytest.approx(score.loss, rel=1e-5)
        assert network.accuracy == (None if score.accuracy is None else pytest.approx(score.accuracy, rel=1e-5))
        assert np.array_equal(network.right, task.right(outputs, batch))
        assert network.spec.checkpoint is not None
        stored = open_network(network.spec.checkpoint)
        for name, weight in trainer.networks[kind].module.state_dict().items():
            assert np.array_equal(weight.numpy(), stored.module.state_dict()[name].numpy())
        entry = next(entry for entry in sample.card["networks"] if entry["kind"] == kind)
        assert entry["curve"]["steps"] == [0, 10, 20]
        assert entry["curve"]["loss"] == pytest.approx([e.scores[kind].loss for e in evaluations], rel=1e-5)
    assert sample.card["task"]["parameters"] == task.parameters()
    assert [other["seed"] for other in sample.card["other_seeds"]] == [8]


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    recipe = SampleRecipe(DinnerMenu(weeks=1), RECIPE, "", "", sequences=3, other_seeds=())
    for name in ("one", "two"):
        make_sample(recipe, tmp_path / name, ignore_progress)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == [
        "card.json",
        "lstm.safetensors",
        "lstm.trace.safetensors",
        "rnn.safetensors",
        "rnn.trace.safetensors",
        "sequences.safetensors",
    ]
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_seeds_of_the_samples_are_the_announced_ones() -> None:
    assert {sample.recipe.seed for sample in SAMPLES.values()} == {3}
    assert {sample.seeds for sample in SAMPLES.values()} == {(3, 0, 1, 2, 4), (3,)}


def test_the_command_writes_where_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = replace(SAMPLES["dinner-menu"], recipe=RECIPE, other_seeds=())
    monkeypatch.setattr(samples, "SAMPLES", {"dinner-menu": small})
    assert samples.main(["dinner-menu", "--out", str(tmp_path)]) == 0
    card = json.loads((tmp_path / "dinner-menu" / "card.json").read_text("utf-8"))
    assert card["training"]["updates"] == 20
    said = capsys.readouterr()
    assert f"LSTM loss {card['networks'][0]['loss']:.4g}, accuracy" in said.out
    assert said.err == ""


def test_a_folder_that_cannot_be_written_is_a_users_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert samples.main(["waves", "--out", str(tmp_path / "file")]) == 2
    assert "file" in capsys.readouterr().err


def test_an_unknown_sample_is_a_users_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lstm_studio.training.samples", "reber"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"there is no sample 'reber'; choose from {', '.join(SAMPLES)}" in done.stderr


def test_the_typical_run_is_the_one_in_the_middle(tmp_path: Path) -> None:
    task = DinnerMenu(weeks=1)
    recipe = SampleRecipe(task, RECIPE, "", "", sequences=3, other_seeds=(0, 1), typical=True)
    card = make_sample(recipe, tmp_path, ignore_progress)
    losses = {}
    for seed in recipe.seeds:
        trainer = Trainer(task, replace(RECIPE, seed=seed))
        list(trainer.run())
        losses[seed] = trainer.test().scores["lstm"].loss
    assert card["training"]["seed"] == sorted(losses, key=losses.__getitem__)[1]
    assert card["seed_rule"] == "the run with the median LSTM loss of the seeds 0, 1, 3"
    said = {run["seed"]: run["lstm"]["loss"] for run in card["other_seeds"]}
    said[card["training"]["seed"]] = card["tested"]["lstm"]["loss"]
    assert said == pytest.approx(losses, rel=1e-5)
