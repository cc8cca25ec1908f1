"""Sequence sets that LSTM Studio saved itself."""

from __future__ import annotations

from pathlib import Path

from lstm_studio.progress import Progress
from lstm_studio.sequences.options import ReadOptions, require_memory
from lstm_studio.sequences.reading import Head, Match, Reader
from lstm_studio.sequences.sequence import SequenceSet
from lstm_studio.sequences.storage import load_set


def _recognise(head: Head) -> Match:
    # Eight bytes give the length of a JSON header, at most 100 MB, which then begins.
    is_safetensors = head.start[8:9] == b"{" and int.from_bytes(head.start[:8], "little") <= 100_000_000
    return Match.CERTAIN if is_safetensors else Match.NO


def _read(path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    progress(0.0, require_memory(path.name, path.stat().st_size, "a saved sequence set", options))
    return load_set(path)


READER = Reader("saved sequence set (.safetensors)", (".safetensors",), _recognise, _read, of_bytes=True)
