"""Diagrams in their workspace, and where their lines are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from lstm_studio.session.session import Session
from lstm_studio.session.state import Result
from lstm_studio.ui.explore.diagram.strip import StripMark
from lstm_studio.ui.explore.diagram.view import DiagramView
from lstm_studio.ui.explore.workspace import ExploreWorkspace
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.fakes import answer, lstm_trace, rnn_trace, small_setup

WIDE = QSize(1060, 870)
Open = Callable[..., ExploreWorkspace]


def opened_workspaces(qapp: QApplication) -> Iterator[Open]:
    """Show a workspace on a session; all are destroyed at the end of the test."""
    hosts: list[QWidget] = []

    def open_workspace(session: Session, size: QSize = WIDE) -> ExploreWorkspace:
        host = QWidget()
        hosts.append(host)
        host.resize(size)
        workspace = ExploreWorkspace(session, LIGHT, host)
        workspace.setGeometry(host.rect())
        # As the window does; else the keyboard would be with the first that Tab comes to.
        workspace.stack.setFocus()
        host.show()
        qapp.processEvents()
        return workspace

    yield open_workspace
    for host in hosts:
        host.close()
        host.deleteLater()


def with_units(units: int) -> Result:
    result = answer(small_setup())
    traces = (lstm_trace(result.sequence, units), rnn_trace(result.sequence, units))
    return replace(result, traces=traces)


def diagram(workspace: ExploreWorkspace, network: int = 0) -> DiagramView:
    return workspace.deck.cards[network].view


def strip(workspace: ExploreWorkspace, key: str, network: int = 0) -> StripMark:
    return diagram(workspace, network).diagram.strips[key]


def picture(workspace: ExploreWorkspace, network: int = 0) -> QImage:
    return diagram(workspace, network).grab().toImage()


def place_of(view: DiagramView, mark: StripMark, line: int) -> QPoint:
    """Return the middle of a line of a strip in the view's pixels."""
    assert mark.bands is not None
    top, bottom = mark.bands.span(line, mark.height)
    at = mark.pos() + QPointF(0, mark.body.top() + (top + bottom) / 2)
    return view.mapFromScene(at)


def click(view: DiagramView, at: QPoint) -> None:
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
