"""The shipped samples: whole, small, read without torch, and still what their weights do."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lstm_studio.engine.tracing import trace
from lstm_studio.errors import StudioError
from lstm_studio.networks.checkpoints import open_network
from lstm_studio.resources import sample_folder
from lstm_studio.session import samples
from lstm_studio.session.samples import FIRST_SAMPLE, Sample, load_sample, sample_names
from lstm_studio.tasks.registry import new_task
from lstm_studio.tasks.task import Batch, Task
from lstm_studio.training.samples import SAMPLES
from lstm_studio.training.trainer import Recipe, Trainer, answers

# Another processor adds float32 numbers in another order; the weights are shipped, so the difference stays there.
ROUNDING = 1e-4


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """At these sizes a second thread only waits, and on a busy machine it makes the first one wait too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=sample_names())
def sample(request: pytest.FixtureRequest) -> Sample:
    return load_sample(request.param)


def task_of(sample: Sample) -> Task:
    return new_task(sample.card["task"]["name"], **sample.card["task"]["parameters"])


def batch_of(sample: Sample) -> Batch:
    """Return the stored sequences side by side, from the file and not from the generator; all have one length."""
    task = task_of(sample)
    drawn = task.draw(len(sample.sequences), np.random.default_rng(sample.card["sequences_seed"]))
    inputs = np.stack([sequence.values for sequence in sample.sequences], axis=1)
    assert np.array_equal(inputs, drawn.inputs)
    return drawn


def test_the_window_starts_with_the_first_of_the_samples() -> None:
    assert sample_names()[0] == FIRST_SAMPLE
    assert set(sample_names()) == set(SAMPLES)


def test_the_files_are_small(sample: Sample) -> None:
    assert sum(path.stat().st_size for path in sample_folder(sample.name).iterdir()) < 1_000_000


def test_the_targets_are_those_of_the_task(sample: Sample) -> None:
    generated = task_of(sample).generate(len(sample.sequences), sample.card["sequences_seed"])
    assert sample.sequences.names == generated.names
    assert sample.sequences.classes == generated.classes
    for stored, wanted in zip(sample.sequences, generated, strict=True):
        assert stored.target is not None
        assert wanted.target is not None
        assert stored.fingerprint == wanted.fingerprint
        assert np.array_equal(stored.target, wanted.target)


def test_an_lstm_and_a_vanilla_rnn_of_the_same_size_from_the_same_recipe(sample: Sample) -> None:
    assert [network.info.kind for network in sample.networks] == ["lstm", "rnn"]
    lstm, rnn = (network.info for network in sample.networks)
    assert (lstm.hidden_size, lstm.layers) == (rnn.hidden_size, rnn.layers)
    recipe = SAMPLES[sample.name]
    assert task_of(sample) == recipe.task
    training = sample.card["training"]
    assert training["seed"] in recipe.seeds
    for name in Recipe.__slots__:
        value = getattr(recipe.recipe, name)
        assert name == "seed" or training[name] == (list(value) if isinstance(value, tuple) else value)
    assert sorted([training["seed"], *(run["seed"] for run in sample.card["other_seeds"])]) == sorted(recipe.seeds)


def test_the_stored_traces_are_what_the_shipped_weights_do(sample: Sample) -> None:
    sequence = sample.sequences[sample.first]
    for network in sample.networks:
        assert network.spec.checkpoint is not None
        opened = open_network(network.spec.checkpoint)
        fresh = trace(opened, sequence, objective=sample.objective)
        stored = network.trace
        assert stored.recovery_error <= 1e-4
        assert stored.provenance.network == network.info.fingerprint == opened.info().fingerprint
        assert stored.provenance.sequence == sequence.fingerprint
        assert network.info == opened.info()
        assert sorted(stored.names) == sorted(fresh.names)
        assert stored.layers == fresh.layers
        for name in fresh.names:
            # Norms are drawn on a log axis, down to the smallest, so each counts relative to itself.
            absolute = 0.0 if name.startswith("norm.grad.") else ROUNDING * float(np.abs(fresh[name]).max())
            relative = 0.02 if name.startswith("norm.grad.") else ROUNDING
            assert np.allclose(stored[name], fresh[name], rtol=relative, atol=absolute), name
        assert any(name.startswith("grad.") for name in stored.names)


def test_the_card_says_what_the_shipped_weights_reach(sample: Sample) -> None:
    task, batch = task_of(sample), batch_of(sample)
    chance = task.chance(batch)
    assert sample.card["chance"]["loss"] == pytest.approx(chance.loss, rel=1e-5)
    for network, entry in zip(sample.networks, sample.card["networks"], strict=True):
        assert network.spec.checkpoint is not None
        outputs = answers(open_network(network.spec.checkpoint), task, batch)
        reached = task.score(outputs, batch)
        assert network.loss == pytest.approx(reached.loss, rel=ROUNDING, abs=1e-8)
        assert network.accuracy == (None if reached.accuracy is None else pytest.approx(reached.accuracy, rel=1e-5))
        assert entry["within"] == pytest.approx(reached.within, rel=1e-5)
        assert np.array_equal(network.right, task.right(outputs, batch))
        if task.readout == "values":
            assert np.allclose(network.predictions, outputs.swapaxes(0, 1), atol=1e-3)
        else:
            predicted = outputs.argmax(axis=-1).T
            assert np.array_equal(network.predictions, predicted if network.predictions.ndim == 2 else predicted[:, -1])


def test_the_final_test_can_be_repeated(sample: Sample) -> None:
    recipe = Recipe(**{name: sample.card["training"][name] for name in Recipe.__slots__})
    trainer = Trainer(task_of(sample), recipe)
    for network in sample.networks:
        assert network.spec.checkpoint is not None
        trained = open_network(network.spec.checkpoint).module.state_dict()
        trainer.networks[network.info.kind].module.load_state_dict(trained)
    test = trainer.test()
    for kind, score in test.scores.items():
        said = sample.card["tested"][kind]
        assert said["sequences"] == score.sequences == 2000
        assert said["loss"] == pytest.approx(score.loss, rel=ROUNDING, abs=1e-8)
        assert said["within"] == pytest.approx(score.within, abs=1e-3)
        assert said["solved"] == trainer.task.solved(score, test.chance)


def test_the_shown_seed_follows_its_rule(sample: Sample) -> None:
    recipe, tested = SAMPLES[sample.name], sample.card["tested"]["lstm"]["loss"]
    if recipe.typical:
        others = [run["lstm"]["loss"] for run in sample.card["other_seeds"]]
        assert tested == pytest.approx(np.median([tested, *others]))
        assert "median" in sample.card["seed_rule"]
    else:
        assert sample.card["training"]["seed"] == recipe.recipe.seed == 3


def test_the_curves_are_complete_and_begin_as_the_script_begins(sample: Sample) -> None:
    training: dict[str, Any] = sample.card["training"]
    steps = [*range(0, training["updates"] + 1, training["evaluate_every"])]
    recipe = Recipe(**{name: training[name] for name in Recipe.__slots__})
    run = Trainer(task_of(sample), recipe).run()
    begun = [next(run), next(run)]
    for entry in sample.card["networks"]:
        curve = entry["curve"]
        assert curve["steps"] == steps
        assert len(curve["loss"]) == len(curve["accuracy"]) == len(curve["within"]) == len(steps)
        assert all(math.isfinite(loss) for loss in curve["loss"])
        for index, evaluation in enumerate(begun):
            assert curve["loss"][index] == pytest.approx(evaluation.scores[entry["kind"]].loss, rel=0.01)


def test_reading_samples_imports_neither_torch_nor_qt_nor_duckdb() -> None:
    code = (
        "import sys; from lstm_studio.session.samples import load_sample, sample_names; "
        "[load_sample(name) for name in sample_names()]; "
        "print(sorted({'torch', 'PySide6', 'pyqtgraph', 'duckdb', 'soundfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_sample_is_named() -> None:
    with pytest.raises(StudioError, match=rf"no sample 'reber'.*{FIRST_SAMPLE}"):
        load_sample("reber")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the first sample that ``load_sample`` reads instead of the shipped one."""
    monkeypatch.setattr(samples, "sample_folder", tmp_path.joinpath)
    return shutil.copytree(sample_folder(FIRST_SAMPLE), tmp_path / FIRST_SAMPLE)


@pytest.mark.parametrize(
    "file", ["sequences.safetensors", "lstm.safetensors", "lstm.trace.safetensors", "rnn.trace.safetensors"]
)
def test_a_missing_file_is_named(copied: Path, file: str) -> None:
    (copied / file).unlink()
    with pytest.raises(StudioError, match=file.replace(".", r"\.")):
        load_sample(FIRST_SAMPLE)


@pytest.mark.parametrize("file", ["sequences.safetensors", "lstm.trace.safetensors", "rnn.trace.safetensors"])
def test_a_file_cut_short_is_named(copied: Path, file: str) -> None:
    whole = (copied / file).read_bytes()
    (copied / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StudioError, match=file.replace(".", r"\.")):
        load_sample(FIRST_SAMPLE)


def damage(card: dict[str, Any], kind: str) -> None:
    network = card["networks"][0]
    match kind:
        case "no title":
            del card["title"]
        case "first out of range":
            card["first"] = 200
        case "networks are a word":
            card["networks"] = "lstm"
        case "a network is a word":
            card["networks"][0] = "lstm"
        case "accuracy is a word":
            network["accuracy"] = "high"
        case "too few predictions":
            network["predictions"].pop()
        case "ragged predictions":
            network["predictions"][0] = [1, 2]
        case "predictions are words":
            network["predictions"] = ["XX"] * 200


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("no title", "'title' is missing"),
        ("first out of range", "first is 200, but there are 200"),
        ("networks are a word", "'networks' is 'lstm', a list"),
        ("a network is a word", "an entry of networks is 'lstm'"),
        ("accuracy is a word", "'accuracy' is 'high', a float"),
        ("too few predictions", "'predictions' has 199 entries for 200"),
        ("ragged predictions", "'predictions' is ragged"),
        ("predictions are words", "'predictions' has 200 entries for 200 sequences, or not numbers"),
    ],
)
def test_a_damaged_card_says_where(copied: Path, kind: str, said: str) -> None:
    card = json.loads((copied / "card.json").read_text("utf-8"))
    damage(card, kind)
    (copied / "card.json").write_text(json.dumps(card), "utf-8")
    with pytest.raises(StudioError, match=said) as caught:
        load_sample(FIRST_SAMPLE)
    assert "card.json" in caught.value.found
    assert "lstm_studio.training.samples" in caught.value.cure


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"title": ', r"card\.json, line 1, column 11"),
        (b"\xff\xfe\x00", r"card\.json cannot be read"),
        (b"[]", r"card\.json holds \[\]"),
        (b"", r"card\.json, line 1, column 1"),
    ],
)
def test_a_card_that_is_no_json_object_says_where(copied: Path, content: bytes, said: str) -> None:
    (copied / "card.json").write_bytes(content)
    with pytest.raises(StudioError, match=said):
        load_sample(FIRST_SAMPLE)


def test_no_two_samples_look_the_same_once_they_are_open() -> None:
    samples = [load_sample(name) for name in sample_names()]
    assert [sample.sequences.title for sample in samples] == [sample.title for sample in samples]
    assert len({sample.title for sample in samples}) == len(samples)
