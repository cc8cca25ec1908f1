"""The horizon panel: what it asks, what it says about the answers, and what pointing at them does."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.horizon import SHARES, LagCurve, MemoryHorizon
from lstm_studio.session.saturation import SaturationOfSet, saturation
from lstm_studio.session.session import Session
from lstm_studio.ui.explore.horizon.lag_page import Measure
from lstm_studio.ui.explore.horizon.lag_plot import swatch_of, values_text
from lstm_studio.ui.explore.horizon.panel import HorizonPanel, Page
from lstm_studio.ui.explore.horizon.words import format_power
from lstm_studio.ui.plots.legend import Swatch
from lstm_studio.ui.theme import DARK, LIGHT
from lstm_studio.ui.widgets.empty import EmptyState
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import AnsweringSession, answer, number_set, small_setup
from tests.ui.explore.horizon_fakes import Worker, opened, shown_texts
from tests.ui.explore.test_panels import SETUPS, WORDS, texts

STEPS = 20


# Asking.


def test_nothing_is_asked_until_somebody_looks(show: Show) -> None:
    session = AnsweringSession(small_setup())
    worker = Worker(session)
    panel = HorizonPanel(session, LIGHT)
    session.move_cursor(3)
    assert worker.asked == []
    show(panel)
    (question,) = worker.asked
    assert isinstance(question, MemoryHorizon)
    assert (question.result, question.end) == (session.result, None)


def test_a_question_is_asked_once_and_again_for_another_result(show: Show) -> None:
    panel, session, worker = opened(show)
    session.move_cursor(3)
    session.look(labels=Labels.CLASSROOM)
    worker.answer()
    session.move_cursor(4)
    assert len(worker.asked) == 1
    session.change("Show sequence 2", item=1)
    assert len(worker.asked) == 2
    assert worker.newest(MemoryHorizon).result is session.result
    panel.hide()
    session.change("Show sequence 3", item=2)
    assert len(worker.asked) == 2


def test_old_curves_stay_for_a_moment_while_new_ones_come(show: Show, qtbot: QtBot) -> None:
    panel, session, worker = opened(show)
    worker.answer()
    session.change("Show sequence 2", item=1)
    assert panel.lag_page.isVisible()
    qtbot.waitUntil(lambda: not panel.lag_page.isVisible(), timeout=2000)
    assert "measure again" in panel.findChildren(EmptyState)[0].text()
    worker.answer()
    assert panel.lag_page.isVisible()


def test_what_was_cancelled_can_be_asked_again(show: Show) -> None:
    panel, _, worker = opened(show)
    again = next(button for button in panel.findChildren(QPushButton) if button.text() == "Measure again")
    assert again.isVisible()
    again.click()
    assert len(worker.asked) == 2
    worker.answer()
    assert not again.isVisible()


def test_a_change_that_was_given_up_asks_once_more_for_what_it_interrupted(show: Show) -> None:
    session = Session(answer(small_setup()))
    worker = Worker(session)
    panel = HorizonPanel(session, LIGHT)
    show(panel)
    session.change("Change the seed", network=NetworkSpec(hidden_size=5, seed=1))
    assert len(worker.asked) == 1
    session.withdraw()
    assert len(worker.asked) == 2
    worker.answer()
    assert panel.lag_page.isVisible()


# Reach.


def test_the_numbers_are_the_lags_from_which_on_the_curves_stay_below(show: Show) -> None:
    panel, _, worker = opened(show)
    worker.answer()
    table = panel.lag_page._table.texts()
    assert table == (
        ("LSTM cell state", "> 19", "> 19"),
        ("LSTM hidden state", "> 19", "> 19"),
        ("LSTM forget gates alone", "11", "> 19"),
        ("RNN hidden state", "5", "13"),
    )
    texts = shown_texts(panel)
    assert "> 19" in texts
    assert "5" in texts
    assert any("until less than 1 % is left, back from step 20; LSTM: not within this sequence" in t for t in texts)
    assert panel.lag_page.plot.accessibleDescription() == (
        "Norms of the Jacobians, log axis. LSTM cell state keeps 1 % for more than 19 steps; LSTM hidden state keeps "
        "1 % for more than 19 steps; LSTM forget gates alone falls below 1 % 11 steps back; RNN hidden state falls "
        "below 1 % 5 steps back."
    )


def test_both_vocabularies_name_the_curves(show: Show) -> None:
    panel, session, worker = opened(show)
    worker.answer()
    session.look(labels=Labels.CLASSROOM)
    assert [row[0] for row in panel.lag_page._table.texts()] == [
        "LSTM long-term memory",
        "LSTM short-term memory",
        "LSTM forget factors alone",
        "RNN short-term memory",
    ]


def test_a_curve_that_rises_again_tells_both_lags_and_an_estimate_its_bounds(show: Show) -> None:
    panel, session, worker = opened(show, small_setup(companion=None))
    logs = np.array([0, -3, -1, -3, -4.0])
    estimated = LagCurve(0, "lstm.0", "hidden_state", 4, np.array([0.1, -1, -3, -4, -5]), 0.0)
    estimated = replace(estimated, low=estimated.logs - 1.5, high=estimated.logs + 1.5)
    curves = (LagCurve(0, "lstm.0", "cell_state", 4, logs, 0.0), estimated)
    session.answer(worker.asked[-1], curves)
    assert panel.lag_page._table.texts() == (
        ("LSTM cell state", "3", "> 4"),
        ("LSTM hidden state", "≈ 2", "≈ > 4"),
    )
    copied = [line.split("\t") for line in panel.numbers().splitlines()[1:3]]
    assert copied == [["below 1 % from", "3", "≈ 2"], ["below 1e−6 from", "> 4", "≈ > 4"]]
    tips = {label.toolTip() for label in panel.lag_page._table.findChildren(QLabel)}
    assert (
        "LSTM cell state: less than 1 % from 3 steps back on; less for the first time 1 step back, then more again."
        in tips
    )
    assert "LSTM hidden state: less than 1 % from 2 steps back on; estimated, between 1 and 3." in tips


def test_gradients_need_no_worker_and_are_shares_of_lag_0(show: Show) -> None:
    panel, session, worker = opened(show)
    panel._choose_measure(Measure.GRADIENT)
    assert [row[0] for row in panel.lag_page._table.texts()] == [
        "LSTM cell state",
        "LSTM hidden state",
        "RNN hidden state",
    ]
    # The RNN's invented gradient falls by 19 decades over 19 steps.
    assert panel.lag_page._table.texts()[2][1:] == ("3", "7")
    assert len(worker.asked) == 1
    session.move_cursor(STEPS - 4)
    assert any("LSTM ∂h 0.48 (norm 0.10) · RNN ∂h 1.0e−3 (norm 1.0e−3)" in text for text in shown_texts(panel))


def test_where_the_loss_feels_nothing_at_lag_0_the_panel_says_so(show: Show) -> None:
    result = answer(small_setup(companion=None))
    trace = result.traces[0]
    norms = {name: np.zeros(STEPS) for name in trace.names if name.startswith("norm.grad.")}
    session = Session(replace(result, traces=(replace(trace, arrays={**trace.arrays, **norms}),)))
    panel = HorizonPanel(session, LIGHT)
    panel._choose_measure(Measure.GRADIENT)
    show(panel)
    assert panel.lag_page._table.texts()[0] == ("LSTM cell state", "–", "–")
    assert any("nothing is felt at step 20" in label.toolTip() for label in panel.findChildren(QLabel))
    panel.lag_page.plot.grab()


def test_from_the_cursor_the_lag_counts_back_from_there_and_stays(show: Show) -> None:
    panel, session, worker = opened(show)
    worker.answer()
    session.move_cursor(8)
    end = panel.lag_page._end
    assert end.button("cursor").text() == "step 9"
    end.button("cursor").click()
    question = worker.newest(MemoryHorizon)
    assert question.end == 8
    worker.answer()
    session.move_cursor(12)
    assert len(worker.asked) == 2
    assert end.button("cursor").text() == "step 9"
    assert "The cursor is after step 9." in shown_texts(panel)
    end.button("cursor").click()
    assert worker.newest(MemoryHorizon).end == 12
    end.button("last").click()
    assert worker.newest(MemoryHorizon).end is None


def test_the_cursor_does_not_cross_out_the_names_of_the_shares(show: Show) -> None:
    panel, session, worker = opened(show)
    worker.answer()
    plot = panel.lag_page.plot

    def pictures() -> list[QImage]:
        shown = plot.grab().toImage()
        places = [ground.toAlignedRect() for _, ground in plot.share_labels(plot.plot_rect())]
        assert len(places) == len(SHARES)
        return [shown.copy(place) for place in places]

    session.move_cursor(2)
    clear = pictures()
    session.move_cursor(STEPS - 1)
    assert plot.cursor_lag == 0
    x = plot.plot_rect().left() + plot.scale().centres[0] / plot.scale().ratio
    assert any(ground.left() - 2 <= x <= ground.right() for _, ground in plot.share_labels(plot.plot_rect()))
    assert pictures() == clear


def test_a_click_at_a_lag_moves_the_cursor_there(show: Show) -> None:
    panel, session, worker = opened(show)
    worker.answer()
    plot = panel.lag_page.plot
    scale, rect = plot.scale(), plot.plot_rect()
    at = QPointF(rect.left() + scale.centres[7] / scale.ratio, rect.center().y())
    QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert session.view.cursor == STEPS - 1 - 7
    assert plot.cursor_lag == 7
    assert plot.text_at(at) == ("7 steps back · step 13 · LSTM ∂c 0.45 · LSTM ∂h 0.20 · LSTM ∏f 0.04 · RNN ∂h 3.2e−4")
    assert plot.text_at(QPointF(2, 2)) == ""


def test_no_curve_is_told_apart_by_colour_alone(show: Show) -> None:
    panel, _, worker = opened(show)
    worker.answer()
    state = panel._state
    assert state is not None
    assert state.lag is not None
    assert [swatch_of(named) for named in state.lag.curves or ()] == [
        Swatch.LINE,
        Swatch.DASHED,
        Swatch.DOTTED,
        Swatch.SQUARES,
    ]


def test_the_axis_holds_every_share_and_names_what_lies_below_the_range_of_numbers(show: Show) -> None:
    panel, session, worker = opened(show, small_setup(companion=None))
    logs = np.array([0.0, -500, -1200.5, -np.inf, np.nan])
    session.answer(worker.asked[-1], (LagCurve(0, "lstm.0", "cell_state", STEPS - 1, logs, 0.0),))
    plot = panel.lag_page.plot
    assert (plot.axis.low, plot.axis.high) == (-1201, 0)
    state = panel._state
    assert state is not None
    assert state.lag is not None
    curves = state.lag.curves or ()
    assert values_text(curves, 2) == "2 steps back · step 18 · LSTM ∂c 3.2e−1201"
    assert values_text(curves, 3).endswith("LSTM ∂c 0")
    assert values_text(curves, 4).endswith("LSTM ∂c NaN")
    zero = replace(curves[0], curve=replace(curves[0].curve, unlimited=False))
    assert values_text((zero,), 3).endswith("LSTM ∂c 0 or below 1e−290")
    plot.grab()


def test_of_a_long_sequence_the_lags_are_plotted_at_which_the_curves_fall(show: Show) -> None:
    panel, session, worker = opened(show, small_setup(number_set(count=1, steps=400)))
    logs = -0.25 * np.arange(400.0)
    curves = [LagCurve(0, "lstm.0", state, 399, logs, 0.0) for state in ("cell_state", "hidden_state")]
    session.answer(worker.asked[-1], tuple(curves))
    plot, lags = panel.lag_page.plot, panel.lag_page._lags
    assert panel.lag_page._table.texts()[0] == ("LSTM cell state", "9", "25")
    assert lags.isVisible()
    assert lags.button("near").text() == "the first 50"
    assert (plot.lags, plot.axis.low) == (50, -13)
    session.move_cursor(349)
    assert plot.cursor_lag == 50
    plot.grab()
    lags.button("all").click()
    assert (plot.lags, plot.axis.low) == (399, -100)
    plot.grab()
    # Where one curve never falls, all lags are needed to see it.
    worker.answer()
    assert not lags.isVisible()
    assert plot.lags == 399


@pytest.mark.parametrize(
    ("log10", "text"),
    [
        (0.0, "1.00"),
        (-0.5, "0.32"),
        (-3, "1.0e−3"),
        (5, "1.0e5"),
        (-299.99999, "1.0e−300"),
        (-2000.3, "5.0e−2001"),
        (-2000.0000001, "1.0e−2000"),
        (1234, "1.0e1234"),
        (-np.inf, "0"),
        (np.inf, "∞"),
        (np.nan, "NaN"),
    ],
)
def test_magnitudes_of_any_size_are_written(log10: float, text: str) -> None:
    assert format_power(log10) == text


def test_the_jacobians_become_a_row_on_request(show: Show) -> None:
    panel, session, worker = opened(show)
    worker.answer()
    button = next(button for button in panel.findChildren(QPushButton) if button.text() == "Show as a row")
    assert button.isVisible()
    button.click()
    assert session.setup.memory
    worker.answer()
    assert not button.isVisible()
    session.undo()
    assert not session.setup.memory


# Saturation.


def test_shares_are_placed_and_the_selected_unit_is_told(show: Show) -> None:
    panel, session, _ = opened(show, page=Page.GATES)
    plots = panel.gate_page.plots
    state = panel._state
    assert state is not None
    assert state.gates is not None
    assert state.gates.titles == ("Forget gate", "Input gate", "Output gate")
    assert "RNN: no gates, so nothing to be shut or open." in shown_texts(panel)
    expected = saturation(session.result)
    for index, gate in enumerate(expected):
        inside = plots.squares()[index].adjusted(6, 6, -6, -6)
        points = plots.points(index)
        np.testing.assert_allclose((points[:, 0] - inside.left()) / inside.width(), gate.shut)
        np.testing.assert_allclose((inside.bottom() - points[:, 1]) / inside.height(), gate.open)
    session.select_unit("0:lstm.0", 3)
    forget = session.result.traces[0]["lstm.0.forget_gate"][:, 3]
    shut, opened_share = (forget < 0.1).mean(), (forget > 0.9).mean()
    assert panel.gate_page._here.text().splitlines()[0] == (
        f"Forget gate · unit 3 · below 0.1 at {100 * shut:.0f} % of the steps, above 0.9 at {100 * opened_share:.0f} %"
    )


def test_a_click_on_a_ring_selects_its_unit_and_so_does_the_table(show: Show) -> None:
    panel, session, _ = opened(show, page=Page.GATES)
    plots = panel.gate_page.plots
    points = plots.points(0)
    QTest.mouseClick(plots, Qt.MouseButton.LeftButton, pos=QPoint(*(round(value) for value in points[4])))
    chosen = session.view.units["0:lstm.0"]
    np.testing.assert_allclose(points[chosen], points[4], atol=1)
    table = panel.findChild(QTableView)
    assert table is not None
    model = table.model()
    assert (model.rowCount(), model.columnCount()) == (5, 7)
    table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    values = [float(model.index(row, 2).data(Qt.ItemDataRole.UserRole)) for row in range(5)]
    assert values == sorted(values, reverse=True)
    table.selectRow(1)
    assert session.view.units["0:lstm.0"] == int(model.index(1, 0).data())
    session.select_unit("0:lstm.0", int(model.index(4, 0).data()))
    assert table.currentIndex().row() == 4


def test_all_sequences_are_counted_on_request(show: Show) -> None:
    panel, session, worker = opened(show, page=Page.GATES)
    over = panel.gate_page._over
    assert over.button("all").text() == "all 6"
    assert worker.asked == []
    over.button("all").click()
    assert worker.newest(SaturationOfSet).result is session.result
    worker.answer()
    assert f"of {2 * STEPS} steps" in panel.gate_page.plots.accessibleDescription()
    session.change("Show sequence 2", item=1)
    assert len(worker.asked) == 2


def test_two_networks_with_gates_are_told_apart(show: Show) -> None:
    panel, _, _ = opened(show, small_setup(network=NetworkSpec(hidden_size=5, bidirectional=True)), Page.GATES)
    state = panel._state
    assert state is not None
    assert state.gates is not None
    assert state.gates.titles[::3] == ("LSTM → forget gate", "LSTM ← forget gate")
    panel.gate_page.plots.grab()


# All pages.


def test_the_numbers_can_be_taken_away(show: Show) -> None:
    panel, session, worker = opened(show)
    worker.answer()
    copy = next(button for button in panel.findChildren(QPushButton) if button.text() == "Copy numbers")
    copy.click()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[1].split("\t") == ["below 1 % from", "> 19", "> 19", "11", "5"]
    assert lines[3].split("\t")[0] == "steps back"
    assert lines[3].split("\t")[4] == "RNN hidden state"
    assert [float(value) for value in lines[-1].split("\t")] == pytest.approx([19, -0.95, -1.9, -3.8, -9.5])
    panel._choose_measure(Measure.GRADIENT)
    lines = panel.numbers().splitlines()
    assert lines[0].startswith("Gradient norms as shares of lag 0")
    assert lines[3].split("\t")[1] == "LSTM cell state"
    norms = session.result.traces[0]["norm.grad.lstm.0.cell_state"][::-1].astype(float)
    shares = [float(line.split("\t")[1]) for line in lines[4:]]
    assert shares == pytest.approx(np.log10(norms / norms[0]).tolist(), abs=1e-4)
    assert abs(np.log10(norms[0])) > 0.01, "else shares could not be told from norms"
    panel.show_page(Page.LOSS)
    worker.answer()
    first, *_ = panel.numbers().split("\n\n")
    rows = [row.split("\t") for row in first.splitlines()]
    assert rows[0][0] == "LSTM ∂c: loss at step \\ gradient at step"
    assert float(rows[7][5]) == pytest.approx(0.01)
    sums = [sum(float(row[column]) for row in rows[1:-1]) for column in range(1, STEPS + 1)]
    assert sums == pytest.approx([float(value) for value in rows[-1][1:]], abs=1e-5)
    panel.show_page(Page.GATES)
    rows = [row.split("\t") for row in panel.numbers().splitlines()]
    assert rows[0][:3] == ["unit", "Forget gate < 0.1", "Forget gate > 0.9"]
    gate = saturation(session.result)[0]
    assert [float(row[2]) for row in rows[1:]] == pytest.approx(gate.open.tolist(), abs=1e-5)


def test_without_recurrent_layers_every_page_says_so(show: Show) -> None:
    result = answer(small_setup(companion=None))
    bare = replace(result, traces=(replace(result.traces[0], layers=()),))
    panel = HorizonPanel(Session(bare), LIGHT)
    show(panel)
    for page in Page:
        panel.show_page(page)
        assert shown_texts(panel) == ["Open a network with recurrent layers to see how far back it reaches."]


@pytest.mark.parametrize("page", list(Page))
@pytest.mark.parametrize("width", [300, 900])
def test_every_page_is_drawn_in_both_themes(show: Show, page: Page, width: int) -> None:
    panel, session, worker = opened(show, page=page)
    panel.resize(width, 600)
    if worker.asked:
        worker.answer()
    QApplication.processEvents()
    session.move_cursor(10)

    def picture() -> QImage:
        return panel.grab().toImage()

    light = picture()
    panel.apply_theme(DARK)
    dark = picture()
    assert light != dark
    panel.apply_theme(LIGHT)
    assert picture() == light


def test_the_panel_fits_a_dock_of_300_pixels_in_any_state(show: Show) -> None:
    for setup in (small_setup(), small_setup(network=NetworkSpec(hidden_size=5, layers=2, bidirectional=True))):
        for labels in Labels:
            panel, session, worker = opened(show, setup)
            session.look(labels=labels)
            for page in Page:
                panel.show_page(page)
                if worker.asked:
                    worker.answer()
                assert panel.minimumSizeHint().width() <= 300, (page, labels)


@pytest.mark.parametrize("labels", list(Labels))
@pytest.mark.parametrize("setup", list(SETUPS))
def test_one_vocabulary_at_a_time_and_a_name_for_everything(show: Show, setup: str, labels: Labels) -> None:
    panel, session, worker = opened(show, SETUPS[setup])
    session.look(labels=labels)
    for page in Page:
        panel.show_page(page)
        if worker.asked:
            worker.answer()
        for measure in Measure:
            panel._choose_measure(measure)
            found = [text for text in texts(panel) if WORDS[labels].search(text)]
            assert found == [], page
    nameless = [
        widget
        for widget in panel.findChildren(QWidget)
        if widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
        and widget.focusProxy() is None
        and (widget.parent() or widget).metaObject().className() != "QComboBoxPrivateContainer"
        and not widget.accessibleName()
    ]
    assert nameless == []


def test_the_panel_keeps_no_result_that_was_replaced(show: Show) -> None:
    panel, session, worker = opened(show)
    for page in Page:
        panel.show_page(page)
        worker.answer()
    for measure in Measure:
        panel._choose_measure(measure)
    panel.hide()
    worker.asked.clear()
    old = weakref.ref(session.result.traces[0])
    session.show_sample(answer(small_setup(item=2)))
    session.undo()
    gc.collect()
    assert old() is None


@pytest.mark.qt_log_ignore("does not support propagateSizeHints")
def test_nothing_keeps_a_closed_panel_alive(qapp: QApplication) -> None:
    session = AnsweringSession(small_setup())
    worker = Worker(session)
    panel = HorizonPanel(session, LIGHT)
    panel.show()
    for page in Page:
        panel.show_page(page)
        worker.answer()
    dead = weakref.ref(panel)
    panel.close()
    panel.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    del panel
    gc.collect()
    assert dead() is None
    session.move_cursor(2)
