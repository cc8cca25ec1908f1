"""Playbacks as files: how long they are, and what a full disk leaves of them."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lstm_studio.errors import StudioError
from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.session.compute import Computer
from lstm_studio.session.encoding import Frame, FrameQueue, WritePlayback

COUNT = 50


class Drawn(FrameQueue):
    """Frames that are there at once; each differs from the one before, as the same ones would be told as one."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0

    def take(self, progress: Progress, done: float) -> Frame | None:
        progress(done, "")
        self._next += 1
        return np.full((4, 4, 3), 255 * (self._next % 2), np.uint8)


def question_of(path: Path, rate: float) -> WritePlayback:
    palette = np.zeros((4, 4, 3), np.uint8)
    palette[:2] = 255
    return WritePlayback(str(path), palette, COUNT, rate, Drawn())


@pytest.mark.parametrize("rate", [1.0, 3.0, 7.0, 12.0, 30.0, 40.0, 48.0, 50.0])
def test_a_gif_is_as_long_as_it_should_be(tmp_path: Path, rate: float) -> None:
    path = tmp_path / "a.gif"
    assert question_of(path, rate).answer(Computer(), ignore_progress) == str(path)
    durations = []
    with Image.open(path) as image:
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            durations.append(image.info["duration"])
    assert len(durations) == COUNT
    assert min(durations) >= 20
    assert abs(sum(durations) - 1_000 * COUNT / rate) <= 5


def test_a_full_disk_is_called_one_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(StudioError, match="No space left") as caught:
        question_of(tmp_path / "a.gif", 10.0).answer(Computer(), ignore_progress)
    assert "Make room" in caught.value.cure
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [0, 1])
@pytest.mark.parametrize(
    ("said", "cure"),
    [("Error closing file a.mp4: No space left on device", "Make room"), ("no codec", "a GIF")],
)
def test_what_the_encoder_says_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, cure: str, status: int
) -> None:
    if sys.platform == "win32":
        return
    program = tmp_path / "encoder"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{said}' >&2\necho 'Conversion failed!' >&2\nexit {status}\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr("lstm_studio.session.encoding.ffmpeg", lambda: str(program))
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(StudioError) as caught:
        question_of(folder / "a.mp4", 10.0).answer(Computer(), ignore_progress)
    assert cure in caught.value.cure
    assert list(folder.iterdir()) == []
