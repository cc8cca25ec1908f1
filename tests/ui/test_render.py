"""The window as a picture: of the size, theme, labels and step that were asked for."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from lstm_studio.errors import SequenceError, StudioError
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.picture import colours_in
from lstm_studio.ui.render import render_view
from lstm_studio.ui.theme import DARK, LIGHT
from tests.ui.explore.fakes import answer, small_setup
from tests.ui.opened import opened_window

# Of the offscreen platform, for every window whose size is limited.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


def pixels(path: Path) -> NDArray[np.uint32]:
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()).copy()


def share(picture: NDArray[np.uint32], colour: str) -> float:
    return float(np.mean(picture == (0xFF000000 | int(colour[1:], 16))))


def test_the_sample_is_drawn_in_both_themes(tmp_path: Path, qapp: object) -> None:
    for theme in (LIGHT, DARK):
        path = tmp_path / f"{theme.name}.png"
        render_view(path, size=(1366, 768), theme=theme.name)
        picture = pixels(path)
        assert picture.shape == (768, 1366)
        assert len(np.unique(picture)) > 200
        other = DARK if theme is LIGHT else LIGHT
        assert share(picture, theme.panel) > 0.05
        assert share(picture, other.panel) < 0.01


def test_step_and_labels_change_the_picture(tmp_path: Path, qapp: object) -> None:
    result = answer(small_setup())
    drawn = []
    for step, labels in ((3, "standard"), (12, "standard"), (12, "classroom")):
        path = tmp_path / f"{step}-{labels}.png"
        render_view(path, result=result, step=step, labels=labels)
        drawn.append(pixels(path))
    assert drawn[0].shape == (1000, 1600)
    assert (drawn[0] != drawn[1]).any()
    assert (drawn[1] != drawn[2]).any()


def test_a_file_is_drawn_as_the_window_opens_it(tmp_path: Path, qapp: object) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("left,right\n" + "".join(f"{i},{i % 3}\n" for i in range(12)), "utf-8")
    render_view(tmp_path / "file.png", files=[str(path)], size=(1366, 768))
    render_view(tmp_path / "sample.png", size=(1366, 768))
    assert (pixels(tmp_path / "file.png") != pixels(tmp_path / "sample.png")).any()


def test_what_cannot_be_read_or_written_is_a_users_error(tmp_path: Path, qapp: object) -> None:
    with pytest.raises(SequenceError, match=r"nothing\.csv"):
        render_view(tmp_path / "a.png", files=[str(tmp_path / "nothing.csv")])
    with pytest.raises(StudioError, match="cannot be written"):
        render_view(tmp_path / "no folder" / "a.png", result=answer(small_setup()))


def test_a_full_disk_is_called_full_and_leaves_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StudioError, match=r"a\.png cannot be written: No space left on device\. .* with room\.$"):
        render_view(tmp_path / "a.png", result=answer(small_setup()))
    assert list(tmp_path.iterdir()) == []


def test_every_panel_draws_something(qtbot: object) -> None:
    with opened_window() as window:
        for info in PANELS:
            window.show_panel(info.key, True)
            assert colours_in(window.panel(info.key)) > 24, info.key
        for widget in (window.workspace, window.transport):
            assert colours_in(widget) > 24
