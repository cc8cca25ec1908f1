"""Sounds: log-mel frames, or the samples themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress
from lstm_studio.sequences.options import AudioFeatures, ReadOptions, require_memory
from lstm_studio.sequences.readers._mel import LogMel
from lstm_studio.sequences.reading import Head, Match, Reader
from lstm_studio.sequences.sequence import Sequence, SequenceSet

if TYPE_CHECKING:
    import soundfile  # type: ignore[import-untyped]  # it has no annotations

_BLOCK = 1 << 18  # samples between two reports
_UNKNOWN_SIZE = (0, 0xFFFFFFFF)  # what a recorder writes that cannot go back to fill in the size
_LAST_PAGE = 4  # the flag of the page that ends an OGG stream


def _recognise(head: Head) -> Match:
    start = head.start
    is_wave = start[:4] in {b"RIFF", b"RF64"} and start[8:12] == b"WAVE"
    return Match.CERTAIN if is_wave or start[:4] in {b"fLaC", b"OggS"} else Match.NO


def _read(path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    import soundfile

    _refuse_cut(path)
    try:
        with soundfile.SoundFile(path) as file:
            return _read_open(file, path, options, progress)
    except soundfile.LibsndfileError as error:
        raise SequenceError(
            f"{path} is not a whole sound file: {error.error_string.rstrip('.')}.", "Export or download it again."
        ) from error


def _read_open(file: soundfile.SoundFile, path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    rate, channels, frames = file.samplerate, file.channels, file.frames
    if frames <= 0:
        raise SequenceError(f"{path} holds no samples.", "Choose a sound that is not empty, or export it again.")
    seconds = frames / rate
    mel = LogMel.at(rate) if options.audio is AudioFeatures.LOG_MEL else None
    steps = frames if mel is None else mel.count(frames)
    features = 1 if mel is None else mel.bands
    # The samples themselves are held as well, and the time axis takes eight bytes a step.
    needed = 4 * frames + steps * (4 * features + 8)
    words = require_memory(path.name, needed, f"{seconds:,.1f} s of sound, {steps:,} steps × {features}", options)
    samples = np.empty(frames, np.float32)
    done = 0
    while done < frames:
        progress(0.8 * done / frames, words)
        block = file.read(min(_BLOCK, frames - done), dtype="float32", always_2d=True)
        if not len(block):
            raise SequenceError(
                f"{path} is cut short: {done:,} of {frames:,} samples are there.", "Export or download it again."
            )
        samples[done : done + len(block)] = block.mean(axis=1)
        done += len(block)
    facts = [
        ("sample rate", f"{rate:,} Hz"),
        ("duration", f"{seconds:,.2f} s"),
        ("channels", "1" if channels == 1 else f"{channels}, averaged"),
    ]
    if mel is None:
        facts.append(("features", "samples"))
        sequence = Sequence(samples[:, None], ("amplitude",), np.arange(frames) / rate, name=path.name, time_unit="s")
    else:
        facts.append(("features", f"{mel.bands} log-mel bands, 25 ms window, 10 ms hop"))
        values = mel.transform(samples, lambda fraction: progress(0.8 + 0.2 * fraction, words))
        sequence = Sequence(values, mel.names, mel.times(steps), name=path.name, time_unit="s")
    return SequenceSet((sequence,), facts=tuple(facts))


def _refuse_cut(path: Path) -> None:
    """Refuse a WAV or OGG that is cut short: the library would read the rest as if that were all."""
    size = path.stat().st_size
    with path.open("rb") as file:
        mark = file.read(4)
        if mark == b"RIFF":
            declared = _wave_data_end(file)
            cut = declared is not None and declared > size
        elif mark == b"OggS":
            file.seek(max(0, size - 131_072))  # longer than the longest page
            tail = file.read()
            last = tail.rfind(b"OggS")
            cut = last < 0 or last + 5 >= len(tail) or not tail[last + 5] & _LAST_PAGE
        else:
            return
    if cut:
        raise SequenceError(f"{path} is cut short: its sound goes on beyond its end.", "Export or download it again.")


def _wave_data_end(file: BinaryIO) -> int | None:
    """Return where the samples of a WAV should end, None where it does not say."""
    file.seek(12)
    while len(header := file.read(8)) == 8:
        size = int.from_bytes(header[4:], "little")
        if header[:4] == b"data":
            return None if size in _UNKNOWN_SIZE else file.tell() + size
        file.seek(size + size % 2, 1)
    return None


READER = Reader(
    "sound (.wav, .flac, .ogg)", (".wav", ".wave", ".flac", ".ogg", ".oga"), _recognise, _read, of_bytes=True
)
