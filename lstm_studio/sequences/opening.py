"""Opening a file or a folder: the one way in for sequences."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from lstm_studio.arguments import instance, path_of, wrong
from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.sequences.folders import join_files
from lstm_studio.sequences.missing import treat_missing
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.sequences.readers import readers
from lstm_studio.sequences.reading import Head, Match, Reader
from lstm_studio.sequences.sequence import SequenceSet

_DEFAULTS = ReadOptions()


def open_sequence(
    path: str | os.PathLike[str], *, options: ReadOptions = _DEFAULTS, progress: Progress = ignore_progress
) -> SequenceSet:
    """Open a file, or a folder of files, as sequences.

    The reader is chosen by what the file holds; the suffix decides only where the contents leave it open. The result's
    facts say how the file was read, and its columns what was made of each column of a table.

    Parameters
    ----------
    path
        A table (CSV, TSV, JSON lines, Parquet), NPY or NPZ, UEA .ts, UCR .tsv or .txt, plain text, WAV, FLAC or OGG, a
        saved set (.safetensors), or a folder of such files with the same features.
    options
        Corrections and choices.
    progress
        Told how far the reading is, and how much memory it needs; may raise ``Cancelled``.

    Returns
    -------
    SequenceSet
        Unscaled, finite values.

    Raises
    ------
    SequenceError
        The file cannot be read as asked; the message says what was found, where, and what to do.
    ChoiceNeededError
        A SequenceError that another choice in ``options`` resolves: values are missing, or it needs too much memory.
    """
    path = path_of("path", path, SequenceError)
    instance("options", options, ReadOptions, SequenceError, "Give a ReadOptions.")
    if not callable(progress):
        raise wrong("progress", progress, SequenceError, "Give a function of a share and a text.")
    try:
        if path.is_dir():
            return join_files(path, _open_file, options, progress)
        return _open_file(path, options, progress)
    except OSError as error:
        raise SequenceError(
            f"{path} cannot be read: {error.strerror or error}.", "Check that it exists and that you may read it."
        ) from error
    except MemoryError as error:
        raise SequenceError(
            f"{path} needs more memory than this computer has free.", "Open a shorter part of the file."
        ) from error


def supported_formats() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the title and the usual suffixes of every kind of file that can be opened, for file dialogs."""
    return tuple((reader.title, reader.suffixes) for reader in readers())


def _open_file(path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    if not path.exists():
        raise SequenceError(f"{path} does not exist.", "Check the spelling and the folder.")
    if not path.is_file():
        raise SequenceError(f"{path} is neither a file nor a folder.", "Open a file that holds sequences.")
    head = Head.of(path)
    if head.size == 0:
        raise SequenceError(f"{path} is empty.", "Choose a file that holds at least one step.")
    if head.whole and not head.start.strip():
        raise SequenceError(f"{path} holds nothing but blanks.", "Choose a file that holds at least one step.")
    reader = _choose(head)
    progress(0.0, f"reading {path.name}: {reader.title}")
    sequences = reader.read(path, options, progress)
    facts = [("format", reader.title)]
    if head.suffix and head.suffix not in reader.suffixes and _usual(head.suffix):
        facts[0] = ("format", f"{reader.title} by its contents, although it is named {head.suffix}")
    named = replace(
        sequences,
        source=sequences.source or str(path),
        title=sequences.title or path.name,
        facts=(*facts, *sequences.facts),
    )
    complete = treat_missing(named, options.missing)
    progress(1.0, f"read {path.name}")
    return complete


def _choose(head: Head) -> Reader:
    """Return the reader that fits the contents best; of equals, the one whose suffix it has."""
    ranked = [(2 * reader.recognise(head) + (head.suffix in reader.suffixes), reader) for reader in readers()]
    score, reader = max(ranked, key=lambda item: item[0])
    named = _usual(head.suffix)
    # Any text can be read letter by letter; but nobody calls one a sound, or an array.
    if score < 2 * Match.LIKELY and score >= 2 * Match.POSSIBLE and named and named[0].of_bytes:
        raise SequenceError(
            f"{head.path} is named {head.suffix}, but is no {named[0].title}: it is a text, which begins with "
            f"{head.lines[0][:40]!r}.",
            "Perhaps a page or a pointer was downloaded in its place: download the file itself. A text has to be named "
            ".txt.",
        )
    if score >= 2 * Match.POSSIBLE:
        return reader
    titles = "; ".join(reader.title for reader in readers())
    begins = head.start[:8].hex(" ")
    if named:
        raise SequenceError(
            f"{head.path} is named {head.suffix}, but is no {named[0].title}: it begins with the bytes {begins}.",
            f"It may be damaged or cut short. Supported are: {titles}.",
        )
    raise SequenceError(
        f"{head.path} is of no kind that can be read: it begins with the bytes {begins}.", f"Supported are: {titles}."
    )


def _usual(suffix: str) -> list[Reader]:
    return [reader for reader in readers() if suffix in reader.suffixes]
