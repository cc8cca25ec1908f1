"""The commands that draw, started as a user starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

from lstm_studio import cli
from lstm_studio.desktop import PICTURE_WITHOUT_DISPLAY
from lstm_studio.ui.self_test import Check, SelfTestReport
from lstm_studio.ui.window import SMALLEST

EVENTS = "step,left,right\n" + "".join(f"{step},{step % 3},{-step % 5}\n" for step in range(20))


def start(folder: Path, *arguments: str, **displays: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder, on a machine that has these displays and no others."""
    every = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in every} | displays
    line = [sys.executable, "-m", "lstm_studio", *arguments]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def colours(path: Path) -> int:
    """Return how many colours a picture has, of its every third pixel."""
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)
    return len(np.unique(pixels[::3, ::3]))


@pytest.mark.skipif(sys.platform != "linux", reason="there is always a display elsewhere")
@pytest.mark.parametrize("displays", [{}, {"DISPLAY": ":4711"}], ids=["none", "one that does not answer"])
def test_without_a_display_the_same_view_becomes_a_picture(displays: dict[str, str], tmp_path: Path) -> None:
    done = start(tmp_path, **displays)
    assert (done.returncode, done.stderr) == (0, "")
    [line] = done.stdout.splitlines()
    assert "no display" in line
    picture = tmp_path / PICTURE_WITHOUT_DISPLAY
    assert str(PICTURE_WITHOUT_DISPLAY) in line
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1600, 1000)
    assert colours(picture) > 500


@pytest.mark.skipif(sys.platform != "linux", reason="there is always a display elsewhere")
def test_without_a_display_a_file_that_does_not_open_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("", "utf-8")
    done = start(tmp_path, "bad.csv")
    assert done.returncode == 2
    assert "bad.csv" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / PICTURE_WITHOUT_DISPLAY).exists()


def test_trace_renders_the_view_as_asked(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text(EVENTS, "utf-8")
    looks = ("--theme light", "--theme dark", "--theme light --labels classroom", "--theme light --step 3")
    pictures = []
    for number, look in enumerate(looks):
        picture = tmp_path / f"{number}.png"
        words = ["trace", str(events), "--hidden", "6", "--companion", "rnn", "--size", "1366x768", *look.split()]
        assert cli.run([*words, "--render", str(picture)]) == 0
        image = QImage(str(picture))
        assert (image.width(), image.height()) == (1366, 768)
        pictures.append(image)
    light, dark, classroom, early = pictures
    assert light.pixelColor(2, 300).lightness() > 200
    assert dark.pixelColor(2, 300).lightness() < 60
    assert classroom != light
    assert early != light


def test_smallest_picture_is_the_smallest_window() -> None:
    assert cli.SMALLEST_PICTURE == SMALLEST


@pytest.mark.parametrize("ok", [True, False])
def test_self_test_leaves_with_the_status_of_its_checks(
    ok: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = SelfTestReport((Check("first", True, 0.25, "seen"), Check("second", ok, 1.5, "words")))
    monkeypatch.setattr("lstm_studio.ui.self_test.run_self_test", lambda: report)
    assert cli.run(["self-test"]) == (0 if ok else 1)
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["ok", "0.2", "s", "first:", "seen"]
    assert second.startswith("ok" if ok else "FAILED")
    assert cli.run(["self-test", "--json"]) == (0 if ok else 1)
    printed = json.loads(capsys.readouterr().out)
    assert printed["ok"] is ok
    assert printed["checks"][1] == {"name": "second", "ok": ok, "seconds": 1.5, "detail": "words"}
