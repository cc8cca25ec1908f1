"""How a cell is drawn: the vocabulary in which each kind describes its own diagram.

A wiring names what is computed from what and where it stands on a grid; the colours, letters and words come from the
signals. Lengths are in local units, 1 px at scale 1. A mark stands for recorded values, or it says that it is
schematic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from lstm_studio.networks.signals import Form, Phase, Role

STRIP_WIDTH = 14.0
STRIP_HEIGHT = 64.0
NODE_RADIUS = 11.0
BOX_HEIGHT = 20.0
HEIGHT = 252.0
RAIL = 62.0
"""Height of the rail that carries the memory."""
MIDDLE = 162.0
"""Height of the row in which gates are multiplied."""
LAYERS = 216.0
"""Height of the layers below their gates."""
BUS = 236.0
"""Height of the bus that carries what every layer reads."""

INPUT_NAME = "input"
"""What stands for the input of the layer among the names of its signals."""

Point = tuple[float, float]
Phases = frozenset[Phase]


def during(*phases: Phase) -> Phases:
    """Return in which operations of a step a part is live; without any, in all."""
    return frozenset(phases)


class Spot(StrEnum):
    """Where the symbol of a strip stands."""

    ABOVE = "above"
    ABOVE_RIGHT = "above, right of the wire"
    LEFT = "left of its top"
    RIGHT = "right of its top"
    BELOW = "below"


class Side(StrEnum):
    """On which side of a strip the selected unit's value stands."""

    LEFT = "left"
    RIGHT = "right"


ANYWHERE = (-28.0, 28.0)
BELOW_SYMBOL = (-14.0, 28.0)
BELOW_WIRE = (18.0, 28.0)
BELOW_HEAD = (28.0, 28.0)
"""Between which heights, from a strip's middle, its value may stand: clear of its symbol, of its wire, or of the head
of another wire beside it."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A recorded value.

    Parameters
    ----------
    signal
        Declared name, or ``"input"``.
    lag
        How many steps before the shown one; zero before the first step.
    form
        What is done to it.
    """

    signal: str
    lag: int = 0
    form: Form = Form.PLAIN


@dataclass(frozen=True, slots=True)
class Strip:
    """The values of all units on a wire, unit 0 on top; where there are few of them, as for some inputs, it is shorter.

    Parameters
    ----------
    key
        Unique in the wiring.
    x, y
        The middle.
    tap
        The values; of form ``PLAIN``.
    symbol
        Where the symbol stands.
    value
        Where the selected unit's value stands, or None: no unit is marked where every unit reads all of it.
    room
        Between which heights from the middle the value may stand.
    named
        Whether the signal's name stands at the symbol.
    like
        The memory whose colours it has, where it is what is left of one.
    height
        The most it takes.
    centred
        Whether a shorter one keeps its middle; else it keeps its foot.
    phases
        When it is live.
    """

    key: str
    x: float
    y: float
    tap: Tap
    symbol: Spot = Spot.ABOVE
    value: Side | None = Side.RIGHT
    room: tuple[float, float] = BELOW_WIRE
    named: bool = False
    like: str = ""
    height: float = STRIP_HEIGHT
    centred: bool = False
    phases: Phases = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    """An operation on each unit by itself.

    Parameters
    ----------
    key, x, y, phases
        As for a strip.
    sign
        ``"×"``, ``"+"`` or ``"1−"``.
    role
        Decides its colour.
    makes
        What comes out.
    """

    key: str
    x: float
    y: float
    sign: str
    role: Role
    makes: Tap
    phases: Phases = frozenset()


@dataclass(frozen=True, slots=True)
class Box:
    """A layer: weights, a squashing function, or both.

    Parameters
    ----------
    key, x, y, phases
        As for a strip.
    text
        Rich text, ``"σ"``.
    role
        Decides its colour.
    words
        What it computes: rich text, for tool tips and screen readers.
    taps
        What is recorded of it: the pre-activations of a layer.
    width
        34 to 46.
    """

    key: str
    x: float
    y: float
    text: str
    role: Role
    words: str
    taps: tuple[Tap, ...] = ()
    width: float = 34.0
    phases: Phases = frozenset()


@dataclass(frozen=True, slots=True)
class Joint:
    """Where wires meet (a dot), turn into each other, or leave the diagram (without one)."""

    key: str
    x: float
    y: float
    dot: bool = True
    phases: Phases = frozenset()


@dataclass(frozen=True, slots=True)
class Wire:
    """A path with right angles from port to port.

    Parameters
    ----------
    start, end
        ``"f.top"``: a part and its side; a joint has no sides.
    taps
        What it carries; empty for a schematic wire.
    role
        Decides its colour; None for grey.
    via
        The corners between.
    rail
        Whether it is drawn as the memory is.
    arrow
        Whether its end has a head.
    over
        Whether it bridges a wire that it crosses.
    schematic
        What it stands for, where that is not recorded: rich text.
    phases
        When it is live.
    """

    start: str
    end: str
    taps: tuple[Tap, ...]
    role: Role | None = None
    via: tuple[Point, ...] = ()
    rail: bool = False
    arrow: bool = False
    over: bool = False
    schematic: str = ""
    phases: Phases = frozenset()


class Align(StrEnum):
    """Which part of a text stands at its point."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Text:
    """Words or an equation: rich text, the same in both vocabularies.

    Parameters
    ----------
    x, y
        The point at its middle height.
    text
        ``{next}`` stands for the step to which the memory goes on, ``{before}`` for the one from which it comes.
    align
        Which end of it is there.
    dotted
        Ends of the dotted lines on both sides, for what is said to be absent.
    phases
        When it is live.
    """

    x: float
    y: float
    text: str
    align: Align = Align.LEFT
    dotted: tuple[float, float] | None = None
    phases: Phases = frozenset()


@dataclass(frozen=True, slots=True)
class Zone:
    """The stretch above which the pill of an operation stands."""

    phase: Phase
    left: float
    right: float


Part = Strip | Node | Box | Joint


@dataclass(frozen=True)
class Wiring:
    """A whole diagram.

    Parameters
    ----------
    width
        Its height is always :data:`HEIGHT`.
    parts
        In reading order.
    wires
        In the order to draw them.
    texts
        What is said beside them.
    zones
        The operations of a step, where the cell has them.
    """

    width: float
    parts: tuple[Part, ...]
    wires: tuple[Wire, ...]
    texts: tuple[Text, ...] = ()
    zones: tuple[Zone, ...] = ()

    @property
    def strips(self) -> tuple[Strip, ...]:
        """The strips, in reading order."""
        return tuple(part for part in self.parts if isinstance(part, Strip))

    @cached_property
    def by_key(self) -> dict[str, Part]:
        """Key → part."""
        return {part.key: part for part in self.parts}

    def port(self, name: str) -> Point:
        """Return where a wire meets a part.

        Parameters
        ----------
        name
            ``"f.top"``, or the key of a joint.

        Raises
        ------
        KeyError
            If there is no such part or side.
        """
        key, _, side = name.partition(".")
        part = self.by_key[key]
        half_width, half_height = half_size(part)
        if isinstance(part, Joint) and not side:
            return part.x, part.y
        across, down = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}[side]
        return part.x + across * half_width, part.y + down * half_height

    def route(self, wire: Wire) -> tuple[Point, ...]:
        """Return the corners of a wire from port to port."""
        return (self.port(wire.start), *wire.via, self.port(wire.end))


def half_size(part: Part) -> Point:
    """Return half of the width and of the height of a part."""
    match part:
        case Strip():
            return STRIP_WIDTH / 2, part.height / 2
        case Node():
            return NODE_RADIUS, NODE_RADIUS
        case Box():
            return part.width / 2, BOX_HEIGHT / 2
        case Joint():
            return 0.0, 0.0


@dataclass(frozen=True, slots=True)
class Source:
    """What comes down to the bus: from which port, and what it carries."""

    port: str
    x: float
    tap: Tap


@dataclass(frozen=True, slots=True)
class Reader:
    """A layer above the bus that reads it."""

    box: str
    x: float
    phases: Phases = frozenset()


def bus(sources: Sequence[Source], readers: Sequence[Reader]) -> tuple[tuple[Joint, ...], tuple[Wire, ...]]:
    """Return the joints and the wires of a bus that carries all sources to all readers.

    A stretch of it is live while a reader to the right of it is.

    Parameters
    ----------
    sources
        Left of all readers.
    readers
        From left to right.
    """
    taps = tuple(source.tap for source in sources)
    everything = _live(readers)
    places = sorted((source.x, f"bus-{_key(source.port)}") for source in sources)
    places += [(reader.x, f"bus-{reader.box}") for reader in readers]
    alive = [everything] * len(sources) + [_live(readers[place:]) for place in range(len(readers))]
    joints = tuple(
        Joint(key, x, BUS, dot=place > 0, phases=phases)
        for place, ((x, key), phases) in enumerate(zip(places, alive, strict=True))
    )
    wires = [Wire(source.port, f"bus-{_key(source.port)}", (source.tap,), phases=everything) for source in sources]
    wires += [
        Wire(start, end, taps, phases=phases)
        for ((_, start), (_, end)), phases in zip(pairwise(places), alive[1:], strict=True)
    ]
    wires += [
        Wire(f"bus-{reader.box}", f"{reader.box}.bottom", taps, arrow=True, phases=reader.phases) for reader in readers
    ]
    return joints, tuple(wires)


def _live(readers: Iterable[Reader]) -> Phases:
    """Return when any of some layers is live: in all phases if one of them is."""
    phases = [reader.phases for reader in readers]
    return frozenset() if not all(phases) else frozenset().union(*phases)


def _key(port: str) -> str:
    return port.partition(".")[0]
