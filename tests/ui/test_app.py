"""The program as a process: every way out ends with status 0, and nothing heavy comes before the first paint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_studio.ui.bugs import log_file

START = """
import sys
from PySide6.QtCore import QTimer
from lstm_studio.ui import app

make_window = app.make_window

def watched(*args, **kwargs):
    window = make_window(*args, **kwargs)
    window.header.painted.connect(lambda: then(window))
    return window

app.make_window = watched

def then(window):
    heavy = sorted(sys.modules.keys() & {"torch", "duckdb", "soundfile"})
    print("painted", heavy, flush=True)
    THEN

status = app.open_window(sys.argv[1:])
print("status", status)
sys.exit(status)
"""


def run(then: str, *files: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", START.replace("THEN", then), *files]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)


def test_the_first_paint_comes_before_torch_and_closing_ends_with_0() -> None:
    done = run("window.close()")
    assert done.stderr == ""
    assert done.stdout.split("\n")[:2] == ["painted []", "status 0"]
    assert done.returncode == 0


def test_the_window_waits_neither_for_the_command_line_nor_for_garbage() -> None:
    told = "lambda: (print('typer' in sys.modules, before, gc.isenabled(), flush=True), window.close())"
    script = "import gc\nfrom lstm_studio import desktop" + START.replace("THEN", f"QTimer.singleShot(0, {told})")
    script = script.replace("app.open_window(sys.argv[1:])", "desktop.start(sys.argv[1:])")
    script = script.replace("    window =", "    global before; before = gc.isenabled(); window =")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.splitlines()[1:] == ["False False True", "status 0"]


@pytest.mark.skipif(os.name == "nt", reason="a signal ends a Windows process at once")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_window(number: signal.Signals) -> None:
    done = run(f"QTimer.singleShot(300, lambda: __import__('os').kill(__import__('os').getpid(), {int(number)}))")
    assert done.stderr == ""
    assert "status 0" in done.stdout
    assert done.returncode == 0


def test_a_bug_in_a_slot_is_shown_and_logged_and_the_way_out_is_still_0() -> None:
    found = "QTimer.singleShot(50, lambda: print('shown', window.stage.notices.notices[0].found, flush=True))"
    done = run(f"QTimer.singleShot(0, lambda: 1 / 0); {found}; QTimer.singleShot(100, window.close)")
    assert "shown Something in LSTM Studio went wrong: ZeroDivisionError: division by zero" in done.stdout
    assert done.stderr.count("ZeroDivisionError: division by zero") == 1
    assert "ZeroDivisionError: division by zero" in log_file().read_text("utf-8")
    assert done.returncode == 0


def test_a_bug_in_what_shows_bugs_is_told_once_and_stops_nothing() -> None:
    broken = "window.stage.notices.show_notice = lambda notice: [][0]"
    done = run(f"{broken}; QTimer.singleShot(0, lambda: 1 / 0); QTimer.singleShot(100, window.close)")
    assert done.stderr.count("ZeroDivisionError: division by zero") == 1
    assert done.stderr.count("IndexError: list index out of range") == 1
    assert "IndexError: list index out of range" in log_file().read_text("utf-8")
    assert "status 0" in done.stdout
    assert done.returncode == 0


def test_files_named_on_the_command_line_are_opened(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("left,right\n" + "".join(f"{i},{i % 3}\n" for i in range(12)), "utf-8")
    ready = "lambda result: (print('steps', result.sequence.steps, flush=True), window.close())"
    done = run(f"window.kept = {ready}; window.session.result_replaced.connect(window.kept)", str(path))
    assert "steps 12" in done.stdout
    assert done.returncode == 0, done.stderr
