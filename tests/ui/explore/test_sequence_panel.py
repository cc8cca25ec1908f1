"""The sequence panel chooses, scales, cuts and extends through the session."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QStyle

from lstm_studio.sequences.columns import ColumnInfo, ColumnKind, ColumnRole
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.sequences.sequence import Scaling, Sequence, SequenceSet
from lstm_studio.session.session import Session
from lstm_studio.ui.explore.event_pad import PAST_STEPS, STEP_WIDTH
from lstm_studio.ui.explore.sequence_panel import SequencePanel, facts_of
from lstm_studio.ui.explore.sequence_table import PICTURE, TARGET
from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.theme import DARK, LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import (
    CLASSES,
    SYMBOLS,
    AnsweringSession,
    answer,
    number_set,
    small_setup,
    symbol_set,
    verdicts_of,
    wanted,
)


def opened(show: Show, session: Session) -> SequencePanel:
    panel = SequencePanel(session, LIGHT)
    show(panel)
    return panel


class Asked:
    """Collects what is asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ReadOptions]] = []

    def take(self, source: str, options: ReadOptions) -> None:
        self.calls.append((source, options))


def cell(panel: SequencePanel, row: int, column: int, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> object:
    model = panel.table.sequence_model
    return model.data(model.index(row, column), role)


def test_choosing_in_the_list_or_by_number_chooses_the_sequence(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    panel.table.selectRow(3)
    assert session.setup.item == 3
    assert panel._chooser.field.value() == 4
    panel._chooser.field.setValue(6)
    assert session.setup.item == 5
    assert panel.table.currentIndex().row() == 5
    session.undo()
    assert session.setup.item == 3
    assert panel.table.currentIndex().row() == 3


def test_showing_a_sequence_chooses_nothing(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    session.change("Elsewhere", item=4)
    assert session.undo_text == "Elsewhere"
    session.accept_verdicts(verdicts_of(session.result))
    panel.apply_theme(DARK)
    assert session.undo_text == "Elsewhere"


def test_targets_and_verdicts_are_in_the_list(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    model = panel.table.sequence_model
    assert model.columnCount() == TARGET + 1
    verdicts = verdicts_of(session.result)
    session.accept_verdicts(verdicts)
    assert model.columnCount() == TARGET + 3
    spoken = Qt.ItemDataRole.AccessibleTextRole
    for row, sequence in enumerate(session.result.sequences):
        assert sequence.target is not None
        assert cell(panel, row, TARGET) == CLASSES[int(sequence.target)]
        assert cell(panel, row, TARGET + 1, spoken) == "right"
        assert cell(panel, row, TARGET + 2, spoken) == ("right" if int(sequence.target) == 0 else "wrong")
    heads = [model.headerData(column, Qt.Orientation.Horizontal) for column in range(5)]
    assert heads == ["No.", "symbols", "target", "L", "R"]


def test_sequences_beyond_the_judged_ones_are_not_called_wrong(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    verdicts = verdicts_of(session.result)
    session.accept_verdicts(replace(verdicts, predictions=((0, 0), None)))
    assert panel.table.sequence_model.columnCount() == TARGET + 2
    assert cell(panel, 5, TARGET + 1, Qt.ItemDataRole.AccessibleTextRole) == "not judged"


def test_ten_thousand_sequences_open_and_scroll(show: Show) -> None:
    one = symbol_set(1)[0]
    data = SequenceSet((one,) * 10_000, title="many", classes=CLASSES)
    session = AnsweringSession()
    panel = opened(show, session)
    session.change("Open many", data=data, item=9_999)
    panel.table.grab()
    assert panel.table.sequence_model.rowCount() == 10_000
    assert panel.table.currentIndex().row() == 9_999
    # Only what is seen is drawn.
    assert len(panel.table._delegate._pictures) < 50


def test_pictures_differ_with_their_sequences(show: Show) -> None:
    for data in (symbol_set(), number_set(), number_set(features=12)):
        panel = opened(show, AnsweringSession(small_setup(data)))
        panel.table.grab()
        pictures = [picture.toImage() for picture in panel.table._delegate._pictures.values()]
        assert len(pictures) == min(6, len(data))
        assert any(first != second for first, second in pairwise(pictures))


def test_a_spike_survives_in_the_picture_of_a_long_sequence(show: Show) -> None:
    flat = np.zeros((50_000, 1), np.float32)
    spiky = flat.copy()
    spiky[31_415] = 1.0
    data = SequenceSet((Sequence(spiky, ("x",)), Sequence(flat, ("x",))))
    panel = opened(show, AnsweringSession(small_setup(data)))
    panel.table.grab()
    first, second = (picture.toImage() for picture in panel.table._delegate._pictures.values())
    assert first != second


def test_a_single_sequence_needs_no_list(show: Show) -> None:
    panel = opened(show, AnsweringSession(small_setup(number_set(count=1))))
    assert not panel.table.isVisible()
    assert not panel._chooser.isVisible()


def test_scaling_arrives_in_the_setup_and_undo_restores_it(show: Show) -> None:
    session = AnsweringSession(small_setup(number_set()))
    panel = opened(show, session)
    index = panel._scaling.findText("standard")
    panel._scaling.setCurrentIndex(index)
    panel._scaling.activated.emit(index)
    assert wanted(session).scaling is Scaling.STANDARD
    session.undo()
    assert wanted(session).scaling is Scaling.NONE
    assert panel._scaling.currentText() == "none"


def test_one_hot_cannot_be_scaled_and_says_why(show: Show) -> None:
    panel = opened(show, AnsweringSession())
    assert not panel._scaling.isEnabled()
    assert "one-hot" in panel._scaling.toolTip()


def test_the_length_of_pieces_arrives_once_and_can_be_undone(show: Show) -> None:
    session = AnsweringSession(small_setup(number_set(), piece_length=1000))
    panel = opened(show, session)
    assert panel._piece.isVisible()
    panel._piece.setValue(50)
    panel._piece.setValue(500)
    panel._piece_settled.flush()
    assert session.setup.piece_length == 500
    session.undo()
    assert session.setup.piece_length == 1000
    assert panel._piece.value() == 1000


def test_whole_sequences_have_no_piece_length(show: Show) -> None:
    assert not opened(show, AnsweringSession())._piece.isVisible()


def test_a_click_on_a_chip_adds_its_symbol_and_steps_to_it(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    box = panel.chips.boxes(panel.chips.width())[SYMBOLS.index("X")]
    QTest.mouseClick(panel.chips, Qt.MouseButton.LeftButton, pos=box.center())
    assert wanted(session).events == ((0.0,) * 6 + (1.0, 0.0),)
    assert session.result.sequence.symbols is not None
    assert session.result.sequence.symbols[-1] == "X"
    assert session.view.cursor == session.steps - 1
    assert panel.new_event._count.text() == "1 added"
    panel.new_event._remove.click()
    assert wanted(session).events == ()
    assert not panel.new_event._remove.isVisible()


def test_nothing_moves_under_the_mouse_when_events_are_added(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    QApplication.processEvents()
    before = panel.chips.mapTo(panel, QPoint()), dict(panel.facts())["Target"]
    panel.chips.chosen.emit(3)
    QApplication.processEvents()
    assert (panel.chips.mapTo(panel, QPoint()), dict(panel.facts())["Target"]) == before
    assert len(session.setup.events) == 1


def test_chips_can_be_chosen_with_the_keyboard(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    panel.chips.setFocus()
    QTest.keyClick(panel.chips, Qt.Key.Key_Right)
    QTest.keyClick(panel.chips, Qt.Key.Key_Space)
    assert session.setup.events == ()
    QTest.keyClick(panel.chips, Qt.Key.Key_Return)
    assert session.result.sequence.symbols is not None
    assert session.result.sequence.symbols[-1] == SYMBOLS[1]


def test_typed_symbols_are_added_in_order(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    QTest.keyClicks(panel.new_event.field, "aXb")
    QTest.keyClick(panel.new_event.field, Qt.Key.Key_Return)
    assert session.result.sequence.symbols is not None
    assert session.result.sequence.symbols[-3:] == ("a", "X", "b")
    assert panel.new_event.field.text() == ""


def test_what_cannot_be_read_is_said_and_stays_in_the_field(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    QTest.keyClicks(panel.new_event.field, "q")
    QTest.keyClick(panel.new_event.field, Qt.Key.Key_Return)
    assert wanted(session).events == ()
    assert "q is no symbol" in panel.new_event.problem
    assert panel.new_event.field.text() == "q"
    QTest.keyClicks(panel.new_event.field, "a")
    assert panel.new_event.problem == ""


def test_typed_numbers_are_raw_values(show: Show) -> None:
    session = AnsweringSession(small_setup(number_set()))
    panel = opened(show, session)
    QTest.keyClicks(panel.new_event.field, "1.5; -2")
    panel.new_event._add.click()
    assert wanted(session).events == ((1.5, -2.0),)


def test_drawing_adds_a_value_a_column_and_keeps_the_other_features(show: Show) -> None:
    session = AnsweringSession(small_setup(number_set()))
    panel = opened(show, session)
    raw = session.result.sequence.raw
    assert raw is not None
    last = raw[-1].tolist()
    panel.new_event._feature.setCurrentIndex(1)
    pad = panel.new_event.pad
    left = PAST_STEPS * STEP_WIDTH
    QTest.mousePress(pad, Qt.MouseButton.LeftButton, pos=QPoint(left + 3, 20))
    QTest.mouseMove(pad, QPoint(left + 3 + 2 * STEP_WIDTH, 50))
    QTest.mouseRelease(pad, Qt.MouseButton.LeftButton, pos=QPoint(left + 3 + 2 * STEP_WIDTH, 50))
    assert len(session.setup.events) == 3
    assert [event[0] for event in session.setup.events] == [last[0]] * 3
    drawn = [event[1] for event in session.setup.events]
    assert drawn[0] == pytest.approx(pad.value_at(20))
    assert drawn[2] == pytest.approx(pad.value_at(50))
    assert session.steps == 15


def test_values_at_the_cursor_are_scaled_and_raw(show: Show) -> None:
    sequence = Sequence(np.array([[0.5], [-0.5]], np.float32), ("x",), raw=np.array([[30.0], [10.0]]))
    setup = small_setup(SequenceSet((sequence,), scaling=Scaling.STANDARD))
    session = AnsweringSession(replace(setup, scaling=Scaling.STANDARD))
    panel = opened(show, session)
    session.move_cursor(1)
    model = panel._features.feature_model
    assert [model.data(model.index(0, column)) for column in range(model.columnCount())] == ["x", "−0.50", "10.00"]


def test_variables_are_shown_anew_for_another_sequence_alone(show: Show) -> None:
    session = AnsweringSession(small_setup(number_set()))
    panel = opened(show, session)
    model = panel._features.feature_model
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(session.setup.item))
    session.change("Another network", network=replace(session.setup.network, seed=7))
    assert not session.waiting
    assert resets == []
    session.move_cursor(2)
    assert resets == []
    shown = model.data(model.index(0, 1))
    assert shown == format_number(float(session.result.sequence.values[2, 0]))
    session.change("Elsewhere", item=1)
    assert resets == [1]


def test_names_of_variables_get_the_room_that_numbers_leave(show: Show) -> None:
    names = tuple(f"channel {number}" for number in range(1, 7))
    values = np.random.default_rng(0).normal(0, 40, size=(30, 6)).astype(np.float32)
    sequences = SequenceSet((Sequence(values, names, raw=values * 2),), scaling=Scaling.STANDARD)
    panel = opened(show, AnsweringSession(small_setup(sequences, scaling=Scaling.STANDARD)))
    table, metrics = panel._features, panel._features.fontMetrics()
    # Qt's own margin on either side of a cell's text, and that of the style sheet.
    margin = 2 * (table.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, table) + 1 + 2)
    model = table.feature_model
    for step in (0, 29):
        panel._session.move_cursor(step)
        for row in range(6):
            for column in range(3):
                text = str(model.data(model.index(row, column)))
                assert metrics.horizontalAdvance(text) + margin <= table.columnWidth(column), text


@pytest.mark.parametrize("names", [("mel {} ({}5 Hz)", "mel {}"), ("temperature of room {}{}", "{}")])
def test_names_are_cut_once_and_told_apart(show: Show, names: tuple[str, str]) -> None:
    written = [names[0].format(number, number) for number in range(1, 7)]
    values = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    sequences = SequenceSet((Sequence(values, tuple(written), raw=values * 9),), scaling=Scaling.STANDARD)
    panel = opened(show, AnsweringSession(small_setup(sequences, scaling=Scaling.STANDARD)))
    panel.resize(panel.minimumSizeHint().width(), 700)
    table = panel._features
    room = table.columnWidth(0) - 2 * (table.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1 + 2)
    cut = [table.fontMetrics().elidedText(name, table.textElideMode(), room) for name in written]
    assert all(text.count("…") == 1 for text in cut), cut
    assert all(names[1].format(number) in text for number, text in enumerate(cut, 1)), cut
    assert not table.wordWrap(), "else each of the words is cut by itself"


def test_the_current_symbol_follows_the_cursor(show: Show) -> None:
    session = AnsweringSession()
    panel = opened(show, session)
    for step in (0, 3, 19):
        session.move_cursor(step)
        assert session.result.sequence.symbols is not None
        assert panel.chips.accessibleName() == f"Symbols, current: {session.result.sequence.symbols[step]}"


def test_facts_say_encoding_and_target_and_how_the_file_was_read() -> None:
    data = symbol_set()
    read = (("missing", "12 filled forward"), ("scaling", "none"), ("seed", "0"), ("sequences", "6"))
    facts = dict(facts_of(replace(data, facts=read), data[0]))
    assert facts["Encoding"] == "one-hot, 8"
    assert facts["Missing"] == "12 filled forward"
    assert facts["Target"].endswith("class at step 20")
    # The chooser and the title line say these already.
    assert not facts.keys() & {"Scaling", "Seed", "Sequences"}
    assert dict(facts_of(number_set(), number_set()[0]))["Target"] == "none"


def test_columns_can_be_corrected_and_the_file_is_asked_for_again(show: Show) -> None:
    columns = (
        ColumnInfo("month", ColumnKind.DATE, ColumnRole.TIME, "dates"),
        ColumnInfo("y", ColumnKind.NUMBER, ColumnRole.TARGET, "named like a target"),
        ColumnInfo("x", ColumnKind.NUMBER, ColumnRole.IGNORE, "chosen"),
    )
    data = replace(number_set(), columns=columns, source="walk.csv")
    panel = opened(show, Session(answer(small_setup(data))))
    assert panel._columns.isVisible()
    asked = Asked()
    panel.reopen_requested.connect(asked.take)
    assert not panel._roles._apply.isEnabled()
    chooser = panel._roles.chooser("y")
    chooser.setCurrentIndex(chooser.findText(ColumnRole.FEATURE.value))
    panel._roles._apply.click()
    assert [source for source, _ in asked.calls] == ["walk.csv"]
    assert asked.calls[0][1].columns == {"x": ColumnRole.IGNORE, "y": ColumnRole.FEATURE}


def test_without_a_table_there_are_no_columns_to_correct(show: Show) -> None:
    assert not opened(show, AnsweringSession())._columns.isVisible()


def test_the_picture_column_is_named_for_screen_readers(show: Show) -> None:
    panel = opened(show, AnsweringSession())
    assert cell(panel, 2, PICTURE, Qt.ItemDataRole.AccessibleTextRole) == "s2"


def test_lists_show_that_they_have_the_keyboard(show: Show) -> None:
    panel = opened(show, AnsweringSession(small_setup(number_set(features=6))))
    panel.window().activateWindow()
    QApplication.processEvents()
    for table in (panel.table, panel._features):
        assert not table.hasFocus()
        without = table.grab().toImage()
        table.setFocus()
        ringed = table.grab().toImage()
        edge = table.palette().color(QPalette.ColorRole.Link)
        assert without.pixelColor(1, table.height() // 2) != edge
        assert ringed.pixelColor(1, table.height() // 2) == edge
