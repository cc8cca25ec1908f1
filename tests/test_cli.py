"""The command line as a user meets it: what it prints where, and with which exit status it leaves."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_studio as ls
from lstm_studio.cli import app, run
from lstm_studio.desktop import COMMANDS, names_files
from lstm_studio.session.compute import Computer
from lstm_studio.tasks.registry import tasks
from lstm_studio.training.plan import class_room

STEPS, FEATURES, UNITS = 12, 2, 5


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a CSV file of two columns of small numbers."""
    path = tmp_path / "table.csv"
    values = np.random.default_rng(3).normal(size=(STEPS, FEATURES)).round(4)
    np.savetxt(path, values, delimiter=",", header="left,right", comments="", fmt="%.4f")
    return path


def rows_of(text: str) -> dict[str, list[str]]:
    """Return the rows of the printed tables: the words after the first, by the first, of the LSTM's tables only."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.partition("Vanilla RNN")[0].splitlines()]
    return {first: rest for first, *rest in lines if rest}


def test_trace_prints_what_the_library_returns(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trace", str(table), "--hidden", str(UNITS), "--seed", "7", "--companion", "rnn"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "", "progress belongs on a terminal"

    sequence = ls.open_sequence(table)[0]
    expected = ls.trace(ls.new_network("lstm", input_size=FEATURES, hidden_size=UNITS, seed=7), sequence)
    rows = rows_of(printed.out)
    signals = [name for name in expected.names if not name.startswith(("grad.", "norm."))]
    assert len(signals) > 8
    for name in signals:
        values = expected[name]
        shape, *numbers = rows[name]
        assert shape == f"{STEPS} × {values.shape[1]}"
        assert [float(number) for number in numbers] == pytest.approx(
            [values.min(), values.mean(), values.max()], rel=1e-3, abs=1e-6
        )
    norms = expected["norm.grad.lstm.0.cell_state"]
    first, last = (float(number) for number in rows["norm.grad.lstm.0.cell_state"])
    assert (first, last) == pytest.approx((norms[0], norms[-1]), rel=1e-3)
    assert "Vanilla RNN, 5 units" in printed.out
    assert "rnn.0.hidden_state" in printed.out


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".safetensors"])
def test_trace_saves_each_network(table: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"t{suffix}"
    arguments = ["trace", str(table), "--hidden", str(UNITS), "--companion", "rnn", "--out", str(out)]
    assert run(arguments) == 0
    companion = tmp_path / f"t.companion{suffix}"
    assert companion.exists()
    if suffix == ".csv":
        assert len(out.read_text("utf-8").splitlines()) >= STEPS + 1
        return
    saved = ls.load_trace(out)
    expected = ls.trace(
        ls.new_network("lstm", input_size=FEATURES, hidden_size=UNITS, seed=0), ls.open_sequence(table)[0]
    )
    assert sorted(saved.names) == sorted(expected.names)
    for name in expected.names:
        np.testing.assert_array_equal(saved[name], expected[name])
    assert ls.load_trace(companion)["rnn.0.hidden_state"].shape == (STEPS, UNITS)


def test_trace_takes_its_options_to_heart(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.npz"
    words = "--kind rnn --hidden 3 --layers 2 --bidirectional --dtype float64 --objective hidden:4:1 --scaling standard"
    assert run(["trace", str(table), *words.split(), "--out", str(out)]) == 0
    saved = ls.load_trace(out)
    assert [layer.prefix for layer in saved.layers] == ["rnn.0", "rnn.0.reverse", "rnn.1", "rnn.1.reverse"]
    assert saved["rnn.1.reverse.hidden_state"].dtype == np.float64
    assert saved.provenance.objective == "hidden:4:1"
    np.testing.assert_allclose(saved["input"].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(saved["input"].std(axis=0), 1, atol=1e-5)


def test_trace_says_what_survives(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "t.npz"
    assert run(["trace", str(table), "--memory", "--out", str(out)]) == 0
    curve = ls.load_trace(out)["jac.lstm.0.cell_state"]
    assert curve[-1] == pytest.approx(0, abs=1e-6)
    assert rows_of(capsys.readouterr().out)["jac.lstm.0.cell_state"] == [f"{curve[0]:.2f}"]


def test_trace_reads_a_column_as_it_is_told_to(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.npz"
    assert run(["trace", str(table), "--column", "right=ignore", "--out", str(out)]) == 0
    assert ls.load_trace(out)["input"].shape == (STEPS, 1)


def test_the_tasks_are_listed_with_what_they_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tasks"]) == 0
    listed = capsys.readouterr().out
    for name, kind in tasks().items():
        assert f"\n{name}  {kind.title}\n" in f"\n{listed}"
        for words in (kind.shows, kind.chance_words, kind.solved_words, kind.caution):
            # Long lines are folded.
            assert words.split()[:6] == [] or " ".join(words.split()[:6]) in " ".join(listed.split())
        assert f"Class room: {class_room(name).words}" in listed


def test_long_sequences_are_cut_where_asked(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trace", str(table), "--piece-length", "4", "--item", "2"]) == 0
    assert "sequence 2 of 3, cut after 4 steps, 4 steps × 2 features" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "trian: there is no such file. Commands are open, trace, train, runs, tasks, "),
        (["trace", "{folder}/none.csv"], "none.csv"),
        (["trace", "{table}", "--kind", "perceptron"], "perceptron"),
        (["trace", "{table}", "--item", "9"], "9"),
        (["trace", "{table}", "--objective", "hidden:99:0"], "99"),
        (["trace", "{table}", "--device", "abacus"], "abacus"),
        (["trace", "{table}", "--network", "{table}"], "table.csv"),
        (["trace", "{table}", "--column", "left=hero"], "roles are feature, time"),
        (["trace", "{table}", "--out", "{folder}/none/t.npz"], "there is no folder"),
        (["trace", "{table}", "--out", "{folder}/t.docx"], "t.docx"),
        (["trace", "{table}", "--render", "{folder}/t.docx"], "t.docx cannot be saved"),
        (["trace", "{table}", "--render", "{folder}/t.png", "--size", "big"], "--size big"),
        (["trace", "{table}", "--render", "{folder}/t.png", "--size", "100000x9"], "--size 100000x9"),
        (["trace", "{table}", "--step", "12"], "steps 0 to 11"),
    ],
)
def test_what_the_user_can_put_right_is_one_message_and_exit_status_2(
    arguments: list[str], message: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.format(folder=table.parent, table=table) for word in arguments]
    assert run(words) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("lstm-studio: ")
    assert message in printed.err
    assert "Traceback" not in printed.err
    assert len(printed.err.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--bogus"], ["trace"], ["trace", "x", "--hidden", "many"]])
def test_wrong_usage_is_exit_status_2_and_says_where_help_is(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert "--help" in capsys.readouterr().err.replace(" -h", " --help")


def test_a_bug_surfaces(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Computer, "compute", broken)
    with pytest.raises(ZeroDivisionError):
        run(["trace", str(table)])


def test_interrupting_leaves_with_130_and_without_a_traceback(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Computer, "compute", interrupted)
    assert run(["trace", str(table)]) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["open"], ["trace"], ["self-test"], ["version"]])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_everywhere(command: list[str], flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, flag]) == 0
    assert "Usage" in capsys.readouterr().out


def test_version_names_what_decides_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == 0
    printed = capsys.readouterr().out
    assert f"LSTM Studio {ls.__version__}" in printed
    assert f"Python {sys.version.split()[0]}" in printed
    assert f"PyTorch {importlib.metadata.version('torch')}" in printed
    assert "Qt " in printed
    assert "devices: cpu" in printed


@pytest.mark.parametrize("words", ["{table}", "trace {table} --render {table}.png", "self-test"])
def test_without_the_extra_the_window_says_what_to_install(
    words: str, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("lstm_studio.ui")]:
        monkeypatch.delitem(sys.modules, name)
    # With the package alone out of the way, its modules that pytest-qt has loaded could still be imported.
    for name in {"PySide6", *(name for name in sys.modules if name.startswith("PySide6."))}:
        monkeypatch.setitem(sys.modules, name, None)
    assert run(words.format(table=table).split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert 'pip install "lstm-studio[gui]"' in printed.err
    assert len(printed.err.strip().splitlines()) == 1


@pytest.mark.parametrize("error", [ImportError("cannot import name 'x'"), ModuleNotFoundError("no y", name="y")])
def test_a_broken_import_of_our_own_is_a_bug(error: ImportError, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise error

    monkeypatch.setattr("lstm_studio.desktop.import_module", broken)
    with pytest.raises(ImportError):
        run(["self-test"])


def test_a_missing_system_library_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: str) -> None:
        raise ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr("lstm_studio.desktop.import_module", broken)
    assert run(["self-test"]) == 2
    assert "libEGL.so.1" in capsys.readouterr().err


def test_names_of_files_and_nothing_open_the_window_without_the_command_line() -> None:
    assert tuple(command.name for command in app.registered_commands) == COMMANDS
    assert not app.registered_groups
    assert all(names_files(words) for words in ([], ["data.csv"], ["a.csv", "b.pt", "http://host/run"]))
    commands = (["train", "reber"], ["--help"], ["data.csv", "-h"], ["version"], ["open", "data.csv"])
    assert not any(names_files(words) for words in commands)


def test_a_missing_file_is_one_message_from_the_module_too(tmp_path: Path) -> None:
    words = [sys.executable, "-X", "importtime", "-m", "lstm_studio", "nothing.csv"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if not line.startswith("import time")]
    assert done.returncode == 2
    assert len(told) == 1
    assert told[0].startswith("lstm-studio: nothing.csv: there is no such file.")
    assert {"lstm_studio.desktop"} == {
        name for name in ("lstm_studio.desktop", "typer", "numpy") if re.search(rf"\| +{name}$", done.stderr, re.M)
    }


def test_the_module_and_the_script_run_the_same_program() -> None:
    [script] = [
        entry for entry in importlib.metadata.entry_points(group="console_scripts") if entry.name == "lstm-studio"
    ]
    assert script.value == "lstm_studio.__main__:main"
    done = subprocess.run(
        [sys.executable, "-m", "lstm_studio", "no-such-file.csv"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("lstm-studio: no-such-file.csv: there is no such file.")
