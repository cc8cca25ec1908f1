"""The signals that cells declare: canonical name, role, range, labels in both vocabularies, and what they are made of.

This is the one table of labels. A cell picks its signals from it (or adds a row); plots, the inspector, exports and
recordings are built from what the cell declares and know no signal by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum


class Role(StrEnum):
    """What a signal does; decides its colour and its badge."""

    INPUT = "input"
    FORGET = "forget"
    LEARN = "learn"
    USE = "use"
    LONG_TERM = "long-term"
    SHORT_TERM = "short-term"
    RECURRENT = "recurrent"
    """The memory of a network without a long-term path."""
    GRADIENT = "gradient"


class Labels(StrEnum):
    """The two vocabularies; never mixed in one view."""

    STANDARD = "standard"
    CLASSROOM = "classroom"


class Phase(IntEnum):
    """The operations that a step consists of, in their order. The third is a plain sum, never a gate."""

    FORGET = 1
    LEARN = 2
    REMEMBER = 3
    USE = 4

    def label(self, labels: Labels) -> str:
        """Return the name in the given vocabulary."""
        return _PHASES[self][labels is Labels.CLASSROOM]

    @property
    def role(self) -> Role:
        """The role whose colour the operation has."""
        return _PHASES[self][2]


_PHASES = {
    Phase.FORGET: ("Forget", "Forget", Role.FORGET),
    Phase.LEARN: ("Input", "Learn", Role.LEARN),
    Phase.REMEMBER: ("Update", "Remember", Role.LONG_TERM),
    Phase.USE: ("Output", "Use", Role.USE),
}


class Form(StrEnum):
    """How a signal enters an operation."""

    PLAIN = ""
    TANH = "tanh"
    COMPLEMENT = "1 −"

    def of(self, value: float) -> float:
        """Return a value in this form."""
        match self:
            case Form.PLAIN:
                return value
            case Form.TANH:
                return math.tanh(value)
            case Form.COMPLEMENT:
                return 1.0 - value


@dataclass(frozen=True, slots=True)
class Operand:
    """A signal as it enters an operation.

    Parameters
    ----------
    signal
        Its canonical name.
    before
        Whether its value at the step before is meant; zero before the first step.
    form
        What is done to it first.
    """

    signal: str
    before: bool = False
    form: Form = Form.PLAIN


@dataclass(frozen=True, slots=True)
class Composition:
    """How a signal is made of two others, element by element.

    Parameters
    ----------
    phase
        Which operation of the step makes it.
    left, right
        What it is made of.
    sign
        ``"×"`` or ``"+"``.
    """

    phase: Phase
    left: Operand
    sign: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Signal:
    """One named quantity per step and unit.

    Parameters
    ----------
    name
        Canonical name, the same in files, exports and code.
    role
        Decides colour and badge.
    badge
        One letter that stands for the role where colour alone must not.
    symbol
        Rich text: variables italic, subscripts upright, for example ``"<i>f</i><sub>t</sub>"``.
    standard, classroom
        The label in each vocabulary.
    note
        What is shown beside the symbol, without a vocabulary of its own, for example ``"in 0…1"``.
    levels
        The fixed range (low, high) that plots use; None means symmetric about zero, the next of 1, 2, 5, 10, 20… above
        the largest magnitude of everything shown.
    overview
        Whether the Explore stack shows the signal before the user asks for more.
    composition
        What it is made of, where one element-wise operation says it.
    """

    name: str
    role: Role
    badge: str
    symbol: str
    standard: str
    classroom: str
    note: str = ""
    levels: tuple[float, float] | None = None
    overview: bool = False
    composition: Composition | None = None

    def label(self, labels: Labels) -> str:
        """Return the label in the given vocabulary."""
        return self.standard if labels is Labels.STANDARD else self.classroom

    def with_levels(self, levels: tuple[float, float] | None) -> Signal:
        """Return the same signal with another range, for cells that bound it otherwise (relu, projection)."""
        return replace(self, levels=levels)

    def made_of(self, phase: Phase, left: Operand, sign: str, right: Operand) -> Signal:
        """Return the same signal with another composition, for cells that wire it otherwise."""
        return replace(self, composition=Composition(phase, left, sign, right))


def _symbol(letter: str, subscript: str = "t") -> str:
    return f"<i>{letter}</i><sub>{subscript}</sub>"


_GATE = (0.0, 1.0)
_SIGNED = (-1.0, 1.0)

INPUT = Signal("input", Role.INPUT, "x", _symbol("x"), "Input", "Event", "", None, overview=True)
INPUT_GATE = Signal("input_gate", Role.LEARN, "i", _symbol("i"), "Input gate", "Ignore factor", "in 0…1", _GATE)
FORGET_GATE = Signal(
    "forget_gate", Role.FORGET, "f", _symbol("f"), "Forget gate", "Forget factor", "in 0…1", _GATE, overview=True
)
CANDIDATE = Signal("candidate", Role.LEARN, "g", _symbol("g"), "Candidate", "New information", "in −1…1", _SIGNED)
OUTPUT_GATE = Signal(
    "output_gate", Role.USE, "o", _symbol("o"), "Output gate", "Use factor", "in 0…1", _GATE, overview=True
)
CELL_STATE = Signal(
    "cell_state", Role.LONG_TERM, "c", _symbol("c"), "Cell state", "Long-term memory", overview=True
).made_of(Phase.REMEMBER, Operand("retained"), "+", Operand("admitted"))
HIDDEN_STATE = Signal(
    "hidden_state", Role.SHORT_TERM, "h", _symbol("h"), "Hidden state", "Short-term memory", "", _SIGNED, overview=True
).made_of(Phase.USE, Operand("output_gate"), "×", Operand("cell_state", form=Form.TANH))
RETAINED = Signal("retained", Role.FORGET, "k", _symbol("k"), "Retained", "Forget gate", "<i>f</i> × <i>c</i>").made_of(
    Phase.FORGET, Operand("forget_gate"), "×", Operand("cell_state", before=True)
)
ADMITTED = Signal(
    "admitted", Role.LEARN, "l", _symbol("l"), "Admitted", "Learn gate", "<i>i</i> × <i>g</i>", _SIGNED, overview=True
).made_of(Phase.LEARN, Operand("input_gate"), "×", Operand("candidate"))
RECURRENT_STATE = Signal(
    "hidden_state", Role.RECURRENT, "r", _symbol("h"), "Hidden state", "Short-term memory", "", _SIGNED, overview=True
)
USE_CANDIDATE = Signal(
    "use_candidate",
    Role.USE,
    "v",
    _symbol("v"),
    "Output candidate",
    "Memory to use",
    "tanh(<i>W</i> <i>k</i> + <i>b</i>)",
    _SIGNED,
)
RESET_GATE = Signal(
    "reset_gate", Role.USE, "r", _symbol("r"), "Reset gate", "Recall factor", "in 0…1", _GATE, overview=True
)
UPDATE_GATE = Signal(
    "update_gate", Role.FORGET, "z", _symbol("z"), "Update gate", "Keep factor", "in 0…1", _GATE, overview=True
)
CANDIDATE_STATE = Signal(
    "candidate", Role.LEARN, "n", _symbol("n"), "Candidate", "New information", "in −1…1", _SIGNED, overview=True
)
RECALLED = Signal(
    "recalled", Role.USE, "m", _symbol("m"), "Recalled", "Recalled memory", "<i>r</i> × (<i>Wh</i> + <i>b</i>)"
)
RETAINED_BY_UPDATE = Signal(
    "retained", Role.FORGET, "k", _symbol("k"), "Retained", "Kept memory", "<i>z</i> × <i>h</i>", _SIGNED
).made_of(Phase.FORGET, Operand("update_gate"), "×", Operand("hidden_state", before=True))
ADMITTED_BY_UPDATE = Signal(
    "admitted", Role.LEARN, "l", _symbol("l"), "Admitted", "Learned memory", "(1 − <i>z</i>) × <i>n</i>", _SIGNED
).made_of(Phase.LEARN, Operand("update_gate", form=Form.COMPLEMENT), "×", Operand("candidate"))


def preactivation(signal: Signal) -> Signal:
    """Return the signal before its squashing function, ``….preactivation``, unbounded."""
    return replace(
        signal,
        name=f"{signal.name}.preactivation",
        symbol=f"<i>a</i><sub>{signal.badge}</sub>",
        standard=f"{signal.standard}, pre-activation",
        classroom=f"{signal.classroom}, before squashing",
        note="",
        levels=None,
        overview=False,
        composition=None,
    )
