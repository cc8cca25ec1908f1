"""Every kind of layer in a diagram, with a trace of the real module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QApplication

from lstm_studio import new_network, trace
from lstm_studio.networks.signals import Labels, Phase
from lstm_studio.networks.wiring import Point
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result
from lstm_studio.ui.explore.diagram.items import BoxMark, Mark, NodeMark, WireMark
from lstm_studio.ui.explore.diagram.words import part_words
from lstm_studio.ui.explore.workspace import ExploreWorkspace
from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.picture import colours_in
from lstm_studio.ui.theme import DARK, LIGHT
from tests.networks.test_wiring import VARIANTS
from tests.ui.explore.fakes import answer, number_set, small_setup, symbol_set
from tests.ui.painted import overdrawn

pytestmark = [
    pytest.mark.qt_log_ignore("does not support propagateSizeHints"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]


def traced(kind: str, options: Mapping[str, Any], *, layers: int = 1, symbols: bool = True) -> Result:
    result = answer(small_setup(symbol_set() if symbols else number_set()))
    sequence = result.sequence
    network = new_network(kind, sequence.features, 6, layers, **options)
    return replace(result, traces=(trace(network, sequence),), infos=(network.info(),))


def shown(result: Result) -> tuple[Session, ExploreWorkspace]:
    session = Session(result)
    workspace = ExploreWorkspace(session, LIGHT)
    workspace.resize(1100, 870)
    workspace.show()
    QApplication.processEvents()
    return session, workspace


@pytest.mark.parametrize(("kind", "options"), VARIANTS)
@pytest.mark.parametrize(("layers", "symbols"), [(1, True), (2, False)])
def test_every_kind_shows_its_trace(
    qapp: QApplication, kind: str, options: Mapping[str, Any], layers: int, symbols: bool
) -> None:
    del qapp
    result = traced(kind, options, layers=layers, symbols=symbols)
    session, workspace = shown(result)
    (card,) = workspace.deck.cards
    scene, prefix = card.view.diagram, f"{kind}.{layers - 1}"
    assert card.view.isVisible()
    step = session.steps // 2
    session.move_cursor(step)
    session.select_unit(f"0:{prefix}", 2)
    for mark in scene.strips.values():
        tap = mark.strip.tap
        assert mark.bands is not None, f"{mark.strip.key} is not recorded"
        if mark.strip.value is None or mark.value is None:
            continue
        assert mark.value_text == format_number(float(result.traces[0][f"{prefix}.{tap.signal}"][step - tap.lag, 2]))
    for wire in (mark for mark in scene.marks if isinstance(mark, WireMark)):
        assert wire.measured is not bool(wire.wire.schematic)
    state = card.view.state
    assert state is not None
    for part in scene.parts():
        assert "not recorded" not in part_words(part, state).partition("; ")[0]
    assert colours_in(card.view) > 20
    for labels, theme in ((Labels.CLASSROOM, DARK), (Labels.STANDARD, LIGHT)):
        session.look(labels=labels)
        workspace.apply_theme(theme)
        assert colours_in(card.view) > 20
    workspace.close()
    workspace.deleteLater()


@pytest.mark.parametrize(("kind", "options"), VARIANTS)
@pytest.mark.parametrize("height", [420, 870])
def test_the_longest_number_stays_in_the_diagram_and_off_its_strip(
    qapp: QApplication, kind: str, options: Mapping[str, Any], height: int
) -> None:
    del qapp
    _, workspace = shown(traced(kind, options))
    workspace.resize(1100, height)
    QApplication.processEvents()
    scene = workspace.deck.cards[0].view.diagram
    bodies = {key: mark.body.translated(mark.pos()) for key, mark in scene.strips.items()}
    moved = 0
    for mark in scene.strips.values():
        mark.drag_to(-1.2e-10)
        if mark.value_rect.isNull():
            continue
        rect = mark.value_rect.translated(mark.pos())
        assert scene.sceneRect().contains(rect), mark.strip.key
        assert mark.boundingRect().contains(mark.value_rect), mark.strip.key
        moved += not mark.body.top() < mark.value_rect.center().y() < mark.body.bottom()
        assert not mark.body.intersects(mark.value_rect), mark.strip.key
        if mark.body.bottom() < mark.value_rect.center().y():
            assert not any(rect.intersects(body) for body in bodies.values()), mark.strip.key
            solid = [node.item.boundingRect().translated(node.item.pos()) for node in scene.marks if is_solid(node)]
            assert not any(rect.intersects(body) for body in solid), mark.strip.key
    assert moved, "the number at the end of the diagram fits beside its strip"
    workspace.close()
    workspace.deleteLater()


@pytest.mark.parametrize(("kind", "options"), VARIANTS)
@pytest.mark.parametrize("height", [420, 870])
def test_a_long_number_leaves_the_heads_of_wires_free(
    qapp: QApplication, kind: str, options: Mapping[str, Any], height: int
) -> None:
    del qapp
    _, workspace = shown(traced(kind, options))
    workspace.resize(1100, height)
    QApplication.processEvents()
    scene = workspace.deck.cards[0].view.diagram
    assert scene.state is not None
    wiring = scene.state.plan.wiring
    assert wiring is not None
    heads = {wire.end: head_of(wiring.route(wire)) for wire in wiring.wires if wire.arrow}
    assert heads
    for mark in scene.strips.values():
        for value in (-1.2e-3, -12.34):
            mark.drag_to(value)
            # Letters do not reach the top and the foot of their line.
            number = mark.value_rect.translated(mark.pos()).adjusted(0, 1, 0, -1)
            assert not [end for end, head in heads.items() if number.intersects(head)], mark.strip.key
    workspace.close()
    workspace.deleteLater()


def head_of(route: tuple[Point, ...]) -> QRectF:
    """Return what the head of a wire covers: 8 long, and 8 across."""
    (x, y), (end_x, end_y) = route[-2:]
    along = QPointF(np.sign(x - end_x), np.sign(y - end_y)) * 8
    across = QPointF(along.y(), along.x()) / 2
    end = QPointF(end_x, end_y)
    return QRectF(end - across, end + along + across).normalized()


@pytest.mark.parametrize(("kind", "options"), VARIANTS)
def test_every_part_draws_within_its_bounds(qapp: QApplication, kind: str, options: Mapping[str, Any]) -> None:
    del qapp
    session, workspace = shown(traced(kind, options))
    scene = workspace.deck.cards[0].view.diagram
    for unit in (0, 3, 5):
        session.select_unit(f"0:{kind}.0", unit)
        for value in (None, -1.2e-10):
            for mark in scene.strips.values():
                mark.drag_to(value)
            beyond = {repr(item): over for item in scene.items() if item.isVisible() and (over := overdrawn(item))}
            assert not beyond
    workspace.close()
    workspace.deleteLater()


def is_solid(mark: Mark) -> bool:
    return isinstance(mark, NodeMark | BoxMark)


def test_a_projected_hidden_state_has_its_own_units(qapp: QApplication) -> None:
    del qapp
    result = traced("lstm", {"proj_size": 3})
    _, workspace = shown(result)
    strips = workspace.deck.cards[0].view.diagram.strips
    assert [len(strips[key].index) for key in ("h-before", "h", "c")] == [3, 3, 6]
    assert strips["h"].value_text == ""
    assert strips["c"].value_text
    workspace.close()
    workspace.deleteLater()


def test_inputs_of_a_window_are_those_of_earlier_steps(qapp: QApplication) -> None:
    del qapp
    result = traced("tdnn", {"window": 5})
    session, workspace = shown(result)
    scene = workspace.deck.cards[0].view.diagram
    symbols = result.sequence.symbols
    assert symbols is not None
    session.move_cursor(2)
    boxes = {key: box.text for key, box in scene.symbol_boxes.items()}
    assert boxes == {"x": symbols[2], "x-1": symbols[1], "x-2": symbols[0], "x-3": "", "x-4": ""}
    np.testing.assert_array_equal(scene.strips["x-1"].index, (result.sequence.values[1] * 254).astype(np.uint8))
    assert set(scene.strips["x-3"].index.tolist()) == {0}
    workspace.close()
    workspace.deleteLater()


def test_a_kind_with_three_operations_has_no_fourth(qapp: QApplication) -> None:
    del qapp
    session, workspace = shown(traced("gru", {}))
    scene = workspace.deck.cards[0].view.diagram
    session.look(four_phases=True, phase=Phase.LEARN)
    scene.finish_fading()
    live = {key for key, mark in scene.strips.items() if mark.opacity() == 1.0}
    assert live == {"h-before", "x", "z", "r", "m", "n", "l"}
    session.look(phase=Phase.USE)
    scene.finish_fading()
    assert all(mark.opacity() == 1.0 for mark in scene.strips.values())
    workspace.close()
    workspace.deleteLater()
