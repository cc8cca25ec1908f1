"""In a window for the smallest screens, what each step says is in sight without scrolling."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels
from lstm_studio.session.session import Session
from lstm_studio.ui.app import destroy, first_session
from lstm_studio.ui.explore.inspector import Inspector
from lstm_studio.ui.explore.meters import Meters
from lstm_studio.ui.explore.what_if.branch_list import BranchList
from lstm_studio.ui.explore.what_if.form import Change
from lstm_studio.ui.explore.what_if.panel import WhatIfPanel
from lstm_studio.ui.widgets.text import plain
from lstm_studio.ui.window import StudioWindow
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
