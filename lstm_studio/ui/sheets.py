"""Pages of text in a window of their own: the keyboard shortcuts and what this program is."""

from __future__ import annotations

import math
import platform
from collections import Counter
from collections.abc import Mapping
from html import escape

from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtWidgets import QDialog, QFrame, QTextBrowser, QVBoxLayout, QWidget

import lstm_studio
from lstm_studio.ui.actions import ActionInfo, Menus, keys_of, shortcut_text
from lstm_studio.ui.theme import GRID, scaled

FOCUSED = (
    ("Tab, Shift+Tab", "Go to the next control, or to the one before"),
    ("Return", "Press the focused button, or take the chosen line of a list"),
    ("Left, Right", "Go through the parts of the focused diagram, or through choices side by side"),
    ("Up, Down", "Go through the lines of the focused list"),
    ("F2", "Rename the chosen what-if, or change the text of the chosen note"),
    ("Delete", "Remove it"),
)

MOUSE = (
    ("Click or drag in a plot", "Move the cursor"),
    ("Click a row of a heat map", "Select the unit"),
    ("Point at a plot", "Read signal, unit, step and value"),
    ("Wheel over the plots", "Zoom into time about the pointer"),
    ("Shift and wheel, or drag with the middle button", "Move along time"),
    ("Drop files on the window", "Open them"),
)


_WIDTH, _HEIGHT = 560, 680
"""Pixels of a sheet at 100 %."""


class TextSheet(QDialog):
    """A page that stays beside the window until it is closed."""

    def __init__(self, title: str, html: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        page = QTextBrowser()
        page.setAccessibleName(title)
        page.setOpenExternalLinks(True)
        page.setFrameShape(QFrame.Shape.NoFrame)
        page.document().setDocumentMargin(2 * GRID)
        page.setHtml(html)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(page)
        # In the font that it will be seen in, of which it else hears only when it is shown.
        page.ensurePolished()
        page.document().setDefaultFont(page.font())
        # The largest a sheet gets; a short page has no empty paper below it.
        size = QSize(scaled(_WIDTH), scaled(_HEIGHT)).boundedTo(parent.size().expandedTo(QSize(_WIDTH, _HEIGHT)))
        page.document().setTextWidth(size.width())
        size.setHeight(min(size.height(), math.ceil(page.document().size().height()) + 2 * GRID))
        self.resize(size)


def shortcuts_page(menus: Menus, actions: Mapping[str, ActionInfo], where: Mapping[str, str]) -> str:
    """Return the table of shortcuts as HTML, made from the menus and the table of actions.

    Parameters
    ----------
    menus, actions
        The commands.
    where
        Command → title of the workspace in which it can be done, empty for all; it is named where several commands
        share a key.
    """
    used = Counter(shortcut for info in actions.values() for shortcut in info.shortcuts)
    parts = []
    for menu, entries in menus:
        rows = []
        for info in (actions[key] for key in keys_of(entries) if actions[key].shortcuts):
            shared = any(used[shortcut] > 1 for shortcut in info.shortcuts) and where[info.key]
            rows.append((shortcut_text(info), info.text.rstrip("…") + (f" ({where[info.key]})" if shared else "")))
        parts.append(_table(menu, rows))
    parts.append(_table("Buttons, lists and diagrams", list(FOCUSED)))
    parts.append(_table("Mouse", list(MOUSE)))
    return "".join(parts)


def about_page(torch_version: str | None) -> str:
    """Return what this program is as HTML; ``torch_version`` is None until torch has been loaded."""
    rows = [
        ("LSTM Studio", lstm_studio.__version__),
        ("PyTorch", torch_version or "still starting"),
        ("Qt", qVersion()),
        ("Python", platform.python_version()),
    ]
    return (
        "<p><b>LSTM Studio</b>, a microscope for recurrent networks.</p>"
        + _table("Versions", rows)
        + "<p>Free software under the BSD 3-Clause licence.</p>"
    )


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><td width="45%"><b>{escape(key)}</b></td><td>{escape(text)}</td></tr>' for key, text in rows)
    return f'<h3>{escape(title)}</h3><table width="100%" cellpadding="2">{cells}</table>'
