"""What is looked for by *Find similar*: in which signal, from which value on a unit is on, and which units matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

Units = tuple[int, ...]
"""Ascending, each once."""


class Stance(StrEnum):
    """What a unit has to be all through a stretch."""

    ON = "on"
    """At or above the threshold."""
    OFF = "off"
    """Below it."""
    ANY = "any"


class Suggested(StrEnum):
    """Which units are looked for without being named."""

    ON = "on"
    """Those that are on all through the marked stretch."""
    BOTH = "both"
    """Those that are on all through it, as on, and those that are off all through it, as off."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for in one signal.

    Parameters
    ----------
    threshold
        From which value on a unit is on; None for the usual one of the signal.
    margin
        Steps beside the stretch in which each unit is on the other side of the threshold, 0 … 64; at first none, as
        what a network has stored rarely begins and ends with a stretch.
    suggested
        Which units the marked stretch suggests.
    on, off, any
        Units that were given a stance by hand, whatever the stretch suggests; no unit has two.
    """

    threshold: float | None = None
    margin: int = 0
    suggested: Suggested = Suggested.ON
    on: Units = ()
    off: Units = ()
    any: Units = ()

    @property
    def by_hand(self) -> frozenset[int]:
        """The units that were given a stance by hand."""
        return frozenset((*self.on, *self.off, *self.any))

    def with_stance(self, unit: int, stance: Stance | None) -> Wish:
        """Return the wish with another stance of a unit; None for what the stretch suggests."""
        left = {one: tuple(other for other in getattr(self, one) if other != unit) for one in Stance}
        if stance is not None:
            left[stance] = tuple(sorted((*left[stance], unit)))
        return replace(self, on=left[Stance.ON], off=left[Stance.OFF], any=left[Stance.ANY])

    def chosen(self, on: Units, off: Units, units: int) -> tuple[Units, Units]:
        """Return the units that have to be on, and off, of a signal of so many units.

        Parameters
        ----------
        on, off
            Those that are so all through the marked stretch.
        units
            H; stances of others are passed over.
        """
        free = self.by_hand
        suggest_on = on if self.suggested is not Suggested.NONE else ()
        suggest_off = off if self.suggested is Suggested.BOTH else ()
        both = ((self.on, suggest_on), (self.off, suggest_off))
        found = [
            tuple(sorted({*(unit for unit in named if 0 <= unit < units), *(set(suggest) - free)}))
            for named, suggest in both
        ]
        return found[0], found[1]


@dataclass(frozen=True, slots=True)
class LookingFor:
    """What *Find similar* looks for.

    Parameters
    ----------
    signal
        Network index and canonical name, ``"0:lstm.0.hidden_state"``; empty for the usual one.
    everywhere
        Whether all sequences are searched; else the shown one.
    wishes
        Signal → what is looked for in it, where that is not the usual.
    """

    signal: str = ""
    everywhere: bool = False
    wishes: Mapping[str, Wish] = field(default_factory=lambda: MappingProxyType({}))

    def elsewhere(self) -> LookingFor:
        """Return what is meant for other sequences too: thresholds, but no units that were chosen by hand."""
        wishes = {
            key: Wish(wish.threshold, wish.margin, Suggested.BOTH if wish.suggested is Suggested.BOTH else Suggested.ON)
            for key, wish in self.wishes.items()
        }
        return replace(self, wishes=MappingProxyType(wishes))

    def with_wish(self, signal: str, wish: Wish) -> LookingFor:
        """Return the same with another wish for one signal."""
        others = {key: other for key, other in self.wishes.items() if key != signal}
        kept = others if wish == Wish() else {**others, signal: wish}
        return replace(self, wishes=MappingProxyType(kept))
