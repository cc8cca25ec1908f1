"""The maps from numbers to colours that one can choose from; all can be read with any kind of colour vision.

From one end to the other, or from zero outwards, each gets steadily lighter or steadily darker: the order can be read
from the brightness alone, in print and on a poor projector too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from lstm_studio.ui.theme import Theme

GATE_MAPS: Mapping[str, str] = MappingProxyType({"cividis": "Cividis", "viridis": "Viridis", "gray": "Grey"})
"""For what lies between 0 and 1 and for logarithms: key, as the package cmap knows it → title."""

SIGNED_MAPS: Mapping[str, str] = MappingProxyType({"blue-orange": "Blue – orange", "purple-green": "Purple – green"})
"""For what lies around 0: key → title."""

# From the most negative to the most positive number; the middle is replaced by the panel's tone, as zero is no colour.
_ANCHORS: Mapping[tuple[str, bool], tuple[str, ...]] = MappingProxyType(
    {
        ("purple-green", False): ("#40004B", "#762A83", "#AF8DC3", "#F5F5F3", "#8CC98A", "#1B7837", "#00441B"),
        ("purple-green", True): ("#ECD6F2", "#B98AC9", "#643A75", "#20252B", "#2B613A", "#6FC07A", "#D4F5CF"),
    }
)


@cache
def with_maps(theme: Theme, gates: str, signed: str) -> Theme:
    """Return a theme with other maps; the same object each time.

    Parameters
    ----------
    theme
        One of the two.
    gates, signed
        Keys of :data:`GATE_MAPS` and :data:`SIGNED_MAPS`.

    Raises
    ------
    KeyError
        If there is no such map.
    """
    if gates not in GATE_MAPS or signed not in SIGNED_MAPS:
        raise KeyError(f"{gates}, {signed}")
    anchors = _ANCHORS.get((signed, theme.dark), theme.signed_anchors)
    if gates == theme.gate_map and anchors == theme.signed_anchors:
        return theme
    return replace(theme, gate_map=gates, signed_anchors=anchors)
