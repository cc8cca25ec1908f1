"""What holds for every panel: one vocabulary, names for screen readers, both themes, nothing kept alive."""

from __future__ import annotations

import gc
import re
import weakref
from collections.abc import Callable, Iterator

import pytest
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTableView,
    QWidget,
)

from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.session import Session
from lstm_studio.session.state import Setup
from lstm_studio.ui.explore.inspector import Inspector
from lstm_studio.ui.explore.networks_panel import NetworksPanel
from lstm_studio.ui.explore.rows import StackResolver
from lstm_studio.ui.explore.sequence_panel import SequencePanel
from lstm_studio.ui.explore.transport import Transport
from lstm_studio.ui.explore.units_panel import UnitsPanel
from lstm_studio.ui.explore.what_if.form import Change
from lstm_studio.ui.explore.what_if.panel import WhatIfPanel
from lstm_studio.ui.plots.rows import GradientRow
from lstm_studio.ui.style_sheet import style_sheet
from lstm_studio.ui.theme import DARK, LIGHT, Theme
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import AnsweringSession, number_set, small_setup, verdicts_of

MakePanel = Callable[[Session, Theme], QWidget]


def clamping(session: Session, theme: Theme) -> WhatIfPanel:
    panel = WhatIfPanel(session, theme)
    panel.open_form(Change.CLAMP)
    return panel


def editing(session: Session, theme: Theme) -> WhatIfPanel:
    panel = WhatIfPanel(session, theme)
    panel.open_form(Change.EVENT)
    return panel


PANELS: tuple[MakePanel, ...] = (
    SequencePanel,
    NetworksPanel,
    UnitsPanel,
    Inspector,
    Transport,
    WhatIfPanel,
    clamping,
    editing,
)
SETUPS = {
    "symbols": small_setup(),
    "numbers": small_setup(number_set()),
    "deep": small_setup(network=NetworkSpec(hidden_size=5, layers=2, bidirectional=True)),
    "alone": small_setup(companion=None),
}
_STANDARD = r"Input gate|Output gate|Forget gate f|Candidate|Cell state|Hidden state|Retained|Admitted|Cell update"
WORDS = {
    Labels.STANDARD: re.compile(
        r"Event|Remember|Learn|Long-term|Short-term|\bLTM\b|\bSTM\b|factor|New information", re.IGNORECASE
    ),
    Labels.CLASSROOM: re.compile(rf"\binput\b|\bUpdate\b|{_STANDARD}", re.IGNORECASE),
}
"""What must not be seen in a vocabulary: the words of the other one. Use, Forget and Output are words of daily life."""


def texts(root: QWidget) -> Iterator[str]:
    """Yield everything that can be read in a panel, tool tips and hidden parts included."""
    for widget in (root, *root.findChildren(QWidget)):
        yield widget.toolTip()
        yield widget.accessibleName()
        yield widget.accessibleDescription()
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        if isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        if isinstance(widget, QComboBox):
            yield from (widget.itemText(index) for index in range(widget.count()))
        if isinstance(widget, QTableView):
            model = widget.model()
            for column in range(model.columnCount()):
                yield str(model.headerData(column, Qt.Orientation.Horizontal))
                yield str(model.index(0, column).data())


def judged(setup: Setup) -> AnsweringSession:
    session = AnsweringSession(setup)
    session.accept_verdicts(verdicts_of(session.result))
    return session


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
@pytest.mark.parametrize("make", PANELS)
def test_switching_the_vocabulary_leaves_no_word_of_the_other(show: Show, make: MakePanel, setup: Setup) -> None:
    session = judged(setup)
    session.look(labels=Labels.CLASSROOM)
    panel = make(session, LIGHT)
    show(panel)
    session.move_cursor(2)
    for labels in (Labels.STANDARD, Labels.CLASSROOM, Labels.STANDARD):
        session.look(labels=labels)
        wrong = [text for text in texts(panel) if WORDS[labels].search(re.sub("<[^>]+>", "", text))]
        assert wrong == []


@pytest.mark.parametrize("labels", Labels)
def test_no_row_has_a_word_of_the_other_vocabulary(labels: Labels) -> None:
    session = AnsweringSession(SETUPS["deep"])
    session.look(labels=labels)
    for row in StackResolver().resolve(session.result, session.view).rows:
        assert not WORDS[labels].search(row.title)
        assert not WORDS[labels].search(row.objective if isinstance(row, GradientRow) else row.note)


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
@pytest.mark.parametrize("make", PANELS)
def test_everything_that_takes_the_focus_has_a_name(show: Show, make: MakePanel, setup: Setup) -> None:
    panel = make(judged(setup), LIGHT)
    show(panel)
    nameless = [
        type(widget).__name__
        for widget in (panel, *panel.findChildren(QWidget))
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton | QLabel) and (widget.text() or widget.isHidden()))
        and not _inside_a_field(widget)
    ]
    assert nameless == []


def _inside_a_field(widget: QWidget) -> bool:
    """Whether a widget is Qt's own part of one that has a name."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QComboBox | QScrollArea | QTableView):
        parent = parent.parentWidget()
    own = isinstance(parent, QComboBox) or widget.parentWidget() is parent
    return widget.objectName().startswith("qt_") or own


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
@pytest.mark.parametrize("make", PANELS)
def test_both_themes_are_drawn_and_differ(show: Show, make: MakePanel, setup: Setup) -> None:
    panel = make(judged(setup), LIGHT)
    show(panel)
    pictures = []
    for theme in (LIGHT, DARK, LIGHT):
        panel.setStyleSheet(style_sheet(theme))
        assert hasattr(panel, "apply_theme")
        panel.apply_theme(theme)
        pictures.append(panel.grab().toImage())
    assert pictures[0] != pictures[1]
    assert pictures[0] == pictures[2]


@pytest.mark.parametrize("make", PANELS)
def test_a_panel_dies_with_its_last_reference_while_the_session_lives_on(qapp: QApplication, make: MakePanel) -> None:
    session = judged(small_setup())
    panel = make(session, LIGHT)
    panel.resize(300, 600)
    panel.grab()
    session.move_cursor(3)
    alive = weakref.ref(panel)
    panel.deleteLater()
    del panel
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert alive() is None
    session.move_cursor(4)
    session.change("Another seed", network=NetworkSpec(hidden_size=5, seed=4))


@pytest.mark.parametrize("make", PANELS)
def test_every_kind_of_sequence_follows_every_other(show: Show, make: MakePanel) -> None:
    session = AnsweringSession()
    panel = make(session, LIGHT)
    show(panel)
    for setup in (*SETUPS.values(), *reversed(SETUPS.values())):
        session.change(
            "Open", data=setup.data, network=setup.network, companion=setup.companion, item=len(setup.data) - 1
        )
        session.move_cursor(session.steps - 1)
        panel.grab()
    assert shiboken6.isValid(panel)
