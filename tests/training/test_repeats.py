"""The same comparison over several seeds."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from lstm_studio import cli
from lstm_studio.errors import RunError
from lstm_studio.progress import ignore_progress
from lstm_studio.runs.reader import open_run
from lstm_studio.training import command
from lstm_studio.training.control import Wish, ask
from lstm_studio.training.plan import Plan
from lstm_studio.training.repeats import REPEATS_FILE, read_repeats, seed_folder

PLAN = Plan(task="dinner-menu", hidden=4, seed=5, updates=6, batch=4, evaluate_every=3, held_out=8, device="cpu")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "compared"
    assert command.repeat(PLAN, folder, 3, ignore_progress) == 0
    return folder


def test_each_seed_is_a_run_of_its_own_and_the_same_as_alone(compared: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in compared.iterdir()) == [REPEATS_FILE, "seed-5", "seed-6", "seed-7"]
    command.train(replace(PLAN, seed=6), tmp_path / "alone", ignore_progress)
    for key in PLAN.keys:
        one, other = (open_run(folder).snapshot(6, key) for folder in (compared / "seed-6", tmp_path / "alone"))
        assert one.read_bytes() == other.read_bytes()
    weights = {(compared / f"seed-{seed}/snapshots/00000006/lstm.safetensors").read_bytes() for seed in (5, 6, 7)}
    assert len(weights) == 3


def test_the_summary_is_of_what_the_runs_say(compared: Path) -> None:
    repeats = read_repeats(compared)
    assert repeats.plan == PLAN
    assert [result.seed for result in repeats.results] == [5, 6, 7]
    assert [result.update for result in repeats.tested] == [6, 6, 6]
    for key in PLAN.keys:
        losses = []
        for seed in (5, 6, 7):
            (tested,) = [event for event in open_run(seed_folder(compared, seed)).events if event["event"] == "tested"]
            losses.append(tested["scores"][key]["loss"])
        spread = repeats.spread(key, "loss")
        assert spread is not None
        assert spread.values == tuple(losses)
        assert (spread.median, spread.smallest, spread.largest) == (median(losses), min(losses), max(losses))
        assert repeats.solved(key) == 0
    assert repeats.spread("gru", "loss") is None


def test_a_comparison_is_stopped_and_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "compared"
    ask(folder, Wish.STOP)
    assert command.repeat(replace(PLAN, updates=10**9), folder, 2, ignore_progress) == 0
    first, second = read_repeats(folder).results
    assert first.update is not None
    assert first.update < 10**6
    assert (second.status, second.update, second.scores) == (None, None, {})
    assert "1 of 2 seeds tested" in capsys.readouterr().out
    longer = str(first.update + 2)
    assert cli.run(["train", "--run", str(folder), "--resume", "--steps", longer]) == 0
    assert [result.update for result in read_repeats(folder).results] == [int(longer), int(longer)]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.mcap")}
    assert cli.run(["train", "--run", str(folder), "--resume", "--steps", longer]) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.mcap")} == before


def test_a_comparison_that_has_not_begun_has_its_seeds(tmp_path: Path) -> None:
    (tmp_path / REPEATS_FILE).write_text(json.dumps({"seeds": 2, "recipe": PLAN.as_dict()}))
    assert [result.update for result in read_repeats(tmp_path).results] == [None, None]
    assert read_repeats(tmp_path).spread("lstm", "loss") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"seeds": 3}', '{"seeds": 0, "recipe": {"task": "waves"}}', "[" * 100_000]
)
def test_a_damaged_comparison_is_a_users_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no comparison of seeds"):
        read_repeats(tmp_path)
    (tmp_path / REPEATS_FILE).write_text(text)
    with pytest.raises(RunError):
        read_repeats(tmp_path)


def test_a_folder_with_something_else_is_not_written_to(compared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (compared, compared / "seed-5"):
        assert cli.run(["train", "waves", "--run", str(folder), "--seeds", "2"]) == 2
        assert "--resume" in capsys.readouterr().err


def test_comparisons_are_read_without_torch(compared: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lstm_studio.training.repeats import read_repeats; "
        "assert len(read_repeats(Path(sys.argv[1])).tested) == 3; "
        "print(sorted({'torch', 'PySide6', 'duckdb', 'soundfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(compared)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
