"""The signals that cells declare: canonical name, role, range and labels in both vocabularies.

This is the one table of labels. A cell picks its signals from it (or adds a row); plots, the inspector, exports and
recordings are built from what the cell declares and know no signal by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


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
    OUTPUT = "output"


class Labels(StrEnum):
    """The two vocabularies; never mixed in one view."""

    STANDARD = "standard"
    CLASSROOM = "classroom"


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

    def label(self, labels: Labels) -> str:
        """Return the label in the given vocabulary."""
        return self.standard if labels is Labels.STANDARD else self.classroom

    def with_levels(self, levels: tuple[float, float] | None) -> Signal:
        """Return the same signal with another range, for cells that bound it otherwise (relu, projection)."""
        return replace(self, levels=levels)


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
CELL_STATE = Signal("cell_state", Role.LONG_TERM, "c", _symbol("c"), "Cell state", "Long-term memory", overview=True)
HIDDEN_STATE = Signal(
    "hidden_state", Role.SHORT_TERM, "h", _symbol("h"), "Hidden state", "Short-term memory", "", _SIGNED, overview=True
)
RETAINED = Signal("retained", Role.FORGET, "k", _symbol("k"), "Retained", "Forget gate", "<i>f</i> × <i>c</i>")
ADMITTED = Signal(
    "admitted", Role.LEARN, "l", _symbol("l"), "Admitted", "Learn gate", "<i>i</i> × <i>g</i>", _SIGNED, overview=True
)
RECURRENT_STATE = Signal(
    "hidden_state", Role.RECURRENT, "r", _symbol("h"), "Hidden state", "Short-term memory", "", _SIGNED, overview=True
)
USE_CANDIDATE = Signal(
    "use_candidate", Role.USE, "v", _symbol("v"), "Memory to use", "Memory to use", "tanh of retained", _SIGNED
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
)
ADMITTED_BY_UPDATE = Signal(
    "admitted", Role.LEARN, "l", _symbol("l"), "Admitted", "Learned memory", "(1 − <i>z</i>) × <i>n</i>", _SIGNED
)


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
    )
