"""Rich text that is cut: by as little as it takes, and the same again when its room returns."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject
from PySide6.QtGui import QFont, QTextCursor, QTextDocument, QTextOption
from PySide6.QtWidgets import QApplication

from lstm_studio.ui.plots.rich_label import RichLabel

TEXTS = (
    "<i>f</i><sub>t</sub>&nbsp; in 0…1",
    "<i>c</i><sub>t</sub>&nbsp; difference B − A · layer 2 of 3",
    "norm, log axis · A only",
    "averyveryverylongwordwithoutanyspaces in it",
)


def longest_prefix(html: str, font: QFont, width: float, most: int) -> str:
    """Cut by one letter after the other until it fits."""
    document = QTextDocument()
    document.setDocumentMargin(0)
    document.setDefaultFont(font)
    wrap = QTextOption()
    wrap.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    document.setDefaultTextOption(wrap)
    document.setTextWidth(max(1.0, width))
    document.setHtml(html)
    length = len(document.toPlainText())
    cut = ""
    while True:
        document.size()
        if document.firstBlock().layout().lineCount() <= most or length == 0:
            return document.toPlainText() if length else cut
        length -= 1
        document.setHtml(html)
        cursor = QTextCursor(document)
        cursor.setPosition(length)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText("…")
        cut = document.toPlainText()


@pytest.mark.parametrize("html", TEXTS)
def test_as_much_as_fits_is_kept(html: str, qapp: QApplication) -> None:
    del qapp
    owner, font = QObject(), QFont("DejaVu Sans", 9)
    label = RichLabel(owner)
    label.write(html, font)
    for most in (1, 2, 3):
        for width in (20, 33, 47, 60, 85, 120, 300):
            lines = label.fit(width, most)
            assert lines <= most
            assert label.shown == longest_prefix(html, font, width, most), (width, most)


def test_room_that_returns_brings_the_whole_text_back(qapp: QApplication) -> None:
    del qapp
    owner = QObject()
    label = RichLabel(owner)
    label.write(TEXTS[1], QFont("DejaVu Sans", 9))
    assert label.fit(1000, 1) == 1
    whole = label.shown
    label.fit(50, 1)
    assert label.shown != whole
    assert label.shown.endswith("…")
    label.write(TEXTS[1], QFont("DejaVu Sans", 9))
    assert label.fit(1000, 2) == 1
    assert label.shown == whole == label.text
    label.write("another", QFont("DejaVu Sans", 9))
    assert label.fit(1000, 2) == 1
    assert label.shown == "another"
