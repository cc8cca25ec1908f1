"""A folder of files as one set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress
from lstm_studio.sequences.options import ChoiceNeededError, ReadOptions
from lstm_studio.sequences.sequence import Encoding, Sequence, SequenceSet

_NAMED = 5  # files that are listed by name before the rest are counted

Open = Callable[[Path, ReadOptions, Progress], SequenceSet]


def join_files(folder: Path, open_file: Open, options: ReadOptions, progress: Progress) -> SequenceSet:
    """Read every file of a folder and join those that have the same features.

    Where files differ, the features that most files have win; the others are left out and named in the facts, as are
    files that cannot be read. Symbols and classes are united: a symbol that one text lacks is a feature that stays 0.

    Parameters
    ----------
    folder
        Read without its subfolders and hidden files, in natural order (2 before 10); the options may name its files.
    open_file
        Reads one file.
    options, progress
        As for one file; the memory limit holds for all files together.

    Raises
    ------
    SequenceError
        No file can be read; the message has the first file's reason.
    ChoiceNeededError
        A file needs a choice by the user.
    """
    named = options.files
    found = (path for path in folder.iterdir() if path.is_file() and (path.name in named or not named))
    paths = sorted((path for path in found if path.name[0] != "." or named), key=_natural)
    if not paths:
        raise SequenceError(f"{folder} holds no files.", "Choose a folder that holds the files themselves.")
    opened: list[tuple[Path, SequenceSet]] = []
    left_out: list[str] = []
    spent = 0
    first_error: SequenceError | None = None
    for index, path in enumerate(paths):

        def part(fraction: float, words: str, index: int = index) -> None:
            progress((index + min(max(fraction, 0.0), 1.0)) / len(paths), words)

        remaining = replace(options, memory_limit=options.memory_limit - spent)
        try:
            sequences = open_file(path, remaining, part)
        except ChoiceNeededError:
            raise
        except (SequenceError, OSError) as error:
            told = error if isinstance(error, SequenceError) else _unread(path, error)
            first_error = first_error or told
            left_out.append(f"{path.name} (cannot be read)")
            continue
        spent += sum(sequence.values.nbytes for sequence in sequences)
        opened.append((path, sequences))
    if not opened and first_error is not None:
        raise SequenceError(
            f"{folder} holds {len(paths)} files, none of which can be read; the first: {first_error.found}",
            first_error.cure,
        )
    kinds = Counter(_kind(sequences) for _, sequences in opened)
    wanted = kinds.most_common(1)[0][0]
    fitting = [(path, sequences) for path, sequences in opened if _kind(sequences) == wanted]
    left_out += [f"{path.name} (other features)" for path, sequences in opened if _kind(sequences) != wanted]
    joined = _join(folder, fitting, left_out)
    return replace(joined, title=f"{paths[0].name} and {len(paths) - 1} more") if named and len(paths) > 1 else joined


def _join(folder: Path, files: list[tuple[Path, SequenceSet]], left_out: list[str]) -> SequenceSet:
    first = files[0][1]
    united: frozenset[str] = frozenset().union(*(sequences.indicators for _, sequences in files))
    names = _united_names([sequences for _, sequences in files])
    classes = tuple(dict.fromkeys(name for _, sequences in files for name in sequences.classes))
    joined: list[Sequence] = []
    for path, sequences in files:
        places = np.array([classes.index(name) for name in sequences.classes], np.int64)
        columns = [names.index(name) for name in sequences.names]
        joined += [
            replace(
                sequence,
                values=_placed(sequence.values, columns, len(names)),
                raw=None,
                names=names,
                target=_target(sequence.target, places, len(classes)),
                name=path.name if len(sequences) == 1 else f"{path.name} · {sequence.name}",
            )
            for sequence in sequences
        ]
    facts = [("files", f"{len(files)} of {len(files) + len(left_out)}"), *_shared_facts(files)]
    if left_out:
        more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
        facts.append(("left out", ", ".join(left_out[:_NAMED]) + more))
    return SequenceSet(
        sequences=tuple(joined),
        source=str(folder),
        title=folder.name,
        classes=classes,
        facts=tuple(facts),
        scaling=first.scaling,
        columns=first.columns,
        indicators=united,
    )


def _kind(sequences: SequenceSet) -> tuple[Encoding, tuple[str, ...], bool]:
    """Return what must agree for two files to be one set: the encoding, the quantities, whether there are symbols."""
    quantities = tuple(name for name in sequences.names if name not in sequences.indicators)
    if sequences[0].encoding is Encoding.ONE_HOT:
        quantities = ()
    return sequences[0].encoding, quantities, bool(sequences.indicators)


def _united_names(sets: list[SequenceSet]) -> tuple[str, ...]:
    if all(sequences.names == sets[0].names for sequences in sets):
        return sets[0].names
    symbols = {name for sequences in sets for name in sequences.names if name in sequences.indicators}
    indicators = sorted(symbols, key=lambda name: (_natural_name(name), name))
    quantities = [name for name in sets[0].names if name not in sets[0].indicators]
    return (*quantities, *indicators)


def _target(target: NDArray[Any] | None, places: NDArray[np.int64], classes: int) -> NDArray[Any] | None:
    """Return the target with its classes, an index or one-hot for each step, among those of all files."""
    if target is None or not classes:
        return target
    return places[target] if target.ndim == 0 else _placed(target, places.tolist(), classes)


def _placed(values: NDArray[np.float32], places: list[int], width: int) -> NDArray[np.float32]:
    """Return (T, width) with the columns of (T, F) ``values`` at ``places`` and zeros elsewhere."""
    if places == list(range(width)):
        return values
    placed = np.zeros((len(values), width), np.float32)
    placed[:, places] = values
    return placed


def _shared_facts(files: list[tuple[Path, SequenceSet]]) -> list[tuple[str, str]]:
    first = files[0][1].facts
    return [fact for fact in first if all(fact in sequences.facts for _, sequences in files)]


def _natural(path: Path) -> list[tuple[int, str]]:
    return _natural_name(path.name)


def _natural_name(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name) if part]


def _unread(path: Path, error: OSError) -> SequenceError:
    return SequenceError(f"{path.name} cannot be read: {error.strerror or error}.", "Check that you may read it.")
