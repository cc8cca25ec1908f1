"""Notes pinned to steps: what happens to them when one is added, changed or removed, or the sequences are cut anew."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

from lstm_studio.session.state import Note, Setup

_SHORT = 40
"""Characters of a note in a menu."""


def sorted_notes(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Return notes in the order of their sequences and steps; those of one step in the order in which they came."""
    return tuple(sorted(notes, key=lambda note: (note.item, note.step)))


def notes_of(notes: Iterable[Note], item: int) -> tuple[Note, ...]:
    """Return the notes of one sequence."""
    return tuple(note for note in notes if note.item == item)


def with_note(notes: Iterable[Note], note: Note) -> tuple[Note, ...]:
    """Return the notes with one more, whose blank edges are cut off; the same ones if nothing is left of it."""
    text = note.text.strip()
    return sorted_notes((*notes, replace(note, text=text)) if text else notes)


def with_text(notes: Sequence[Note], index: int, text: str) -> tuple[Note, ...]:
    """Return the notes with another text in one of them, or without it if nothing is left of the text."""
    changed = [replace(notes[index], text=text.strip())] if text.strip() else []
    return (*notes[:index], *changed, *notes[index + 1 :])


def short(note: Note) -> str:
    """Return the first line of a note, shortened for a menu."""
    line = note.text.partition("\n")[0]
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1].rstrip()}…"


def recut(notes: Iterable[Note], lengths: Sequence[int], before: int | None, after: int | None) -> tuple[Note, ...]:
    """Return the notes at the same events, after long sequences are cut into pieces of another length.

    Parameters
    ----------
    notes
        In the pieces as they are.
    lengths
        Steps of each sequence before it is cut.
    before, after
        Steps of a piece; None for whole sequences. A note on an event that was added by hand goes to the last step.
    """
    old, new = _first_pieces(lengths, before), _first_pieces(lengths, after)
    moved = []
    for note in notes:
        sequence = max(index for index, first in enumerate(old[:-1]) if first <= note.item)
        step = (note.item - old[sequence]) * (before or 0) + note.step
        step = min(step, lengths[sequence] - 1)
        piece, place = divmod(step, after) if after is not None and lengths[sequence] > after else (0, step)
        moved.append(replace(note, item=new[sequence] + piece, step=place))
    return sorted_notes(moved)


def notes_in(notes: tuple[Note, ...], before: Setup, after: Setup) -> tuple[Note, ...]:
    """Return the notes that another setup leaves, at their events; none on other sequences.

    One on an event that had been added, and is there no longer, goes to the last step.
    """
    if after.data is not before.data or not notes:
        return ()
    lengths = [len(sequence) for sequence in after.data]
    if after.piece_length != before.piece_length:
        notes = recut(notes, lengths, before.piece_length, after.piece_length)
    return _within(notes, lengths, after.piece_length, after.item, len(after.events))


def _within(
    notes: tuple[Note, ...], lengths: Sequence[int], piece_length: int | None, shown: int, added: int
) -> tuple[Note, ...]:
    """Return the notes at steps that there are, where so many events have been added to the shown sequence."""
    first = _first_pieces(lengths, piece_length)
    moved = []
    for note in notes:
        sequence = bisect_right(first, note.item, hi=len(lengths)) - 1
        steps = lengths[sequence]
        if piece_length is not None:
            steps = min(piece_length, steps - (note.item - first[sequence]) * piece_length)
        last = steps - 1 + (added if note.item == shown else 0)
        moved.append(note if note.step <= last else replace(note, step=last))
    return sorted_notes(moved)


def _first_pieces(lengths: Sequence[int], length: int | None) -> list[int]:
    """Return the index of the first piece of each sequence, and the number of all pieces at the end."""
    counts = [1 if length is None or steps <= length else -(-steps // length) for steps in lengths]
    return [0, *accumulate(counts)]
