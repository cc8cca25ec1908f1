"""Trainings in processes of their own: asked to pause and to stop, interrupted, killed and resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_studio import cli
from lstm_studio.errors import RunError
from lstm_studio.runs.reader import open_run
from lstm_studio.training.child import start
from lstm_studio.training.plan import Plan

ENDLESS = Plan(task="dinner-menu", hidden=4, updates=10**8, batch=4, evaluate_every=20, held_out=8, device="cpu")


def until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def update(folder: Path) -> int:
    if not (folder / "run.json").exists():
        return -1
    curve = open_run(folder).scalars.get("lstm.train_loss")
    return -1 if curve is None else int(curve[0][-1])


def test_a_child_is_paused_goes_on_and_is_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "a folder" / "run"
    child = start(ENDLESS, folder)
    try:
        until(lambda: update(folder) > 30)
        child.pause()
        until(lambda: any(event["event"] == "paused" for event in open_run(folder).events))
        paused = update(folder)
        time.sleep(0.5)
        assert update(folder) == paused
        assert str(open_run(folder).status) == "running"
        child.go_on()
        until(lambda: update(folder) > paused + 10)
        assert child.running
        assert child.failure == ""
        child.stop()
        assert child.wait(60) == 0
    finally:
        child.kill()
    run = open_run(folder)
    assert [event["event"] for event in run.events] == ["start", "paused", "resumed", "tested", "end"]
    assert run.events[1]["step"] == run.events[2]["step"] == paused + 1
    assert run.snapshots[-1] == run.events[-2]["update"] == update(folder)
    assert child.failure == ""
    assert "tested on 2,000 sequences" in (folder / "train.log").read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_it_with_everything_recorded_and_kill_is_survived(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    child = start(ENDLESS, folder)
    try:
        until(lambda: update(folder) > 30)
        os.kill(child.process, signal.SIGINT)
        assert child.wait(60) == 130
        run = open_run(folder)
        assert str(run.status) == "finished"
        assert run.events[-2]["update"] == run.snapshots[-1] == update(folder)
        before = run.snapshots[-1]
        child = start(ENDLESS, folder, resume=True)
        until(lambda: update(folder) > before + 30)
        child.kill()
        assert child.wait(60) == -signal.SIGKILL
        assert child.failure
        assert str(open_run(folder).status) == "died"
        child = start(ENDLESS, folder, resume=True)
        until(lambda: str(open_run(folder).status) == "running")
        child.stop()
        assert child.wait(60) == 0
        assert not open_run(folder).problems
    finally:
        child.kill()


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    child = start(replace(ENDLESS, learning_rate=1e30, task="waves", parameters={}), tmp_path)
    try:
        assert child.wait(60) == 2
    finally:
        child.kill()
    assert not child.running
    assert child.failure.startswith("lstm-studio: Waves: the gradient of ")
    assert "Traceback" not in child.failure


def test_no_child_is_started_at_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="is an address"):
        start(ENDLESS, Path("https://host/runs/mine"))
    assert list(tmp_path.iterdir()) == []


TINY = ("--steps", "3", "--held-out", "4", "--batch", "2", "--device", "cpu")


def test_the_command_trains_and_says_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    words = ["train", "temporal-order", "--run", str(folder), "--set", "length=30", "--companion", "none", *TINY]
    assert cli.run([*words, "--forget-bias", "none"]) == 0
    said = capsys.readouterr()
    assert "3 updates, tested on 2,000 sequences" in said.out
    assert said.err == ""
    recipe = open_run(folder).info["training"]["recipe"]
    assert recipe["parameters"] == {"length": 30, "spread": 0}
    assert recipe["companion"] == ""
    assert recipe["forget_bias"] is None
    assert cli.run(["train", "--run", str(folder), "--resume", "--steps", "5"]) == 0
    assert update(folder) == 5
    assert cli.run(["train", "--again", str(folder), "--run", str(tmp_path / "again"), "--set", "length=31"]) == 0
    assert open_run(tmp_path / "again").info["training"]["recipe"] == {
        **recipe,
        "parameters": {"length": 31, "spread": 0},
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rober",), "'rober' is neither a task nor a file. Name a sequence file, or a task: adding,"),
        ((), "What is to be trained?"),
        (("waves", "--hidden", "0"), "--hidden is 0."),
        (("waves", "--kind", "lstn"), "There is no kind of network called 'lstn'."),
        (("waves", "--set", "length"), "--set length sets nothing."),
        (("waves", "--set", "length=few"), "'few' is not a whole number."),
        (("waves", "--forget-bias", "much"), "--forget-bias is 'much'."),
        (("waves", "--resume"), "--resume goes on with a run as it is."),
        (("--resume",), "holds no run."),
        (("--again", "nowhere"), "nowhere holds no run."),
        (("waves", "--device", "abacus"), "There is no device 'abacus'"),
    ],
)
def test_what_the_user_can_put_right_is_one_message(
    words: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["train", *words, "--run", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "run" / "run.json").exists()


def test_help_names_every_option_of_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lstm_studio", "train", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    for word in ENDLESS.arguments("run"):
        if word.startswith("--"):
            assert word in done.stdout
