"""Less motion: the user's own wish, and those of desktops that Qt does not pass on."""

from __future__ import annotations

import itertools
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QStandardPaths
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.session.settings import Settings, load_settings
from lstm_studio.ui import motion
from lstm_studio.ui.motion import desktop_reduces, motion_reduced, reduce_motion
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window

pytestmark = [
    pytest.mark.qt_log_ignore("plugin does not support"),
    pytest.mark.usefixtures("qapp"),
]


@pytest.fixture(autouse=True)
def desktop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A desktop that says nothing, in a folder for its programs and files; and nothing known of it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _: str(tmp_path))
    desktop_reduces.cache_clear()
    yield tmp_path
    desktop_reduces.cache_clear()
    reduce_motion(False)


def says(desktop: Path, script: str) -> None:
    program = desktop / "gsettings"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    desktop_reduces.cache_clear()


def test_the_command_reduces_motion_and_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    with opened_window(settings_path=path) as window:
        action = window.command_actions["view.less-motion"]
        assert (motion_reduced(), action.isChecked()) == (False, False)
        action.trigger()
        assert (motion_reduced(), action.isChecked()) == (True, True)
    reduce_motion(False)
    settings = load_settings(path).settings
    assert settings.less_motion
    with opened_window(settings=settings) as window:
        assert motion_reduced()
        window.command_actions["view.less-motion"].trigger()
        assert not motion_reduced()
    with opened_window(settings=Settings()):
        assert not motion_reduced()


if sys.platform not in {"win32", "darwin"}:

    def test_gnome_is_asked(desktop: Path) -> None:
        assert not motion_reduced()
        says(desktop, '[ "$*" = "get org.gnome.desktop.interface enable-animations" ] && echo false')
        assert motion_reduced()
        says(desktop, "echo true")
        assert not motion_reduced()
        says(desktop, "echo no such schema >&2; exit 1")
        assert not motion_reduced()

    def test_a_desktop_that_does_not_answer_is_not_waited_for(desktop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(motion, "_PATIENCE", 50)
        says(desktop, "while :; do :; done")
        assert not motion_reduced()

    @pytest.mark.parametrize(
        ("written", "reduced"), [("0", True), ("0.0", True), ("0.5", False), ("1", False), ("x", False)]
    )
    def test_kde_is_asked(desktop: Path, written: str, reduced: bool) -> None:
        (desktop / "kdeglobals").write_text(f"[KDE]\nAnimationDurationFactor={written}\n")
        desktop_reduces.cache_clear()
        assert motion_reduced() is reduced

    def test_the_desktop_is_asked_once(desktop: Path) -> None:
        says(desktop, "echo false")
        assert desktop_reduces()
        (desktop / "gsettings").unlink()
        assert desktop_reduces()


def test_the_style_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QApplication.style(), "styleHint", lambda *_: 0, raising=False)
    monkeypatch.setattr(motion, "desktop_reduces", lambda: pytest.fail("asked for nothing"))
    assert motion_reduced()


def busy_bar(window: StudioWindow) -> QImage:
    """Return what the bar looks like while work goes on of which nobody knows how long it takes."""
    window.stage.show_busy(True, stale=False)
    window.stage.show_progress(-1)
    return bar_of(window)


def bar_of(window: StudioWindow) -> QImage:
    return window.stage.bar.grab().toImage()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_bar_of_work_of_unknown_length_stands_still_and_is_not_full(theme: str, qtbot: QtBot) -> None:
    with opened_window(settings=Settings(theme=theme)) as window:
        moving = busy_bar(window)
        qtbot.waitUntil(lambda: bar_of(window) != moving)
        window.stage.show_busy(False, stale=False)
        window.command_actions["view.less-motion"].trigger()
        first = busy_bar(window)
        for _ in range(10):
            qtbot.wait(20)
            assert bar_of(window) == first
        colours = [first.pixelColor(x, 2).name() for x in range(first.width())]
        shown = window.appearance.theme
        assert {QColor(shown.ink).name(), QColor(shown.line).name()} == set(colours)
        assert sum(now != then for now, then in itertools.pairwise(colours)) > 10, "it does not look done"
        window.stage.show_busy(True, stale=False)
        window.stage.show_progress(0.5)
        half = window.stage.bar.grab().toImage()
        assert half.pixelColor(half.width() // 4, 2) == QColor(shown.ink)
        assert half.pixelColor(3 * half.width() // 4, 2) == QColor(shown.line)
        window.stage.show_busy(False, stale=False)
