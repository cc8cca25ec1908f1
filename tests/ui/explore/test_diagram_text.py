"""What stands in and beside the boxes of a diagram keeps clear of their edges at any size of the text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from lstm_studio.session.session import Session
from lstm_studio.ui.explore.diagram.items import BoxMark
from lstm_studio.ui.explore.diagram.look import DiagramLook
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.fakes import answer, small_setup
from tests.ui.explore.shown_diagrams import Open, diagram, opened_workspaces


@pytest.fixture
def opened(qapp: QApplication) -> Iterator[Open]:
    yield from opened_workspaces(qapp)


@pytest.mark.parametrize("size", [13, 17, 20, 26])
@pytest.mark.parametrize("scale", [0.8, 1.0, 1.6])
def test_words_stay_inside_their_boxes_and_symbols_outside(
    opened: Open, qapp: QApplication, size: int, scale: float
) -> None:
    workspace = opened(Session(answer(small_setup())))
    usual = qapp.font()
    larger = QFont(usual)
    larger.setPixelSize(size)
    qapp.setFont(larger)
    try:
        for network in range(2):
            view = diagram(workspace, network)
            view.apply_look(DiagramLook(LIGHT, scale))
            boxes = [mark for mark in view.diagram.marks if isinstance(mark, BoxMark)]
            assert len(boxes) >= 3
            for box in boxes:
                words = box.words_rect
                # Letters as small as can be read may need all of it.
                free = 0.0 if scale < 1 else 1.5
                assert words.left() >= box.rect.left() + free, box.box.text
                assert words.right() <= box.rect.right() - free, box.box.text
                assert box.words_size * scale >= 9.9
            for key, mark in view.diagram.strips.items():
                symbol = view.diagram.symbol_of(key)
                for box in boxes:
                    # One that stands above its strip is no nearer to a box beside it than lines are to each other.
                    assert not box.rect.adjusted(0, 0, 1.5, 0).intersects(symbol), (key, box.box.text)
                assert abs(symbol.center().x() - mark.strip.x) < 40
    finally:
        qapp.setFont(usual)
