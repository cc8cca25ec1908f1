"""Loaded sequences: what is asked, what is held out, and the honest guess that draws the chance line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_studio import cli
from lstm_studio.errors import SequenceError, StudioError
from lstm_studio.runs.reader import open_run
from lstm_studio.sequences.columns import ColumnRole
from lstm_studio.sequences.sequence import Scaling
from lstm_studio.tasks.task import Batch
from lstm_studio.training.loaded import LoadedSequences, load
from lstm_studio.training.plan import Goal, Plan

RNG = np.random.default_rng


def written(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def loaded(path: Path, **more: Any) -> LoadedSequences:
    return load(replace(Plan(sequence=str(path)), **more))[0]


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    steps = np.arange(60)
    values = (10 + steps * 0.5 + np.sin(steps)).round(4)
    return written(tmp_path / "curve.csv", {"sales": values.tolist(), "stock": (values[::-1] * 2).tolist()})


def test_the_end_of_a_single_sequence_is_foretold_from_all_before_it(curve: Path) -> None:
    asked = loaded(curve, scaling=Scaling.NONE)
    table = np.loadtxt(curve, delimiter=",", skiprows=1, dtype=np.float32)
    assert (asked.goal, asked.readout, asked.answers) == (Goal.NEXT_STEP, "values", ("next sales", "next stock"))
    assert asked.split_words == "the last fifth of the sequence"
    training, held_out = asked.draw(32, RNG(0)), asked.held_out(256, RNG(0))
    # 59 answers, of which the first 47 are learned and the last 12 are asked for at the end.
    assert np.array_equal(training.inputs[:, 0], table[:47])
    assert np.array_equal(training.targets[:, 0], table[1:48])
    assert training.scored.all()
    assert training.inputs.shape == (47, 1, 2)
    assert np.array_equal(held_out.inputs[:, 0], table[:59])
    assert np.flatnonzero(held_out.scored[:, 0]).tolist() == list(range(47, 59))
    assert asked.chance_words == "repeat the last value"
    repeated = np.square(np.diff(table[47:], axis=0)).sum(axis=1).mean()
    assert asked.chance(held_out).loss == pytest.approx(repeated, rel=1e-6)


def test_scales_are_taken_from_the_training_part_alone(curve: Path) -> None:
    table = np.loadtxt(curve, delimiter=",", skiprows=1)
    batch = loaded(curve).held_out(1, RNG(0))
    mean, deviation = table[:47].mean(axis=0), table[:47].std(axis=0)
    assert np.allclose(batch.inputs[:, 0], (table[:59] - mean) / deviation, atol=1e-5)
    assert np.allclose(batch.targets[:, 0], (table[1:] - mean) / deviation, atol=1e-5)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Thirty sequences of 4 to 6 steps; the first value tells the class, and the second one which sequence it is."""
    columns: dict[str, list[object]] = {"id": [], "label": [], "a": [], "number": []}
    for number in range(30):
        name = "few" if number < 10 else "many"
        for step in range(4 + number % 3):
            columns["id"].append(f"s{number}")
            columns["label"].append(name)
            columns["a"].append((1.0 if name == "few" else -1.0) if step == 0 else 0.25)
            columns["number"].append(float(number))
    return written(tmp_path / "labelled.csv", columns)


def numbers(batch: Batch) -> list[int]:
    return [round(float(value)) for value in batch.inputs[0, :, 1]]


def test_one_sequence_in_five_is_held_out_of_each_class_and_never_trained_on(labelled: Path) -> None:
    asked = loaded(labelled, scaling=Scaling.NONE)
    assert (asked.goal, asked.readout, asked.answers) == (Goal.CLASSES, "classes", ("few", "many"))
    assert asked.split_words == "6 of 30 sequences, drawn with the seed"
    held_out = asked.held_out(256, RNG(0))
    out = numbers(held_out)
    assert len(set(out)) == 6
    assert Counter(number < 10 for number in out) == {True: 2, False: 4}
    everything = numbers(asked.draw(24, RNG(0)))
    assert sorted(everything + out) == list(range(30))
    seen = {number for seed in range(40) for number in numbers(asked.draw(5, RNG(seed)))}
    assert seen == set(everything)
    for index, number in enumerate(out):
        length = 4 + number % 3
        assert held_out.lengths[index] == length
        assert np.flatnonzero(held_out.scored[:, index]).tolist() == [length - 1]
        assert held_out.targets[length - 1, index].tolist() == ([1, 0] if number < 10 else [0, 1])
        assert not held_out.inputs[length:, index].any()
    assert sorted(numbers(loaded(labelled, scaling=Scaling.NONE, seed=1).held_out(9, RNG(0)))) != sorted(out)


def test_the_chance_line_of_classes_is_the_majority(labelled: Path) -> None:
    asked = loaded(labelled)
    batch = asked.held_out(256, RNG(0))
    chance = asked.chance(batch)
    # Eight of one class and sixteen of the other to learn from; one more of each.
    shares = np.array([9, 17]) / 26
    assert chance.loss == pytest.approx(-(2 * np.log(shares[0]) + 4 * np.log(shares[1])) / 6)
    assert chance.accuracy == pytest.approx(4 / 6)
    assert asked.chance_words.startswith("'many', the most frequent")
    assert not asked.solved(chance, chance)
    assert asked.solved(replace(chance, accuracy=1.0), chance)


def test_numbers_of_a_target_column_are_learned_against_their_mean(tmp_path: Path) -> None:
    steps = np.arange(50)
    y = np.where(steps < 40, steps % 4, 9.0)
    path = written(tmp_path / "t.csv", {"x": (steps % 7).tolist(), "wanted": y.tolist()})
    asked = loaded(path, columns={"wanted": ColumnRole.TARGET}, scaling=Scaling.NONE)
    assert (asked.goal, asked.readout, asked.answers) == (Goal.TARGET, "values", ("wanted",))
    batch = asked.held_out(9, RNG(0))
    assert batch.targets[:, 0, 0].tolist() == y.tolist()
    assert asked.chance_words == "always the mean of the training part"
    assert asked.chance(batch).loss == pytest.approx((9 - 1.5) ** 2)
    scaled = loaded(path, columns={"wanted": ColumnRole.TARGET})
    assert scaled.chance(scaled.held_out(9, RNG(0))).loss == pytest.approx((9 - 1.5) ** 2 / y[:40].var())


def test_text_is_foretold_symbol_by_symbol_in_pieces(tmp_path: Path) -> None:
    text = "".join(RNG(3).choice(list("aaab "), 2000).tolist())
    (tmp_path / "tale.txt").write_text(text)
    asked = loaded(tmp_path / "tale.txt")
    assert (asked.goal, asked.readout) == (Goal.NEXT_STEP, "classes")
    assert asked.split_words == "the last fifth of the sequence, in 4 pieces of at most 100 steps"
    names = asked.answers
    batch = asked.draw(64, RNG(0))
    assert batch.inputs.shape == (100, 64, len(names))
    cut = 1999 * 4 // 5
    starts = set()
    for index in range(64):
        piece = "".join(names[symbol] for symbol in batch.inputs[:, index].argmax(axis=-1))
        following = "".join(names[symbol] for symbol in batch.targets[:, index].argmax(axis=-1))
        start = text.index(piece)
        starts.add(start)
        assert start + 100 <= cut
        assert text[start + 1 : start + 101] == following
    assert len(starts) > 50
    held_out = asked.held_out(256, RNG(0))
    assert held_out.lengths.tolist() == [100, 100, 100, 100]
    told = "".join(names[symbol] for symbol in held_out.inputs.argmax(axis=-1).T.ravel())
    assert told == text[cut : cut + 400]
    counts = Counter(text[1 : cut + 1])
    shares = {name: (counts[name] + 1) / (cut + len(names)) for name in names}
    expected = -np.mean([np.log(shares[symbol]) for symbol in text[cut + 1 : cut + 401]])
    assert asked.chance(held_out).loss == pytest.approx(expected, rel=1e-6)


def test_what_cannot_be_asked_is_a_users_error(tmp_path: Path, curve: Path, labelled: Path) -> None:
    with pytest.raises(SequenceError, match=r"no class for each sequence.*--column NAME=label"):
        loaded(curve, goal=Goal.CLASSES)
    with pytest.raises(SequenceError, match=r"no target column.*--column NAME=target"):
        loaded(curve, goal=Goal.TARGET)
    with pytest.raises(StudioError, match=r"--piece-length.*end of a whole sequence"):
        loaded(labelled, piece_length=3)
    few: dict[str, list[object]] = {"id": ["a", "a", "b", "b"], "label": ["p", "p", "q", "q"], "x": [1, 2, 3, 4]}
    with pytest.raises(SequenceError, match=r"2 sequences with one answer each: too few"):
        loaded(written(tmp_path / "few.csv", few))
    with pytest.raises(SequenceError, match=r"too short to hold its last fifth out"):
        loaded(written(tmp_path / "short.csv", {"x": [1, 2]}))
    with pytest.raises(SequenceError, match=r"one step: nothing comes next"):
        loaded(written(tmp_path / "one.csv", {"x": [1]}))
    assert loaded(labelled, goal=Goal.NEXT_STEP).goal is Goal.NEXT_STEP


def test_a_file_is_trained_on_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = np.arange(200)
    path = written(tmp_path / "sine.csv", {"value": np.sin(steps / 3).round(5).tolist()})
    words = ["train", str(path), "--run", str(tmp_path / "run"), "--steps", "120", "--hidden", "8"]
    assert cli.run([*words, "--learning-rate", "0.02", "--device", "cpu", "--companion", "none"]) == 0
    run = open_run(tmp_path / "run")
    training = run.info["training"]
    assert training["task"]["sequence"] == str(path)
    assert training["task"]["chance"] == "repeat the last value"
    assert training["task"]["held_out"] == "the last fifth of the sequence"
    (tested,) = [event for event in run.events if event["event"] == "tested"]
    assert tested["scores"]["lstm"]["loss"] < 0.5 * tested["chance"]["loss"]
    assert tested["solved"] == {"lstm": True}
    capsys.readouterr()
    assert cli.run(["train", str(path), "--run", str(tmp_path / "other"), "--set", "length=3"]) == 2
    assert "--set is for tasks" in capsys.readouterr().err
    path.unlink()
    assert cli.run(["train", "--again", str(tmp_path / "run"), "--run", str(tmp_path / "other")]) == 2
    assert "sine.csv" in capsys.readouterr().err
