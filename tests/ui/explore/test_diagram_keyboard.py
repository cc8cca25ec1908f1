"""The diagrams without a mouse, and without eyes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Phase
from lstm_studio.session.session import Session
from lstm_studio.ui.explore.diagram.labels import REST
from lstm_studio.ui.explore.diagram.view import DiagramView
from lstm_studio.ui.explore.diagram.words import Part, part_words
from lstm_studio.ui.numbers import format_number
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


@pytest.fixture
def opened(qapp: QApplication) -> Iterator[Open]:
    """Show a workspace on a session; all are destroyed at the end of the test."""
    yield from opened_workspaces(qapp)


@pytest.mark.qt_log_ignore("plugin does not support")
def test_the_keyboard_goes_through_all_parts_and_names_them(opened: Open) -> None:
    session = Session(with_units(5))
    workspace = opened(session)
    session.move_cursor(4)
    view = diagram(workspace)
    assert view.accessibleName() == "Diagram of the LSTM cell"
    view.setFocus(Qt.FocusReason.TabFocusReason)
    QApplication.processEvents()
    if not view.hasFocus():
        view.focusInEvent(_focus_in())
    names = [view.accessibleName()]
    for _ in range(len(view.diagram.parts()) - 1):
        QTest.keyClick(view, Qt.Key.Key_Right)
        names.append(view.accessibleName())
    assert names[:4] == ["1 Forget", "2 Input", "3 Update", "4 Output"]
    value = format_number(float(session.result.traces[0]["lstm.0.forget_gate"][4, 0]))
    assert f"forget gate, unit 0, {value}" in names
    assert len(names) == len(view.diagram.parts())
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert view.accessibleName() == names[-2]
    for _ in names:
        QTest.keyClick(view, Qt.Key.Key_Left)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert (session.view.four_phases, session.view.phase) == (True, Phase.FORGET)


def _focus_in() -> QFocusEvent:
    return QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.TabFocusReason)


def reach(view: DiagramView, part: Part) -> None:
    """Go to a part by the keyboard."""
    view.focusInEvent(_focus_in())
    for _ in range(view.diagram.parts().index(part)):
        QTest.keyClick(view, Qt.Key.Key_Right)


@pytest.mark.qt_log_ignore("plugin does not support")
def test_the_keyboard_shows_what_hovering_does_and_chooses_a_unit(opened: Open, qtbot: QtBot) -> None:
    session = Session(with_units(5))
    workspace = opened(session)
    session.move_cursor(4)
    view = diagram(workspace)
    forget = strip(workspace, "f")
    reach(view, forget.strip)
    value = format_number(float(session.result.traces[0]["lstm.0.forget_gate"][4, 0]))
    assert view.accessibleName() == f"forget gate, unit 0, {value}"
    assert QToolTip.text() == view.accessibleName()
    QTest.keyClick(view, Qt.Key.Key_Return)
    menu = view.findChild(QMenu)
    assert menu is not None
    qtbot.waitUntil(menu.isVisible)
    assert [action.text().partition(",")[0] for action in menu.actions()] == [f"Unit {unit}" for unit in range(5)]
    menu.actions()[3].trigger()
    menu.close()
    assert set(session.view.units.values()) == {3}
    view.focusOutEvent(QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.TabFocusReason))
    assert view.accessibleName() == "Diagram of the LSTM cell"
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


@pytest.fixture
def listening() -> Iterator[None]:
    """As if a screen reader ran."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


def heard(view: DiagramView) -> dict[str, list[QRect]]:
    """Return what a screen reader finds below a diagram: name → where, in the pixels of the screen."""
    found: dict[str, list[QRect]] = {}
    waiting = [QAccessible.queryAccessibleInterface(view)]
    while waiting:
        one = waiting.pop()
        children = [one.child(place) for place in range(one.childCount())]
        waiting += children
        if not children and one.text(QAccessible.Text.Name):
            found.setdefault(one.text(QAccessible.Text.Name), []).append(one.rect())
    return found


def test_a_screen_reader_finds_every_part_where_it_is_drawn(opened: Open, qtbot: QtBot, listening: None) -> None:
    session = Session(with_units(5))
    workspace = opened(session)
    view = diagram(workspace)
    for step in (4, 7):
        session.move_cursor(step)
        assert view.state is not None
        value = format_number(float(session.result.traces[0]["lstm.0.forget_gate"][step, 0]))
        qtbot.wait(2 * REST)
        found = heard(view)
        assert f"forget gate, unit 0, {value}" in found
        for part in view.diagram.parts():
            place = view.mapFromScene(view.diagram.rect_of(part)).boundingRect()
            place.translate(view.viewport().mapToGlobal(QPoint()))
            assert place in found[part_words(part, view.state)]
        assert sum(map(len, found.values())) == len(view.diagram.parts())
    # They lie over the strips, and a click goes through.
    mark = strip(workspace, "f")
    click(view, place_of(view, mark, 2))
    assert set(session.view.units.values()) == {2}


def test_what_a_screen_reader_finds_is_not_seen(opened: Open, qtbot: QtBot) -> None:
    session = Session(with_units(5))
    workspace = opened(session)
    before = picture(workspace)
    QAccessible.setActive(True)
    try:
        session.move_cursor(3)
        session.move_cursor(session.steps - 1)
        qtbot.wait(2 * REST)
    finally:
        QAccessible.setActive(False)
    assert diagram(workspace).viewport().findChildren(QWidget)
    assert picture(workspace) == before


def test_nothing_is_made_for_screen_readers_where_none_listens(opened: Open, qtbot: QtBot) -> None:
    view = diagram(opened(Session(with_units(5))))
    qtbot.wait(2 * REST)
    assert not view.viewport().findChildren(QWidget)


def test_a_step_is_said_in_words(opened: Open) -> None:
    session = Session(with_units(5))
    workspace = opened(session)
    session.move_cursor(4)
    words = diagram(workspace).words()
    for name, label in (("forget_gate", "forget gate"), ("cell_state", "cell state"), ("hidden_state", "hidden state")):
        value = format_number(float(session.result.traces[0][f"lstm.0.{name}"][4, 0]))
        assert f"{label}, unit 0, {value}" in words
