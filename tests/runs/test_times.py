"""When steps were: what each kind of run says of it, and what becomes of clocks that are wrong."""

from __future__ import annotations

import csv
import os
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.runs.opening import open_any
from lstm_studio.runs.writer import json_bytes
from lstm_studio.session.pictures import picture_of
from tests.runs.made_runs import event, made, segment

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
BEGIN = 1.7e9


def row(step: Any, wall: Any, **values: float) -> tuple[str, str, bytes]:
    return "scalars", "scalars", json_bytes({"rows": [[step, wall, values]]})


def test_a_recorded_run_says_when_its_steps_were(tmp_path: Path) -> None:
    model = nn.LSTM(2, 3)
    told = []
    with ls.watch(model, tmp_path / "run", every=100) as run:
        for _ in range(5):
            loss = model(torch.randn(4, 1, 2))[0].sum()
            told.append(time.time())
            run.step(loss=loss)
    after = time.time()
    steps, walls = ls.open_run(tmp_path / "run").times
    assert steps.tolist() == [0, 1, 2, 3, 4]
    assert all(begin <= wall <= end for begin, wall, end in zip(told, walls, [*told[1:], after], strict=True))


def test_a_step_done_anew_was_when_it_was_done_last(tmp_path: Path) -> None:
    rows = [
        row(0, BEGIN, loss=3.0),
        row(1, BEGIN + 1, loss=2.0),
        row(2, BEGIN + 2, loss=1.0),
        row(1, BEGIN + 9, loss=4),
    ]
    run = ls.open_run(made(tmp_path / "run", *rows))
    np.testing.assert_array_equal(run.times, [[0, 1, 2], [BEGIN, BEGIN + 9, BEGIN + 2]])
    assert run.scalars["loss"][1].tolist() == [3.0, 4.0, 1.0]


@pytest.mark.parametrize("wall", [0.0, -5.0, "nan", "inf", 1e300])
def test_what_no_clock_shows_is_no_time(wall: Any, tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run", row(0, wall, loss=3.0), row(1, BEGIN, loss=2.0)))
    np.testing.assert_array_equal(run.times, [[1], [BEGIN]])
    assert run.scalars["loss"][1].tolist() == [3.0, 2.0]
    assert not run.problems


@pytest.mark.parametrize("wall", [None, "noon", [], {}])
def test_a_time_that_makes_no_sense_costs_no_number(wall: Any, tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run", row(0, wall, loss=3.0), row(1, BEGIN, loss=2.0)))
    assert run.scalars["loss"][1].tolist() == [3.0, 2.0]
    assert len(run.problems) == 1


def test_the_axis_of_time_goes_on_where_a_clock_was_set_back(tmp_path: Path) -> None:
    walls = [BEGIN, BEGIN + 1, BEGIN + 2, BEGIN - 100, BEGIN - 98, BEGIN - 95]
    run = ls.open_run(made(tmp_path / "run", *(row(step, wall, loss=1.0) for step, wall in enumerate(walls))))
    # What was told is told; what is drawn never goes back.
    assert run.times[1].tolist() == walls
    shown = picture_of(run).times[1]
    assert (shown - BEGIN).tolist() == [0, 1, 2, 2, 4, 7]


@pytest.mark.parametrize("ahead", [-1e6, 1e6])
def test_a_run_whose_files_are_of_another_time_is_judged_by_what_comes(
    ahead: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of the future, or a reader whose clock goes back: what counts is that something comes."""
    folder = made(tmp_path / "run", event("start", host="elsewhere", process=1), row(0, BEGIN, loss=1.0))
    os.utime(segment(folder), (time.time() + ahead,) * 2)
    run = ls.open_run(folder)
    assert run.status == ("died" if ahead < 0 else "running")
    with segment(folder).open("ab") as file:
        other = made(tmp_path / "other", event("start", host="elsewhere", process=1), row(1, BEGIN - 50, loss=2.0))
        file.write(segment(other).read_bytes()[8:])
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 1e7)
    news = run.refresh()
    assert news.status == "running"
    assert run.heard < 5
    assert run.scalars["loss"][1].tolist() == [1.0, 2.0]


def test_tensorboard_says_when_its_events_were(tmp_path: Path) -> None:
    writer = import_module("torch.utils.tensorboard").SummaryWriter(tmp_path)
    for step in range(500):
        writer.add_scalar("loss", 1.0, step, walltime=BEGIN + 2.5 * step)
        if step % 10 == 0:
            writer.add_scalar("accuracy", 1.0, step, walltime=BEGIN + 2.5 * step + 0.5)
            writer.add_histogram("weight", np.ones(3), step, walltime=BEGIN + 2.5 * step + 0.25)
    writer.add_text("note", "nothing to draw", 900, walltime=BEGIN + 9e6)
    writer.close()
    accumulator = import_module("tensorboard.backend.event_processing.event_accumulator")
    theirs = accumulator.EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})
    theirs.Reload()
    last = {tag: {one.step: one.wall_time for one in theirs.Scalars(tag)} for tag in ("loss", "accuracy")}
    steps, walls = open_any(tmp_path).times
    assert steps.tolist() == list(range(500))
    for step, wall in zip(steps.tolist(), walls.tolist(), strict=True):
        assert wall in {last["loss"][step], last["accuracy"].get(step), BEGIN + 2.5 * step + 0.25}
    assert walls[7] == last["loss"][7]


def table(path: Path, rows: list[dict[str, float]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_table_says_that_it_has_no_times(tmp_path: Path) -> None:
    run = open_any(table(tmp_path / "metrics.csv", [{"step": 3, "loss": 0.5}]))
    assert len(run.times[0]) == 0
    assert any("does not say when its rows were written" in words for words in run.lacks)


def test_a_table_with_a_column_of_times(tmp_path: Path) -> None:
    rows = [{"step": step, "timestamp": BEGIN + step, "loss": 0.5} for step in (3, 5)]
    run = open_any(table(tmp_path / "metrics.csv", rows))
    np.testing.assert_array_equal(run.times, [[3, 5], [BEGIN + 3, BEGIN + 5]])
    assert list(run.scalars) == ["loss"]
    assert not any("when its rows" in words for words in run.lacks)
