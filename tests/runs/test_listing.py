"""``lstm-studio runs``."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest
import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.cli import run as run_command


def record(folder: Path, steps: int = 5, name: str = "loss") -> None:
    with ls.watch(nn.LSTM(3, 4), folder, every=100) as run:
        for step in range(steps):
            run.step(step=step, **{name: 1.0 / (step + 1)})


def test_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.LSTM(3, 4)
    with ls.watch(model, tmp_path / "mine", every=2) as run:
        for step in range(5):
            torch.autograd.backward(model(torch.randn(5, 2, 3))[0].sum())
            run.step(loss=1.0 / (step + 1))
    assert run_command(["runs", str(tmp_path / "mine")]) == 0
    told = capsys.readouterr().out
    assert re.search(r"mine +finished +5 +3 +lstm +loss 0\.2", told)
    assert re.search(r"loss +5 +1 +0\.2 +1 +0\.2", told)
    assert "traces at 3 steps, from 0 to 4" in told


def test_a_folder_of_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path / "first")
    record(tmp_path / "second", steps=7)
    assert run_command(["runs", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert re.search(r"first +finished +5", told)
    assert re.search(r"second +finished +7", told)
    assert run_command(["runs", str(tmp_path), "--follow"]) == 2
    assert "holds 2 runs" in capsys.readouterr().err


@pytest.mark.usefixtures("bound_by_permissions")
def test_runs_that_cannot_be_opened_are_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("mine", "damaged", "locked"):
        record(tmp_path / name, 3)
    (tmp_path / "damaged" / "run.json").write_text("{", "utf-8")
    (tmp_path / "locked" / "run.json").chmod(0)
    assert run_command(["runs", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "mine" in told.out
    left_out = told.err.splitlines()
    assert len(left_out) == 2
    assert left_out[0].startswith(f"left out: {tmp_path / 'damaged' / 'run.json'} is damaged (")
    assert left_out[1].startswith(f"left out: {tmp_path / 'locked' / 'run.json'} cannot be read (Permission denied).")
    assert run_command(["runs", str(tmp_path), "--follow"]) == 2
    assert "holds 3 runs" in capsys.readouterr().err
    assert run_command(["runs", str(tmp_path / "damaged")]) == 2
    (tmp_path / "mine" / "run.json").write_text("{", "utf-8")
    assert run_command(["runs", str(tmp_path)]) == 2
    assert "is damaged" in capsys.readouterr().err


def test_following_until_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = ls.watch(nn.LSTM(3, 4), tmp_path / "mine", every=100)

    def work() -> None:
        for step in range(5):
            recorder.step(loss=float(step))
            time.sleep(0.05)
        recorder.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert run_command(["runs", str(tmp_path / "mine"), "--follow"]) == 0
    thread.join()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("finished step 4: loss 4")


def test_what_is_no_run_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["runs", str(tmp_path)]) == 2
    assert "holds no training" in capsys.readouterr().err
    assert run_command(["runs", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_names_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path / "mine", name="loss\x1b[31m[bold]red")
    assert run_command(["runs", str(tmp_path / "mine")]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "[bold]red" in told
