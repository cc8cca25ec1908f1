"""What a part of a diagram is called, with its value: for tool tips, screen readers and the keyboard."""

from __future__ import annotations

from lstm_studio.networks.wiring import Box, Node, Strip, Tap, Text, Wire, Zone
from lstm_studio.ui.explore.diagram.bands import BINS, MOST_SINGLE
from lstm_studio.ui.explore.diagram.state import DiagramState, Plan
from lstm_studio.ui.numbers import format_count, format_number
from lstm_studio.ui.widgets.text import plain

Part = Strip | Node | Box | Wire | Zone | Text
_NOT_RECORDED = "not recorded"


def part_words(part: Part, state: DiagramState, unit: int | None = None) -> str:
    """Return what a part is and its value: ``"forget gate, unit 14, 0.99"``.

    Parameters
    ----------
    part
        Of the plan's wiring.
    state
        Step and unit.
    unit
        Whose value, where it is not the selected one's.
    """
    plan = state.plan
    chosen = state.unit if unit is None else unit
    match part:
        case Strip():
            return _value_words(part.tap, state, chosen)
        case Node():
            return f"{part.sign} makes {_value_words(part.makes, state, chosen)}"
        case Box():
            name = plain(filled(part.words, plan))
            recorded = [tap for tap in part.taps if plan.has(tap)]
            return "; ".join((name, *(_value_words(tap, state, chosen) for tap in recorded)))
        case Wire() if part.schematic:
            return f"schematic: {plain(part.schematic)}"
        case Wire():
            return " and ".join(_value_words(tap, state, chosen) for tap in part.taps)
        case Zone():
            return f"{part.phase.value} {part.phase.label(plan.labels)}"
        case Text():
            return plain(filled(part.text, plan))


def kind_words(part: Part) -> str:
    """Return what sort of part it is: for those who do not see how it is drawn."""
    match part:
        case Strip():
            return "values of all units"
        case Node():
            return "operation on each unit"
        case Box():
            return "layer"
        case Wire():
            return "wire"
        case Zone():
            return "operation of the step"
        case Text():
            return "words"


def filled(text: str, plan: Plan) -> str:
    """Return rich text with the steps before and after put in, and symbols in place of their names."""
    return text.replace("{next}", _italic(plan.step_words(1))).replace("{before}", plan.step_words(-1))


def _italic(step: str) -> str:
    return f"<i>{step[:1]}</i>{step[1:]}"


def _value_words(tap: Tap, state: DiagramState, unit: int) -> str:
    plan = state.plan
    label = plan.label(tap)
    if not plan.has(tap):
        return f"{label}, {_NOT_RECORDED}"
    found = plan.recorded[tap.signal]
    units = found.values.shape[1]
    if plan.symbols is not None and found.names:
        at = plan.step_of(tap, state.step)
        return f"{label}, " + ("0 before the first step" if at is None else plan.symbols[at])
    if units == 1 or (units == plan.units and not found.names):
        value = plan.value(tap, state.step, min(unit, units - 1))
        name = found.names[0] if found.names else f"unit {unit}"
        words = f"{label}, {name}, {format_number(value or 0.0)}"
        return words if plan.step_of(tap, state.step) is not None else f"{words}, before the first step"
    return f"{label}, {format_count(units)} {'features' if found.names else 'units'}"


def unit_words(part: Strip, state: DiagramState, unit: int) -> str:
    """Return one unit or feature of a strip with its value."""
    plan, tap = state.plan, part.tap
    found = plan.recorded[tap.signal]
    value = plan.value(tap, state.step, unit)
    name = found.names[unit] if found.names else f"unit {unit}"
    return f"{plan.label(tap)}, {name}, {format_number(value or 0.0)}"


def summary(state: DiagramState) -> str:
    """Return all that a diagram says at a step, part by part."""
    wiring = state.plan.wiring
    if wiring is None:
        return ""
    return "; ".join(part_words(part, state) for part in wiring.strips if part.tap.signal in state.plan.recorded)


def header_note(state: DiagramState) -> str:
    """Return what the header says about the strips: whose they are, which units they show, and which one is marked."""
    plan = state.plan
    shown = plan.units if state.order is None else len(state.order)
    marked = f"◂ unit {state.unit}"
    size = f"{format_count(plan.units)} unit{'s' if plan.units != 1 else ''}"
    if shown != plan.units:
        size = f"{format_count(shown)} of {size}"
    if shown > MOST_SINGLE:
        each = f"{shown // BINS}" if shown % BINS == 0 else f"{shown // BINS}–{-(-shown // BINS)}"
        strips = f"{size}, {each} a bin"
    elif state.order is None and plan.units > 1:
        strips = f"strips: units 0–{plan.units - 1} from the top"
    else:
        strips = f"strips: {size}"
    if not plan.relation:
        return f"{state.whose or 'measured'} · {strips}, {marked}"
    note = f"{plan.relation} · {marked}" if shown <= MOST_SINGLE else f"companion · {strips}, {marked}"
    return f"{state.whose} · {note}" if state.whose else note
