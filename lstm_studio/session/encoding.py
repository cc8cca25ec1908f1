"""Playbacks as files: frames that the window draws become an animated GIF, or an MP4 where ffmpeg is installed."""

from __future__ import annotations

import errno
import os
import queue
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import StudioError
from lstm_studio.progress import Progress
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.writing import cure_for

Frame = NDArray[np.uint8]
"""(height, width, 3) red, green, blue."""

PLAYBACK_SUFFIXES = (".gif", ".mp4")
FASTEST_GIF = 50.0
"""Frames a second; browsers slow down what claims to be faster."""

_WAITING = 4
"""Frames that may wait to be written, so that memory holds a few at a time."""
_PATIENCE = 0.05
"""Seconds between two looks at whether the file is still wanted."""
_COLOURS = 256


class FrameQueue:
    """Hands frames from the thread that draws to the thread that writes, a few at a time."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Frame | None] = queue.Queue(_WAITING)
        self.closed = False
        """Whether nobody takes frames any longer."""

    @property
    def full(self) -> bool:
        """Whether another frame would have to wait."""
        return self._queue.full()

    def put(self, frame: Frame | None) -> None:
        """Add a frame; None after the last one.

        Raises
        ------
        queue.Full
            If there is no room; ask :attr:`full` first.
        """
        self._queue.put_nowait(frame)

    def take(self, progress: Progress, done: float) -> Frame | None:
        """Wait for the next frame; None after the last one.

        Raises
        ------
        Cancelled
            If ``progress`` raised it.
        """
        while True:
            progress(done, "Writing the playback")
            try:
                return self._queue.get(timeout=_PATIENCE)
            except queue.Empty:
                continue


@dataclass(frozen=True, eq=False, slots=True)
class WritePlayback(Question):
    """Write frames to a file as they come; answered with its path.

    Parameters
    ----------
    path
        Ends in one of :data:`PLAYBACK_SUFFIXES`.
    palette
        A frame with all colours, of which the 256 of a GIF are chosen.
    count
        How many frames will come.
    rate
        Frames a second, above 0; of a GIF in hundredths of a second each.
    frames
        Where they come from.
    """

    path: str
    palette: Frame
    count: int
    rate: float
    frames: FrameQueue = field(default_factory=FrameQueue)

    title: ClassVar[str] = "Writing the playback"
    about_result: ClassVar[bool] = False

    def answer(self, tools: Tools, progress: Progress) -> str:  # noqa: ARG002 - needs nothing but frames
        """Write the file; nothing is left of it if that fails or is cancelled."""
        path = Path(self.path)
        if path.suffix.lower() not in PLAYBACK_SUFFIXES:
            known = " or ".join(PLAYBACK_SUFFIXES)
            raise StudioError(f"{path}: a playback cannot be saved as {path.suffix}.", f"Choose {known}.")
        try:
            self._write(path, progress)
        except OSError as error:
            raise StudioError(f"{path} cannot be written: {error.strerror or error}.", cure_for(error)) from error
        finally:
            self.frames.closed = True
        return str(path)

    def _write(self, path: Path, progress: Progress) -> None:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".playback-") as folder:
            unfinished = Path(folder) / path.name
            if path.suffix.lower() == ".gif":
                self._write_gif(unfinished, progress)
            else:
                self._write_mp4(unfinished, progress)
            unfinished.replace(path)

    def _each(self, progress: Progress) -> Iterator[Frame]:
        for index in range(self.count):
            frame = self.frames.take(progress, index / self.count)
            if frame is None:
                return
            yield frame

    def _write_gif(self, path: Path, progress: Progress) -> None:
        from PIL import Image

        colours = Image.fromarray(self.palette).quantize(_COLOURS)
        # One palette for all frames and no dithering: what does not change is the same in every frame.
        images = (Image.fromarray(f).quantize(palette=colours, dither=Image.Dither.NONE) for f in self._each(progress))
        first = next(images)
        # Whole hundredths of a second each, but altogether no longer or shorter than they should be.
        ends = [round(100 * index / self.rate) for index in range(self.count + 1)]
        durations = [10 * max(round(100 / FASTEST_GIF), end - begin) for begin, end in pairwise(ends)]
        first.save(path, format="GIF", save_all=True, append_images=images, duration=durations, loop=0, disposal=1)

    def _write_mp4(self, path: Path, progress: Progress) -> None:
        program = ffmpeg()
        if program is None:
            raise StudioError("An MP4 needs ffmpeg, which is not installed.", "Install ffmpeg, or save a GIF.")
        height, width = self.palette.shape[:2]
        options = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{self.rate:g}", "-i", "-")
        # Players expect 4:2:0, which needs an even number of pixels each way.
        coded = ("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
        command = [program, "-hide_banner", "-loglevel", "error", "-y", *options, *coded, str(path)]
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603 - a list of words, and no shell
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
            )
            try:
                self._feed(process, progress)
            except BaseException:
                process.kill()
                raise
            finally:
                status = process.wait()
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            # Some versions call it a success that the end of the file did not fit on the disk.
            if status or said:
                full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if str(full.strerror) in said:
                    raise full
                last = said.splitlines()[-1] if said else f"exit status {status}"
                raise StudioError(
                    f"ffmpeg could not write {self.path}: {last}.", "Save a GIF, or install another build of ffmpeg."
                )

    def _feed(self, process: subprocess.Popen[Any], progress: Progress) -> None:
        assert process.stdin is not None  # noqa: S101 - opened as a pipe
        try:
            for frame in self._each(progress):
                process.stdin.write(np.ascontiguousarray(frame).tobytes())
            process.stdin.close()
        except BrokenPipeError:
            # It has given up; its exit status and its last words say why.
            return


def ffmpeg() -> str | None:
    """Return the path of the encoder of MP4 files, or None where it is not installed."""
    return shutil.which("ffmpeg")
