"""The scalar L that gradients are taken of: what can be chosen, in words that need no torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lstm_studio.arguments import shown
from lstm_studio.errors import TraceError
from lstm_studio.networks.signals import Labels


class ObjectiveKind(StrEnum):
    """The objectives that have a name; in a file and on the command line each is written as its value."""

    LAST_HIDDEN = "last-hidden"
    HIDDEN = "hidden"
    NEXT_STEP = "next-step"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class ObjectiveChoice:
    """An objective as the window offers it.

    Parameters
    ----------
    kind
        Which one.
    pattern
        How it is written, ``"hidden:{t}:{unit}"``.
    title, classroom
        A few words that say what is differentiated, in either vocabulary.
    needs_readout
        Whether the network must have a read-out.
    needs_target
        Whether the sequence must have a target.
    needs_step_and_unit
        Whether a step and a unit must be chosen.
    """

    kind: ObjectiveKind
    pattern: str
    title: str
    classroom: str
    needs_readout: bool = False
    needs_target: bool = False
    needs_step_and_unit: bool = False

    def label(self, labels: Labels) -> str:
        """Return the title in the given vocabulary."""
        return self.title if labels is Labels.STANDARD else self.classroom

    def with_numbers(self, step: int = 0, unit: int = 0) -> Objective:
        """Return the objective that is meant; where none are needed, the numbers count for nothing."""
        return Objective(self.kind, step, unit) if self.needs_step_and_unit else Objective(self.kind)

    def is_possible(self, *, has_readout: bool, has_target: bool) -> bool:
        """Return whether a network and a sequence have what it needs."""
        return (has_readout or not self.needs_readout) and (has_target or not self.needs_target)


CHOICES = (
    ObjectiveChoice(
        ObjectiveKind.LAST_HIDDEN,
        "last-hidden",
        "the sum of the top layer's last hidden state",
        "the sum of the top layer's last short-term memory",
    ),
    ObjectiveChoice(
        ObjectiveKind.HIDDEN,
        "hidden:{t}:{unit}",
        "one unit of the top layer's hidden state",
        "one unit of the top layer's short-term memory",
        needs_step_and_unit=True,
    ),
    ObjectiveChoice(
        ObjectiveKind.NEXT_STEP,
        "next-step",
        "the mean squared error of the next input",
        "the mean squared error of the next event",
        needs_readout=True,
    ),
    ObjectiveChoice(
        ObjectiveKind.TARGET,
        "target",
        "the loss against the sequence's target",
        "the loss against the sequence's target",
        needs_readout=True,
        needs_target=True,
    ),
)
"""All named objectives, in the order to offer them."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A named objective with its numbers.

    Parameters
    ----------
    kind
        Which one.
    step, unit
        For ``hidden``: the step, counted from 0 (negative: from the end), and the unit; else 0.
    """

    kind: ObjectiveKind
    step: int = 0
    unit: int = 0

    def __str__(self) -> str:
        """Write it as :func:`parse` reads it."""
        return f"{self.kind}:{self.step}:{self.unit}" if self.kind is ObjectiveKind.HIDDEN else str(self.kind)


def patterns() -> str:
    """Return how all objectives are written, one after the other."""
    return ", ".join(choice.pattern for choice in CHOICES)


def parse(text: str) -> Objective:
    """Read a named objective.

    Parameters
    ----------
    text
        One of the patterns in :data:`CHOICES`.

    Raises
    ------
    TraceError
        If it is none of them.
    """
    name, _, numbers = text.partition(":")
    cure = f"Write one of {patterns()}."
    try:
        kind = ObjectiveKind(name)
    except ValueError:
        raise TraceError(f"There is no objective {shown(text)}.", cure) from None
    if kind is not ObjectiveKind.HIDDEN:
        if numbers:
            raise TraceError(f"The objective {name!r} takes no numbers, but {numbers!r} follows it.", cure)
        return Objective(kind)
    step, _, unit = numbers.partition(":")
    try:
        return Objective(kind, int(step), int(unit))
    except ValueError:
        raise TraceError(f"The objective {text!r} does not name a step and a unit by number.", cure) from None
