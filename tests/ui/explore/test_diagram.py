"""The diagrams in the workspace: strips, phases, mouse, keyboard, room."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks import signals
from lstm_studio.networks.signals import Labels, Phase
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.session import Session
from lstm_studio.session.state import UnitOrder
from lstm_studio.ui.explore.diagram.deck import LARGEST, SMALLEST
from lstm_studio.ui.explore.diagram.items import PillMark, WireMark
from lstm_studio.ui.explore.diagram.look import DiagramLook
from lstm_studio.ui.explore.diagram.scene import REST
from lstm_studio.ui.explore.diagram.view import DiagramView
from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.plots.heat_item import HeatItem
from lstm_studio.ui.theme import DARK, LIGHT
from tests.ui.explore.fakes import answer, number_set, small_setup
from tests.ui.explore.shown_diagrams import (
    Open,
    click,
    diagram,
    opened_workspaces,
    picture,
    place_of,
    strip,
    with_units,
)

OVERVIEW = {
    "f": "0.forget_gate",
    "l": "0.admitted",
    "o": "0.output_gate",
    "c": "0.cell_state",
    "h": "0.hidden_state",
}
"""Strip of the LSTM → its row in the stack."""


@pytest.fixture
def opened(qapp: QApplication) -> Iterator[Open]:
    """Show a workspace on a session; all are destroyed at the end of the test."""
    yield from opened_workspaces(qapp)


# Strips.


@pytest.mark.parametrize("units", [5, 16, 32])
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_strip_is_the_column_of_the_heat_map(opened: Open, units: int, theme: object) -> None:
    session = Session(with_units(units))
    workspace = opened(session)
    workspace.apply_theme(DARK if theme is DARK else LIGHT)
    view = diagram(workspace)
    for step in (0, 6, 19):
        session.move_cursor(step)
        image = picture(workspace)
        for key, row in OVERVIEW.items():
            item = workspace.stack.row_item(row)
            assert isinstance(item, HeatItem)
            column = item.derived.index[step]
            mark = strip(workspace, key)
            np.testing.assert_array_equal(mark.index, column)
            drawn = [image.pixelColor(place_of(view, mark, line)).name() for line in range(units)]
            assert drawn == [QColor(item.colour_table[level]).name() for level in column]


def test_the_strip_of_the_step_before_is_the_column_before(opened: Open) -> None:
    session = Session(with_units(16))
    workspace = opened(session)
    item = workspace.stack.row_item("0.cell_state")
    assert isinstance(item, HeatItem)
    session.move_cursor(7)
    np.testing.assert_array_equal(strip(workspace, "c-before").index, item.derived.index[6])
    session.move_cursor(0)
    assert set(strip(workspace, "c-before").index.tolist()) == {127}


def test_many_units_are_binned_and_the_selected_one_is_drawn_by_itself(opened: Open) -> None:
    result = with_units(128)
    session = Session(result)
    workspace = opened(session)
    session.select_unit("0:lstm.0", 77)
    session.move_cursor(9)
    item, mark = workspace.stack.row_item("0.forget_gate"), strip(workspace, "f")
    assert isinstance(item, HeatItem)
    values = result.traces[0]["lstm.0.forget_gate"][9]
    means = [float(np.mean(values[8 * line : 8 * line + 8].astype(np.float64))) for line in range(16)]
    assert mark.index[:16].tolist() == [int(254 * mean + 0.5) for mean in means]
    assert mark.index[16] == item.derived.index[9, 77]
    assert mark.value_text == format_number(float(values[77]))
    assert workspace.deck.cards[0].note == "measured · 128 units, 8 a bin, ◂ unit 77"


def test_values_beside_the_strips_are_those_of_the_trace(opened: Open) -> None:
    result = with_units(16)
    session = Session(result)
    workspace = opened(session)
    session.select_unit("0:lstm.0", 11)
    for step in (0, 5, 19):
        session.move_cursor(step)
        shown = {key: mark for key, mark in diagram(workspace).diagram.strips.items() if mark.strip.value is not None}
        assert set(shown) == {"c-before", "f", "k", "i", "g", "l", "c", "o", "h"}
        for mark in shown.values():
            tap = mark.strip.tap
            at = step - tap.lag
            value = float(result.traces[0][f"lstm.0.{tap.signal}"][at, 11]) if at >= 0 else 0.0
            assert mark.value_text == format_number(value)
    # Every unit reads all of these: none is marked.
    assert strip(workspace, "h-before").value_text == ""


def test_lines_follow_the_order_of_the_plots(opened: Open) -> None:
    session = Session(with_units(16))
    workspace = opened(session)
    session.look(order=UnitOrder.ACTIVITY)
    item = workspace.stack.row_item("0.cell_state")
    assert isinstance(item, HeatItem)
    assert item.order is not None
    assert item.order.tolist() != sorted(item.order.tolist())
    column = item.derived.index[session.view.cursor, item.order]
    np.testing.assert_array_equal(strip(workspace, "c").index, column)


def test_symbols_stand_in_boxes(opened: Open) -> None:
    session = Session(answer(small_setup()))
    workspace = opened(session)
    symbols = session.result.sequence.symbols
    assert symbols is not None
    for step in (0, 3):
        session.move_cursor(step)
        for network in (0, 1):
            (box,) = diagram(workspace, network).diagram.symbol_boxes.values()
            assert box.text == symbols[step]
            assert strip(workspace, "x", network).height == 32


def test_numbers_that_enter_have_no_boxes(opened: Open) -> None:
    workspace = opened(Session(answer(small_setup(number_set()))))
    (box,) = diagram(workspace).diagram.symbol_boxes.values()
    assert box.text == ""
    assert strip(workspace, "x").height == 12


def test_labels_are_of_one_vocabulary(opened: Open) -> None:
    session = Session(answer(small_setup()))
    workspace = opened(session)

    def texts() -> set[str]:
        marks = diagram(workspace).diagram.marks
        return {mark.text for mark in marks if isinstance(mark, PillMark)} | {
            mark.text for mark in diagram(workspace).diagram.names.values()
        }

    assert texts() == {"1 Forget", "2 Input", "3 Update", "4 Output", "retained", "admitted"}
    session.look(labels=Labels.CLASSROOM)
    assert texts() == {"1 Forget", "2 Learn", "3 Remember", "4 Use", "forget gate", "learn gate"}


# Phases.


def opacities(view: DiagramView) -> dict[str, float]:
    return {key: mark.opacity() for key, mark in view.diagram.strips.items()}


@pytest.mark.parametrize("size", [13, 20, 26])
@pytest.mark.parametrize("scale", [0.8, 1.0, 1.6])
def test_names_of_operations_stay_inside_their_pills(opened: Open, qapp: QApplication, size: int, scale: float) -> None:
    session = Session(answer(small_setup()))
    workspace = opened(session)
    usual = qapp.font()
    larger = QFont(usual)
    larger.setPixelSize(size)
    qapp.setFont(larger)
    try:
        view = diagram(workspace)
        view.apply_look(DiagramLook(LIGHT, scale))
        pills = [mark for mark in view.diagram.marks if isinstance(mark, PillMark)]
        for labels in Labels:
            session.look(labels=labels)
            for pill in pills:
                assert pill.font.pixelSize() * scale >= 9.9
                wide = QFontMetricsF(pill.font).horizontalAdvance(pill.text)
                assert wide <= pill.rect.width() - 6, pill.text
    finally:
        qapp.setFont(usual)


def test_what_is_not_live_rests(opened: Open) -> None:
    session = Session(answer(small_setup()))
    workspace = opened(session)
    view = diagram(workspace)
    session.look(four_phases=True, phase=Phase.REMEMBER)
    view.diagram.finish_fading()
    live = {key for key, opacity in opacities(view).items() if opacity == 1.0}
    assert live == {"k", "l", "c"}
    assert {opacity for key, opacity in opacities(view).items() if key not in live} == {REST}
    assert opacities(diagram(workspace, 1)) == {"h-before": 1.0, "x": 1.0, "h": 1.0}
    session.look(phase=Phase.USE)
    view.diagram.finish_fading()
    assert {key for key, opacity in opacities(view).items() if opacity == 1.0} == {"h-before", "x", "o", "c", "h"}
    session.look(four_phases=False)
    view.diagram.finish_fading()
    assert set(opacities(view).values()) == {1.0}


def test_live_wires_are_wider_and_the_pill_is_filled(opened: Open) -> None:
    session = Session(answer(small_setup()))
    workspace = opened(session)
    scene = diagram(workspace).diagram
    wires = {mark.wire.end: mark for mark in scene.marks if isinstance(mark, WireMark)}
    pills = [mark for mark in scene.marks if isinstance(mark, PillMark)]
    assert (wires["forget.left"].width, wires["forget.bottom"].width, wires["learn.left"].width) == (3, 2, 2)
    # In whole steps every operation is live.
    assert {pill.ink for pill in pills} == {LIGHT.ink}
    session.look(four_phases=True, phase=Phase.FORGET)
    assert (wires["forget.left"].width, wires["forget.bottom"].width, wires["learn.left"].width) == (4, 3, 2)
    assert [pill.filled for pill in pills] == [True, False, False, False]
    forget = LIGHT.on(LIGHT.roles[Phase.FORGET.role].mark)
    assert [pill.ink for pill in pills] == [forget, LIGHT.ink2, LIGHT.ink2, LIGHT.ink2]


@pytest.mark.parametrize("units", [16, 128])
def test_a_resting_strip_rests_evenly_from_top_to_bottom(opened: Open, units: int) -> None:
    session = Session(with_units(units))
    workspace = opened(session)
    session.look(four_phases=True, phase=Phase.REMEMBER)
    view = diagram(workspace)
    view.diagram.finish_fading()
    image = picture(workspace)
    ratio, look = image.devicePixelRatio(), view.diagram.look
    for key in ("f", "i", "g", "o"):
        mark = strip(workspace, key)
        assert mark.bands is not None
        assert len(mark.index) >= 16
        for line, level in enumerate(mark.index.tolist()):
            at = place_of(view, mark, line)
            colour, ground = look.tables[key == "g"][level], look.panel
            seen = image.pixelColor(int(at.x() * ratio), int(at.y() * ratio))
            for channel in ("red", "green", "blue"):
                full, below = getattr(colour, channel)(), getattr(ground, channel)()
                assert abs(getattr(seen, channel)() - (REST * full + (1 - REST) * below)) <= 2, (key, line)


def test_a_phase_fades_in_unless_steps_follow_fast(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(answer(small_setup()))
    workspace = opened(session)
    scene = diagram(workspace).diagram
    now = [monotonic() + 100.0]
    monkeypatch.setattr("lstm_studio.ui.explore.diagram.scene.monotonic", lambda: now[0])
    session.look(four_phases=True, phase=Phase.FORGET)
    assert scene.strips["g"].opacity() == 1.0  # it has only begun
    scene.finish_fading()
    assert scene.strips["g"].opacity() == REST
    now[0] += 0.1
    session.look(phase=Phase.LEARN)
    assert scene.strips["g"].opacity() == 1.0
    now[0] += 1.0
    monkeypatch.setattr("lstm_studio.ui.explore.diagram.scene.motion_reduced", lambda: True)
    session.look(phase=Phase.USE)
    assert scene.strips["g"].opacity() == REST


def test_pills_choose_an_operation_and_bring_the_whole_step_back(opened: Open) -> None:
    session = Session(answer(small_setup()))
    workspace = opened(session)
    view = diagram(workspace)
    pill = next(mark for mark in view.diagram.marks if isinstance(mark, PillMark) and mark.zone.phase is Phase.LEARN)
    at = view.mapFromScene(pill.rect.center())
    click(view, at)
    assert (session.view.four_phases, session.view.phase) == (True, Phase.LEARN)
    click(view, at)
    assert not session.view.four_phases


# The mouse.


def test_a_click_in_a_strip_selects_the_unit(opened: Open) -> None:
    session = Session(with_units(16))
    workspace = opened(session)
    view = diagram(workspace)
    click(view, place_of(view, strip(workspace, "g"), 11))
    assert session.view.units["0:lstm.0"] == 11
    click(diagram(workspace, 1), place_of(diagram(workspace, 1), strip(workspace, "h", 1), 4))
    assert session.view.units["1:rnn.0"] == 4
    # A feature of the input is no unit.
    click(view, place_of(view, strip(workspace, "x"), 6))
    assert session.view.units["0:lstm.0"] == 11


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_a_click_in_a_bin_offers_its_units(opened: Open) -> None:
    session = Session(with_units(128))
    workspace = opened(session)
    view = diagram(workspace)
    click(view, place_of(view, strip(workspace, "g"), 3))
    menu = view.findChild(QMenu)
    assert menu is not None
    assert [action.data() for action in menu.actions()] == list(range(24, 32))
    value = float(session.result.traces[0]["lstm.0.candidate"][session.view.cursor, 26])
    assert menu.actions()[2].text() == f"Unit 26, {format_number(value)}"
    menu.actions()[2].trigger()
    menu.close()
    assert session.view.units["0:lstm.0"] == 26


def test_hovering_names_signal_unit_and_value(opened: Open) -> None:
    session = Session(with_units(16))
    workspace = opened(session)
    session.move_cursor(8)
    view = diagram(workspace)
    trace, mark = session.result.traces[0], strip(workspace, "f")
    at = view.mapToScene(place_of(view, mark, 14))
    value = format_number(float(trace["lstm.0.forget_gate"][8, 14]))
    assert view.text_at(at) == f"forget gate, unit 14, {value}"
    on_wire = QPointF(mark.strip.x, 100)
    assert view.text_at(on_wire).startswith("forget gate, unit 0, ")
    symbol = view.mapToScene(place_of(view, strip(workspace, "x"), 3))
    assert view.text_at(symbol).startswith("input, b, ")
    assert view.text_at(QPointF(2, 245)) == ""


def test_hovering_a_line_of_several_says_whose_mean_it_is(opened: Open) -> None:
    session = Session(answer(small_setup(number_set(features=64))))
    session.move_cursor(3)
    workspace = opened(session)
    view = diagram(workspace)
    at = view.mapToScene(place_of(view, strip(workspace, "x"), 2))
    assert view.text_at(at) == "input, 64 features; mean of features 8–11"
    many = opened(Session(with_units(128)))
    at = diagram(many).mapToScene(place_of(diagram(many), strip(many, "g"), 2))
    assert diagram(many).text_at(at).endswith("; mean of units 16–23: click to choose one")


def test_dragging_the_selected_value_asks_for_another(opened: Open) -> None:
    session = Session(with_units(16))
    workspace = opened(session)
    session.select_unit("0:lstm.0", 14)
    session.move_cursor(8)
    view, mark = diagram(workspace), strip(workspace, "f")
    asked: list[tuple[object, ...]] = []
    workspace.value_dragged.connect(lambda *what: asked.append(what))
    start = place_of(view, mark, 14)
    recorded = float(session.result.traces[0]["lstm.0.forget_gate"][8, 14])
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view.viewport(), start + QPoint(0, 40))
    wanted = round(max(0.0, recorded - 40 / 160), 2)
    assert mark.value_text == format_number(wanted)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start + QPoint(0, 40))
    assert asked == [(0, "lstm.0.forget_gate", 14, 8, pytest.approx(wanted))]
    assert mark.value_text == format_number(recorded)


def test_a_drag_stays_within_the_range_and_can_be_dropped(opened: Open) -> None:
    session = Session(with_units(16))
    workspace = opened(session)
    view, mark = diagram(workspace), strip(workspace, "o")
    asked: list[tuple[object, ...]] = []
    workspace.value_dragged.connect(lambda *what: asked.append(what))
    start = place_of(view, mark, 0)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view.viewport(), start - QPoint(0, 900))
    assert mark.value_text == "1.00"
    QTest.mousePress(view.viewport(), Qt.MouseButton.RightButton, pos=start)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    assert asked == []
    # Escape drops it too; the keyboard goes back to who had it.
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view.viewport(), start - QPoint(0, 900))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    assert asked == []
    assert not view.hasFocus()
    # What was before this step cannot be changed in it.
    start = place_of(view, strip(workspace, "c-before"), 0)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view.viewport(), start + QPoint(0, 50))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start + QPoint(0, 50))
    assert asked == []


# Room.


@pytest.mark.parametrize(
    ("size", "together"), [((1060, 870), True), ((1026, 640), True), ((800, 640), False), ((2000, 1300), True)]
)
def test_the_diagrams_take_their_share_of_the_room(opened: Open, size: tuple[int, int], together: bool) -> None:
    workspace = opened(Session(answer(small_setup())), QSize(*size))
    deck = workspace.deck
    assert deck.side_by_side is together
    assert SMALLEST <= deck.scale <= LARGEST
    assert deck.height() <= max(240, 0.36 * size[1])
    shown = [card for card in deck.cards if card.isVisible()]
    assert len(shown) == (2 if together else 1)
    for card in shown:
        assert card.view.width() <= card.width()
        drawn = card.view.mapFromScene(card.view.sceneRect()).boundingRect()
        assert (drawn.left(), drawn.top()) == (0, 0)
        assert abs(drawn.width() - card.view.width()) <= 1
        assert abs(drawn.height() - card.view.height()) <= 1
        assert card.geometry().right() <= deck.width()
    assert workspace.stack.height() >= 0.6 * size[1] - 30


def test_one_diagram_at_a_time_can_be_exchanged(opened: Open) -> None:
    workspace = opened(Session(answer(small_setup())), QSize(800, 640))
    deck = workspace.deck
    assert [card.isVisible() for card in deck.cards] == [True, False]
    assert deck.tabs is not None
    deck.tabs.button("1").click()
    assert [card.isVisible() for card in deck.cards] == [False, True]


def test_text_is_never_smaller_than_ten_pixels(opened: Open) -> None:
    for size in ((1060, 870), (800, 600)):
        look = diagram(opened(Session(answer(small_setup())), QSize(*size))).diagram.look
        assert all(font.pixelSize() * look.scale >= 10 for font in look.fonts.values())


def test_the_diagrams_can_be_hidden(opened: Open) -> None:
    session = Session(answer(small_setup()))
    workspace = opened(session)
    height = workspace.stack.height()
    session.look(diagram=False)
    QApplication.processEvents()
    assert not workspace.deck.isVisible()
    assert workspace.stack.height() > height
    session.look(diagram=True)
    assert workspace.deck.isVisible()


def test_a_network_without_a_wiring_gets_a_sentence(opened: Open) -> None:
    result = answer(small_setup(number_set()))
    arrays = {"input": result.sequence.values, "odd.0.hidden_state": np.zeros((12, 4), np.float32)}
    trace = Trace(arrays, (TraceLayer("odd.0", "odd", "Odd", 4, (signals.RECURRENT_STATE,)),))
    odd = replace(result, traces=(trace,), infos=(replace(result.infos[0], title="Odd"),))
    workspace = opened(Session(odd))
    (card,) = workspace.deck.cards
    assert not card.view.isVisible()
    assert card.message.startswith("Odd does not say how it is wired")


def test_both_directions_have_one_choice(opened: Open) -> None:
    session = Session(answer(small_setup(network=NetworkSpec(hidden_size=5, bidirectional=True))))
    workspace = opened(session)
    trace = session.result.traces[0]
    shown = strip(workspace, "h")
    session.move_cursor(6)
    assert shown.value == float(trace["lstm.0.hidden_state"][6, 0])
    workspace.deck.cards[0].direction.button("backward").click()
    assert session.view.backward
    assert strip(workspace, "h").value == float(trace["lstm.0.reverse.hidden_state"][6, 0])
    assert strip(workspace, "c-before").value == float(trace["lstm.0.reverse.cell_state"][7, 0])


# Cost.


def test_a_step_makes_no_items(opened: Open) -> None:
    session = Session(with_units(128))
    workspace = opened(session)
    scenes = [card.view.diagram for card in workspace.deck.cards]
    before = [{id(item) for item in scene.items()} for scene in scenes]
    for _ in range(3):
        for step in range(session.steps):
            session.move_cursor(step)
    session.look(four_phases=True, phase=Phase.LEARN)
    assert [{id(item) for item in scene.items()} for scene in scenes] == before


def test_another_network_frees_the_marks_of_the_one_before(opened: Open) -> None:
    session = Session(answer(small_setup(companion=None)))
    workspace = opened(session)
    scene = diagram(workspace).diagram
    marks = [weakref.ref(mark) for mark in scene.marks]
    result = answer(small_setup())
    rnn = replace(result, setup=session.setup, traces=(result.traces[1],), infos=(result.infos[1],))
    assert session.accept(rnn)
    assert set(scene.strips) == {"h-before", "x", "h"}
    QApplication.processEvents()
    gc.collect()
    assert not any(mark() for mark in marks)
