"""Short names for networks that are shown side by side."""

from __future__ import annotations

from collections.abc import Sequence


def short_names(titles: Sequence[str]) -> tuple[str, ...]:
    """Return a short name for each title, ``("LSTM", "RNN")``, numbered where they would be the same."""
    short = [title.split()[-1] for title in titles]
    if len(set(short)) == len(short):
        return tuple(short)
    words = [title.split() for title in titles]
    # "Article LSTM" beside "1997 LSTM" is called by the words that the other has not.
    own = [
        " ".join(word for word in title if all(word not in other for other in words if other is not title))
        for title in words
    ]
    told_apart = [name or title for name, title in zip(own, titles, strict=True)]
    if len(set(told_apart)) == len(told_apart):
        return tuple(told_apart)
    return tuple(f"{name} {number}" for number, name in enumerate(short, start=1))
