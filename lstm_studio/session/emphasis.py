"""Which symbols of a one-hot set are events rather than background."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from lstm_studio.sequences.sequence import Encoding, SequenceSet

_LOOKED_AT = 200
"""Sequences counted; more would not change which symbols are rare."""
_RARE = 0.75

_known: WeakKeyDictionary[SequenceSet, tuple[str, ...]] = WeakKeyDictionary()


def emphasised_symbols(sequences: SequenceSet) -> tuple[str, ...]:
    """Return the symbols that stand out, in the order of the features; empty for quantities.

    A symbol stands out if it is used at less than three quarters of an even share, and not only as the mark that
    begins or ends every sequence. Where that holds for more than half of the alphabet, as in a text, none does.
    """
    if sequences[0].encoding is not Encoding.ONE_HOT:
        return ()
    if sequences not in _known:
        _known[sequences] = _emphasised(sequences)
    return _known[sequences]


def _emphasised(sequences: SequenceSet) -> tuple[str, ...]:
    looked_at = [sequence.values for sequence in sequences[:_LOOKED_AT] if sequence.steps]
    counts = np.zeros(len(sequences.names))
    inside = np.zeros(len(sequences.names))
    for values in looked_at:
        counts += values.sum(axis=0)
        inside += values[1:-1].sum(axis=0)
    even = counts.sum() / len(counts)
    rare = (counts > 0) & (counts < _RARE * even)
    if rare.sum() > len(counts) / 2:
        return ()
    return tuple(name for name, stands_out in zip(sequences.names, rare & (inside > 0), strict=True) if stands_out)
