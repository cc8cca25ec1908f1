"""The list shows what-ifs and compares them, the bar says how; with real networks."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from lstm_studio.networks.signals import Labels
from lstm_studio.session.session import Session
from lstm_studio.session.state import (
    RECORDED,
    SECOND,
    Branch,
    CompareMode,
    Comparison,
    Second,
    branch_key,
)
from lstm_studio.ui.explore.compare_bar import CompareBar
from lstm_studio.ui.explore.what_if.form import Change
from lstm_studio.ui.explore.what_if.panel import WhatIfPanel
from lstm_studio.ui.theme import DARK, LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.what_if_fakes import GATE, add, branches_of, computed_session, view_of


@pytest.fixture
def session() -> Session:
    """Temporal order in small, an LSTM of six units and an RNN."""
    return computed_session()


@pytest.fixture
def panel(session: Session, show: Show) -> WhatIfPanel:
    """The panel, shown."""
    made = WhatIfPanel(session, LIGHT)
    show(made)
    return made


# The list.


def rows_of(panel: WhatIfPanel) -> list[tuple[str, bool]]:
    return [(row.title, row.checked) for row in panel.list.branch_model.rows]


def test_the_list_shows_what_each_comes_to(session: Session, panel: WhatIfPanel) -> None:
    add(session, GATE)
    recorded, branch = panel.list.branch_model.rows
    hidden = [
        traces[0]["lstm.0.hidden_state"][-1].astype(float)
        for traces in (session.result.traces, *session.result.branches)
    ]
    assert recorded.outcome == f"‖h‖ {np.linalg.norm(hidden[0]):.2f}"
    change = float(np.linalg.norm(hidden[1] - hidden[0]))
    assert branch.outcome.startswith("Δh ")
    assert float(branch.outcome[3:].replace("−", "-")) == pytest.approx(change, rel=0.05)
    assert branch.sentence == "held from step 5 on"
    assert "RNN" in recorded.details


def test_a_tick_compares_and_the_recorded_trace_is_the_base(session: Session, panel: WhatIfPanel) -> None:
    other = Branch("off", 0, ablate=(("lstm.0", (1,)),))
    add(session, GATE, other)
    assert rows_of(panel) == [("Recorded", True), ("gate", False), ("off", False)]
    model = panel.list.branch_model
    model.setData(model.index(1), None, Qt.ItemDataRole.CheckStateRole)
    assert rows_of(panel) == [("Recorded", True), ("gate", True), ("off", False)]
    model.setData(model.index(2), None, Qt.ItemDataRole.CheckStateRole)
    assert rows_of(panel) == [("Recorded", True), ("gate", False), ("off", True)]
    model.setData(model.index(2), None, Qt.ItemDataRole.CheckStateRole)
    assert view_of(session).comparison is None
    session.look(comparison=Comparison(branch_key("off"), branch_key("gate")))
    assert rows_of(panel) == [("Recorded", False), ("gate", True), ("off", True)]
    model.setData(model.index(0), None, Qt.ItemDataRole.CheckStateRole)
    assert view_of(session).comparison == Comparison(branch_key("off"), RECORDED)


def test_a_click_on_the_box_ticks_and_elsewhere_only_selects(session: Session, panel: WhatIfPanel) -> None:
    add(session, GATE)
    QApplication.processEvents()
    rect = panel.list.visualRect(panel.list.branch_model.index(1))
    QTest.mouseClick(
        panel.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(rect.right() - 30, rect.center().y() - 2)
    )
    assert view_of(session).comparison is None
    assert panel.list.currentIndex().row() == 1
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(15, rect.center().y() - 2))
    assert view_of(session).comparison is not None


def test_keys_tick_rename_and_remove_and_undo_brings_back(session: Session, panel: WhatIfPanel) -> None:
    add(session, GATE)
    panel.list.setFocus()
    panel.list.setCurrentIndex(panel.list.branch_model.index(1))
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    assert rows_of(panel)[1] == ("gate", True)
    QTest.keyClick(panel.list, Qt.Key.Key_F2)
    field = panel.list.findChild(QLineEdit)
    assert field is not None
    field.setText("kept open")
    QTest.keyClick(field, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert rows_of(panel)[1] == ("kept open", True)
    assert branches_of(session)[0].name == "kept open"
    panel.list.setCurrentIndex(panel.list.branch_model.index(1))
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    assert not branches_of(session)
    assert rows_of(panel) == [("Recorded", True)]
    session.undo()
    assert rows_of(panel)[1] == ("kept open", True)
    session.undo()
    session.undo()
    assert not branches_of(session)
    session.redo()
    assert branches_of(session) == (GATE,)


def test_a_what_if_stays_compared_under_its_other_name_also_where_undo_gives_it_back(
    session: Session, panel: WhatIfPanel
) -> None:
    add(session, GATE, Branch("off", 0, ablate=(("lstm.0", (1,)),)))
    session.look(comparison=Comparison(branch_key("off"), branch_key("gate"), CompareMode.DIFFERENCE))
    panel.rename(branch_key("gate"), "kept open")
    assert view_of(session).comparison == Comparison(branch_key("off"), branch_key("kept open"), CompareMode.DIFFERENCE)
    session.undo()
    assert view_of(session).comparison == Comparison(branch_key("off"), branch_key("gate"), CompareMode.DIFFERENCE)
    assert rows_of(panel) == [("Recorded", False), ("gate", True), ("off", True)]
    session.redo()
    assert rows_of(panel) == [("Recorded", False), ("kept open", True), ("off", True)]
    # Another one that is new under the same name is not the one that was compared.
    session.change("Other", branches=(Branch("new", 4, clamp=(("lstm.0.forget_gate", ((1, 0.5),)),)),))
    assert rows_of(panel) == [("Recorded", True), ("new", False)]


def test_the_recorded_trace_can_be_neither_renamed_nor_removed(session: Session, panel: WhatIfPanel) -> None:
    add(session, GATE)
    panel.list.setCurrentIndex(panel.list.branch_model.index(0))
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    QTest.keyClick(panel.list, Qt.Key.Key_F2)
    assert panel.list.findChild(QLineEdit) is None
    assert branches_of(session) == (GATE,)


def test_names_follow_the_vocabulary_unless_they_were_chosen(session: Session, panel: WhatIfPanel) -> None:
    panel.add(Branch("", 4, clamp=GATE.clamp))
    panel.add(Branch("", 4, clamp=GATE.clamp))
    panel.rename(branch_key(branches_of(session)[1].name), "mine")
    assert [title for title, _ in rows_of(panel)] == ["Recorded", "Forget gate of unit 1 = 1 from 5", "mine"]
    session.look(labels=Labels.CLASSROOM)
    assert [title for title, _ in rows_of(panel)] == ["Recorded", "Forget factor of unit 1 = 1 from 5", "mine"]
    assert panel.button(Change.EVENT).text() == "Edit event…"
    assert panel.button(Change.STATE).text() == "Set memory…"


def test_a_second_sequence_is_in_the_list_and_can_be_removed(session: Session, panel: WhatIfPanel) -> None:
    session.change("Compare", second=Second(item=2))
    session.look(comparison=Comparison(SECOND))
    assert rows_of(panel) == [("Recorded", True), ("Sequence 3", True)]
    panel.remove(SECOND)
    assert session.setup.second is None
    assert rows_of(panel) == [("Recorded", True)]


def test_the_panel_takes_another_theme(session: Session, panel: WhatIfPanel) -> None:
    add(session, GATE)
    before = panel.grab().toImage()
    panel.apply_theme(DARK)
    assert panel.grab().toImage() != before


# The bar.


@pytest.fixture
def bar(session: Session, show: Show) -> CompareBar:
    """The bar, on two what-ifs."""
    made = CompareBar(session, LIGHT)
    session.result_replaced.connect(made.refresh)
    session.view_changed.connect(made.refresh)
    show(made)
    add(session, GATE, Branch("off", 0, ablate=(("lstm.0", (1,)),)))
    session.look(comparison=Comparison(branch_key("gate")))
    return made


def test_the_bar_is_there_while_something_is_compared(session: Session, bar: CompareBar) -> None:
    assert not bar.isHidden()
    assert [bar.base.itemText(index) for index in range(bar.base.count())] == ["Recorded", "gate", "off"]
    assert bar.words.startswith("The same up to step 4. Largest difference: ")
    assert "recorded ones" not in bar.words
    session.look(comparison=None)
    assert bar.isHidden()


def test_both_sides_and_the_mode_are_chosen_in_it(session: Session, bar: CompareBar) -> None:
    bar.base.setCurrentIndex(2)
    bar.base.activated.emit(2)
    assert view_of(session).comparison == Comparison(branch_key("gate"), branch_key("off"))
    assert bar.words.startswith("Different from the first step on.")
    assert bar.words.endswith("Cells and numbers at the step are the recorded ones.")
    # Choosing for B what A is changes the sides.
    bar.other.setCurrentIndex(2)
    bar.other.activated.emit(2)
    assert view_of(session).comparison == Comparison(branch_key("off"), branch_key("gate"))
    bar.modes.button(CompareMode.SIDE.value).click()
    comparison = view_of(session).comparison
    assert comparison is not None
    assert comparison.mode is CompareMode.SIDE
    session.change("Remove", branches=(GATE,))
    assert bar.isHidden()


def test_the_keyboard_goes_to_a_what_if_that_is_new_and_stays_in_its_place_where_one_is_removed(
    session: Session, panel: WhatIfPanel
) -> None:
    view = panel._list

    def current() -> str:
        return view.branch_model.rows[view.currentIndex().row()].title

    assert current() == "Recorded"
    add(session, GATE)
    assert current() == "gate"
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_F2)
    editor = QApplication.focusWidget()
    assert isinstance(editor, QLineEdit)
    QTest.keyClicks(editor, "half open")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert current() == "half open"
    renamed = branches_of(session)[0]
    add(session, renamed, Branch("off", 0, ablate=(("lstm.0", (1,)),)), Branch("on", 2, ablate=(("lstm.0", (2,)),)))
    view.setCurrentIndex(view.branch_model.index(2))
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert current() == "on"
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert current() == "half open"
