"""The wiring of every kind: it says nothing that the kind's signals do not hold, and its drawing is whole."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Any

import pytest

from lstm_studio import new_network
from lstm_studio.networks.cells import cell_of_kind, cells
from lstm_studio.networks.signals import Composition, Form, Phase, Signal
from lstm_studio.networks.wiring import (
    HEIGHT,
    INPUT_NAME,
    NODE_RADIUS,
    Box,
    Joint,
    Node,
    Part,
    Strip,
    Wire,
    Wiring,
    during,
    half_size,
)

VARIANTS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("lstm", {}),
    ("lstm", {"proj_size": 3}),
    ("rnn", {}),
    ("rnn", {"nonlinearity": "relu"}),
    ("gru", {}),
    ("lstm-article", {}),
    ("lstm-1997", {}),
    ("lstm-1997", {"gate_recurrence": True}),
    ("tdnn", {"window": 1}),
    ("tdnn", {"window": 5}),
    ("tdnn", {"window": 12, "nonlinearity": "relu"}),
    ("feedforward", {}),
)
every_variant = pytest.mark.parametrize(("kind", "options"), VARIANTS)


def wiring_of(kind: str, options: Mapping[str, Any]) -> Wiring:
    wiring = cell_of_kind(kind).wiring(options)
    assert wiring is not None
    return wiring


def signals_of(kind: str, options: Mapping[str, Any]) -> dict[str, Signal]:
    network = new_network(kind, 4, 6, **options)
    return {signal.name: signal for signal in network.cell.signals(network.recurrent)}


def box_of(part: Part) -> tuple[float, float, float, float]:
    half_width, half_height = half_size(part)
    return part.x - half_width, part.y - half_height, part.x + half_width, part.y + half_height


def overlap(first: Part, second: Part, room: float = 0.0) -> bool:
    a, b = box_of(first), box_of(second)
    return a[0] < b[2] + room and b[0] < a[2] + room and a[1] < b[3] + room and b[1] < a[3] + room


def test_every_kind_has_a_wiring() -> None:
    assert {kind for kind, _ in VARIANTS} == set(cells())
    for kind, cell in cells().items():
        assert cell.wiring({}) == wiring_of(kind, {})


@every_variant
def test_the_options_of_a_module_give_its_wiring(kind: str, options: Mapping[str, Any]) -> None:
    network = new_network(kind, 4, 6, **options)
    assert network.cell.wiring(network.cell.module_options(network.recurrent)) == wiring_of(kind, options)


@every_variant
def test_everything_named_is_a_declared_signal_or_the_input(kind: str, options: Mapping[str, Any]) -> None:
    wiring, known = wiring_of(kind, options), {INPUT_NAME, *signals_of(kind, options)}
    taps = [strip.tap for strip in wiring.strips]
    taps += [tap for wire in wiring.wires for tap in wire.taps]
    for part in wiring.parts:
        taps += part.taps if isinstance(part, Box) else (part.makes,) if isinstance(part, Node) else ()
    assert {tap.signal for tap in taps} <= known
    assert all(tap.lag >= 0 for tap in taps)
    assert {strip.like for strip in wiring.strips} - {""} <= known
    assert all(strip.tap.form is Form.PLAIN for strip in wiring.strips)


@every_variant
def test_a_wire_carries_something_recorded_or_says_that_it_is_schematic(kind: str, options: Mapping[str, Any]) -> None:
    for wire in wiring_of(kind, options).wires:
        assert bool(wire.taps) is not bool(wire.schematic)


@every_variant
def test_no_wire_ends_nowhere(kind: str, options: Mapping[str, Any]) -> None:
    wiring = wiring_of(kind, options)
    assert len({part.key for part in wiring.parts}) == len(wiring.parts)
    touched = {name.partition(".")[0] for wire in wiring.wires for name in (wire.start, wire.end)}
    assert touched == {part.key for part in wiring.parts}
    for wire in wiring.wires:
        corners = wiring.route(wire)
        for (x, y), (next_x, next_y) in pairwise(corners):
            assert (x == next_x) is not (y == next_y), f"{wire.start} → {wire.end} is not at right angles"


@every_variant
def test_everything_is_within_bounds(kind: str, options: Mapping[str, Any]) -> None:
    wiring = wiring_of(kind, options)
    corners = [corner for wire in wiring.wires for corner in wiring.route(wire)]
    for part in wiring.parts:
        left, top, right, bottom = box_of(part)
        corners += [(left, top), (right, bottom)]
    corners += [(text.x, text.y) for text in wiring.texts]
    assert all(0 <= x <= wiring.width and 24 <= y <= HEIGHT for x, y in corners)
    zones = wiring.zones
    assert all(0 <= zone.left < zone.right <= wiring.width for zone in zones)
    assert all(left.right < right.left for left, right in pairwise(zones))
    assert [zone.phase for zone in zones] == sorted(zone.phase for zone in zones)


@every_variant
def test_no_two_parts_overlap(kind: str, options: Mapping[str, Any]) -> None:
    solid = [part for part in wiring_of(kind, options).parts if not isinstance(part, Joint)]
    for first, second in combinations(solid, 2):
        assert not overlap(first, second, room=4), f"{first.key} and {second.key}"


@every_variant
def test_wires_pass_no_part_but_their_own(kind: str, options: Mapping[str, Any]) -> None:
    wiring = wiring_of(kind, options)
    solid = [part for part in wiring.parts if not isinstance(part, Joint)]
    for wire in wiring.wires:
        for (x, y), (next_x, next_y) in pairwise(wiring.route(wire)):
            for part in solid:
                left, top, right, bottom = box_of(part)
                crosses = min(x, next_x) < right and max(x, next_x) > left and min(y, next_y) < bottom
                assert not (crosses and max(y, next_y) > top), f"{wire.start} → {wire.end} passes {part.key}"


@every_variant
def test_operations_are_drawn_as_the_signals_are_made(kind: str, options: Mapping[str, Any]) -> None:
    """What enters × or + is what the cell declares the result is made of, and the result leaves it."""
    wiring, signals = wiring_of(kind, options), signals_of(kind, options)
    nodes = {part.makes.signal: part for part in wiring.parts if isinstance(part, Node) and part.sign != "1−"}
    made = {name: signal.composition for name, signal in signals.items() if signal.composition is not None}
    if options.get("proj_size"):
        # The product enters a projection, of which the hidden state comes.
        del made["hidden_state"]
    for name, composition in made.items():
        node = nodes[name]
        assert node.sign == composition.sign
        into = {tap for wire in wiring.wires if wire.end.startswith(f"{node.key}.") for tap in wire.taps}
        assert {(tap.signal, tap.lag > 0, tap.form) for tap in into} == operands(composition)
        (out,) = [wire for wire in wiring.wires if wire.start.startswith(f"{node.key}.")]
        assert [tap.signal for tap in out.taps] == [name]
        assert composition.phase in node.phases
        assert abs(wiring.port(f"{node.key}.right")[0] - node.x) == NODE_RADIUS


def operands(composition: Composition) -> set[tuple[str, bool, Form]]:
    return {(one.signal, one.before, one.form) for one in (composition.left, composition.right)}


def live(wiring: Wiring, phase: Phase) -> set[str]:
    return {part.key for part in wiring.parts if phase in part.phases and not isinstance(part, Joint)}


def test_what_is_live_in_each_phase_of_the_lstm() -> None:
    wiring = wiring_of("lstm", {})
    assert live(wiring, Phase.FORGET) == {"h-before", "x", "forget-layer", "f", "c-before", "forget", "k"}
    assert live(wiring, Phase.LEARN) == {
        "h-before",
        "x",
        "input-layer",
        "candidate-layer",
        "i",
        "g",
        "learn",
        "l",
    }
    assert live(wiring, Phase.REMEMBER) == {"k", "l", "sum", "c"}
    assert live(wiring, Phase.USE) == {"h-before", "x", "output-layer", "o", "c", "tanh", "use", "h"}
    assert [zone.phase for zone in wiring.zones] == list(Phase)


@every_variant
def test_a_live_wire_joins_live_parts(kind: str, options: Mapping[str, Any]) -> None:
    """Both ends of a wire are live whenever it is; the ends of the rails have no phase."""
    wiring = wiring_of(kind, options)
    for wire in wiring.wires:
        for name in (wire.start, wire.end):
            part = wiring.by_key[name.partition(".")[0]]
            assert not part.phases or (wire.phases and wire.phases <= part.phases), f"{wire.start} → {wire.end}"


def test_the_bus_is_live_as_far_as_the_layer_that_reads_it() -> None:
    wiring = wiring_of("lstm", {})
    stretches = {wire.end: wire.phases for wire in wiring.wires if wire.start.startswith("bus-")}
    assert stretches["bus-x"] == during(Phase.FORGET, Phase.LEARN, Phase.USE)
    assert stretches["bus-input-layer"] == during(Phase.LEARN, Phase.USE)
    assert stretches["bus-output-layer"] == stretches["output-layer.bottom"] == during(Phase.USE)


def test_a_window_draws_its_newest_inputs_and_says_how_many_there_are() -> None:
    wiring = wiring_of("tdnn", {"window": 12})
    assert [strip.tap.lag for strip in wiring.strips] == [4, 3, 2, 1, 0, 0]
    assert any("5 of 12 inputs" in text.text for text in wiring.texts)
    whole = wiring_of("tdnn", {"window": 3})
    assert [strip.tap.lag for strip in whole.strips] == [2, 1, 0, 0]
    assert not any("inputs" in text.text for text in whole.texts)


def test_a_port_that_is_not_there_is_an_error() -> None:
    wiring = wiring_of("rnn", {})
    with pytest.raises(KeyError):
        wiring.route(Wire("h.top", "nothing.left", ()))
    with pytest.raises(KeyError):
        wiring.port("h.middle")
    assert isinstance(wiring.by_key["h"], Strip)
