"""Short names for networks that are shown side by side, and the canonical ones of layers."""

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


def layer_prefix(path: str, kind: str, layer: int, reverse: bool) -> str:
    """Return the canonical prefix of a layer and direction.

    Parameters
    ----------
    path
        Attribute path of the module in its model; empty for a bare module, which is called after its kind.
    kind
        Registered kind.
    layer
        From 0.
    reverse
        Whether this is the pass that runs backwards in time.
    """
    return f"{path or kind}.{layer}{'.reverse' if reverse else ''}"
