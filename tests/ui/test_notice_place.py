"""Notices lie where they hide no number, as long as there is such a place."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.ui.notices import Level
from lstm_studio.ui.theme import PANEL_INSET
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")
NOTE = "The trained networks take 8 features, the file has 1: it runs through new, untrained networks of the same size."


def place_of(window: StudioWindow, part: QWidget) -> QRect:
    return QRect(part.mapTo(window.stage, QPoint()), part.size())


def strips(window: StudioWindow) -> list[QRect]:
    """Where the diagrams that are seen say measured numbers."""
    views = [card.view for card in window.workspace.deck.cards if card.view.isVisible()]
    return [
        view.mapFromScene(mark.mapRectToScene(mark.boundingRect()))
        .boundingRect()
        .translated(view.mapTo(window.stage, QPoint()))
        for view in views
        for mark in view.diagram.strips.values()
    ]


def lower_right(window: StudioWindow) -> QPoint:
    return window.stage.rect().bottomRight() - QPoint(PANEL_INSET, PANEL_INSET)


@pytest.mark.parametrize("size", [(1366, 768), (1600, 1000), (2560, 1440)])
def test_a_note_lies_over_no_plot_and_over_no_number_of_a_diagram(qtbot: QtBot, size: tuple[int, int]) -> None:
    with opened_window(size=size) as window:
        board = window.stage.notices
        window.note(Level.NOTE, NOTE)
        QApplication.processEvents()
        place = board.geometry()
        assert window.stage.rect().contains(place)
        assert not place.intersects(place_of(window, window.workspace.stack))
        measured = strips(window)
        assert len(measured) > 8
        assert not any(place.intersects(strip) for strip in measured)
        # Titles are in sight, too.
        for card in window.workspace.deck.cards:
            assert place.top() >= place_of(window, card._head).bottom()


def test_where_there_is_no_such_place_they_lie_in_the_corner_and_come_back(qtbot: QtBot) -> None:
    with opened_window(size=(1366, 768)) as window:
        board, deck = window.stage.notices, window.workspace.deck
        for name in "abc":
            window.note(Level.ERROR, f"The file {name} cannot be read.", "Choose another one.")
        # Three of them are too high.
        qtbot.waitUntil(lambda: board.geometry().bottomRight() == lower_right(window))
        board.clear()
        window.note(Level.NOTE, NOTE)
        qtbot.waitUntil(lambda: place_of(window, deck).contains(board.geometry()))
        window.session.look(diagram=False)
        qtbot.waitUntil(lambda: board.geometry().bottomRight() == lower_right(window))
        window.session.look(diagram=True)
        qtbot.waitUntil(lambda: place_of(window, deck).contains(board.geometry()))
        window.show_workspace("train")
        qtbot.waitUntil(lambda: board.geometry().bottomRight() == lower_right(window))
        window.show_workspace("explore")
        qtbot.waitUntil(lambda: place_of(window, deck).contains(board.geometry()))
