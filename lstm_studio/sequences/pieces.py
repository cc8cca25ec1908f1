"""Cutting long sequences into pieces that a window can show."""

from __future__ import annotations

from dataclasses import replace

from lstm_studio.sequences.sequence import Encoding, Sequence, SequenceSet

LONGEST = 10_000
"""The most steps that are shown in one piece."""
_LONGEST_TEXT = 2_000
_TEXT_PIECE = 1_000


def suggest_piece_length(sequences: SequenceSet) -> int | None:
    """Return how long pieces should be, or None where every sequence can be shown whole.

    Text is cut into shorter pieces, because a character is wider than a sample.
    """
    longest = max(map(len, sequences))
    if _is_text(sequences):
        return _TEXT_PIECE if longest > _LONGEST_TEXT else None
    return LONGEST if longest > LONGEST else None


def split(sequences: SequenceSet, length: int) -> SequenceSet:
    """Cut the sequences that are longer than ``length`` into consecutive pieces, without copying a value.

    Parameters
    ----------
    sequences
        Any set; scaling, classes and facts are kept.
    length
        Steps of a piece, at least 1; the last piece of a sequence may be shorter.

    Returns
    -------
    SequenceSet
        Time and per-step targets are cut along, a class is kept by every piece, a target for the last step only by the
        last piece. A piece is named by its place, for example ``"tale.txt steps 1–1,000"``.

    Raises
    ------
    ValueError
        If ``length`` is below 1.
    """
    if length < 1:
        raise ValueError(f"a piece has at least one step, not {length}")
    if max(map(len, sequences)) <= length:
        return sequences
    pieces: list[Sequence] = []
    for sequence in sequences:
        if len(sequence) <= length:
            pieces.append(sequence)
            continue
        pieces += [_piece(sequence, start, length) for start in range(0, len(sequence), length)]
    facts = (*sequences.facts, ("pieces", f"{len(pieces):,} of at most {length:,} steps"))
    return replace(sequences, sequences=tuple(pieces), facts=facts)


def _piece(sequence: Sequence, start: int, length: int) -> Sequence:
    stop = min(start + length, len(sequence))
    target = sequence.target
    if target is not None and target.ndim == 2:
        target = target[start:stop]
    elif target is not None and target.ndim == 1 and stop < len(sequence):
        target = None
    scaled = sequence.raw is not None and sequence.raw is not sequence.values
    return replace(
        sequence,
        values=sequence.values[start:stop],
        raw=sequence.raw[start:stop] if scaled and sequence.raw is not None else None,
        time=None if sequence.time is None else sequence.time[start:stop],
        target=target,
        name=f"{sequence.name} steps {start + 1:,}–{stop:,}".lstrip(),
    )


def _is_text(sequences: SequenceSet) -> bool:
    return sequences[0].encoding is Encoding.ONE_HOT or sequences.indicators.issuperset(sequences.names)
