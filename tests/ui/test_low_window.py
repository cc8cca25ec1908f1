"""In a window for the smallest screens, what each step says is in sight without scrolling."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels, Phase
from lstm_studio.session.compute import Computer
from lstm_studio.session.session import Session
from lstm_studio.ui.app import destroy, first_session
from lstm_studio.ui.explore.inspector import Inspector
from lstm_studio.ui.explore.meters import Meters
from lstm_studio.ui.explore.scrub import OVERHANG
from lstm_studio.ui.explore.what_if.branch_list import BranchList
from lstm_studio.ui.explore.what_if.form import Change
from lstm_studio.ui.explore.what_if.panel import WhatIfPanel
from lstm_studio.ui.theme import PANEL_INSET
from lstm_studio.ui.widgets.text import plain
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window
from tests.ui.slow_computer import FakeComputer

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")
FRAME = 20
"""Pixels that a window's title takes on a screen."""


@pytest.mark.parametrize("labels", Labels)
@pytest.mark.parametrize("height", [768 - FRAME, 768, 900])
def test_the_read_out_is_whole_with_the_names_of_its_columns_above(qtbot: QtBot, height: int, labels: Labels) -> None:
    session: Session = first_session()
    session.look(labels=labels, cursor=28)
    window = StudioWindow(session, FakeComputer())
    window.resize(1366, height)
    window.show()
    for _ in range(6):
        QApplication.processEvents()
    inspector, what_if = window.panel("step"), window.panel("what-if")
    assert isinstance(inspector, Inspector)
    assert isinstance(what_if, WhatIfPanel)
    readout = [meters for meters in inspector.findChildren(Meters) if meters.isVisible()][-1]
    names = [tuple(plain(text) for text in row) for row in readout.texts()]
    assert names[0] == ("", "LSTM", "RNN")
    assert [row[0] for row in names[1:]] == ["XX", "XY", "YX", "YY"]
    assert readout.visibleRegion().boundingRect() == readout.rect()
    # What can be done to the trace is, too.
    for change in Change:
        button = what_if.button(change)
        assert button.visibleRegion().boundingRect() == button.rect(), change
    branches = what_if.findChild(BranchList)
    assert branches is not None
    assert branches.viewport().visibleRegion().boundingRect().height() >= branches.sizeHintForRow(0) - 2
    destroy(window)


def test_nothing_moves_sideways_from_step_to_step_nor_from_phase_to_phase(qtbot: QtBot) -> None:
    session = first_session()
    session.look(four_phases=True)
    window = StudioWindow(session, Computer())
    window.resize(1366, 768 - FRAME)
    window.show()
    inspector = window.panel("step")
    assert isinstance(inspector, Inspector)
    parts = (inspector._of, inspector._symbol, inspector._unit, inspector._operations, inspector._target)
    seen: dict[QWidget, set[tuple[int, int]]] = {part: set() for part in parts}
    bars, numbers = set(), set()
    for step in (8, 9, 49):
        for phase in (Phase.FORGET, Phase.REMEMBER):
            session.look(cursor=step, phase=phase)
            # Of steps that follow each other fast no terms are shown.
            qtbot.waitUntil(lambda: window.runner.idle and not inspector._calm.isActive(), timeout=20_000)
            for _ in range(6):
                QApplication.processEvents()
            for part in parts:
                seen[part].add((part.mapTo(inspector, QPoint()).x(), part.width()))
            bars.add(inspector._scroll.verticalScrollBar().isVisible())
            numbers.add(inspector._number.text())
            assert inspector._operations.width() == inspector.width() - 2 * PANEL_INSET
    assert bars == {False, True}, "else nothing could move"
    assert numbers == {"9", "10", "50"}
    assert all(len(places) == 1 for places in seen.values()), list(seen.values())
    destroy(window)


@pytest.mark.parametrize("percent", [100, 150, 200])
@pytest.mark.parametrize("width", [960, 1366])
def test_what_stands_beside_the_bar_leaves_it_room_whatever_the_size_of_the_text(
    qtbot: QtBot, width: int, percent: int
) -> None:
    with opened_window(size=(width, 768)) as window:
        window.scale_text(percent)
        for _ in range(6):
            QApplication.processEvents()
        bar = window.transport
        left = (bar._first, bar._back, bar._play, bar._forward, bar._last, bar._speed, bar._counter)
        shown: list[QWidget] = [part for part in left if part.isVisible()]
        places = [QRect(part.mapTo(bar, QPoint()), part.size()) for part in shown]
        for part in (bar._speed, bar._counter):
            assert not part.isVisible() or part.width() >= part.sizeHint().width()
        assert all(before.right() < after.left() for before, after in pairwise(places))
        begin, end = bar.scrub.x() + OVERHANG, bar.scrub.x() + bar.scrub.width() - OVERHANG
        assert bar.scrub.width() >= bar.scrub.minimumSizeHint().width()
        assert places[-1].right() < begin < end <= bar._right.x()
        assert bar._phases.width() >= bar._phases.minimumSizeHint().width()
        # Only keys do what has left its room to others, and the buttons come back with it.
        assert bar._play.isVisible()
        assert bar._first.isVisible() == bar._last.isVisible() == ((percent, width) != (200, 960))
        window.scale_text(100)
        for _ in range(6):
            QApplication.processEvents()
        assert all(part.isVisible() for part in left)
