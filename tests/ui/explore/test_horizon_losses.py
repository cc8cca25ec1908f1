"""Itemised gradients in the horizon panel: what is asked, drawn and told about a step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from lstm_studio.networks.signals import Labels
from lstm_studio.session.session import Session
from lstm_studio.session.whose_loss import Itemised, WhoseLoss
from lstm_studio.ui.explore.horizon.loss_map import cell_text, loss_pixels
from lstm_studio.ui.explore.horizon.panel import HorizonPanel, Page
from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import answer, number_set, small_setup
from tests.ui.explore.horizon_fakes import Worker, opened, shares_of, shown_texts

STEPS = 20


def test_a_single_loss_is_explained_and_another_shown_instead(show: Show) -> None:
    panel, _, worker = opened(show, page=Page.LOSS)
    question = worker.newest(WhoseLoss)
    assert question.loss == "hidden"
    assert question.signals == ((0, "lstm.0.cell_state"), (1, "rnn.0.hidden_state"))
    worker.answer()
    assert any("of a single loss (<i>L</i> = Σ" in text for text in shown_texts(panel))
    panel.loss_page._memory.button("1").click()
    question = worker.newest(WhoseLoss)
    assert question.signals == ((0, "lstm.0.hidden_state"), (1, "rnn.0.hidden_state"))


def test_a_loss_of_every_step_can_be_chosen_where_the_read_out_allows_it(show: Show) -> None:
    result = answer(small_setup(number_set(steps=STEPS)))
    result = replace(result, infos=tuple(replace(info, outputs=2) for info in result.infos))
    session = Session(result)
    worker = Worker(session)
    panel = HorizonPanel(session, LIGHT)
    panel.show_page(Page.LOSS)
    show(panel)
    worker.answer()
    chooser = panel.loss_page._loss
    assert [chooser.itemText(index) for index in range(chooser.count())] == [
        "Sum of hidden states",
        "Error of the next input",
    ]
    chooser.activated.emit(1)
    assert worker.newest(WhoseLoss).loss == "next-step"
    session.look(labels=Labels.CLASSROOM)
    worker.answer()
    assert chooser.itemText(1) == "Error of the next event"


def test_the_cursors_step_is_taken_apart_in_words(show: Show) -> None:
    panel, session, worker = opened(show, page=Page.LOSS)
    worker.answer()
    session.move_cursor(11)
    here = panel.loss_page._here.text()
    assert "<b>LSTM ∂c</b> at step 12: 0.96; largest parts 1.00 from step 12, −5.0e−2 from step 13, 1.0e−2" in here
    assert "<b>RNN ∂h</b> at step 12" in here


def test_a_cell_tells_both_steps_and_a_click_moves_the_cursor(show: Show) -> None:
    panel, session, worker = opened(show, page=Page.LOSS)
    worker.answer()
    maps = panel.loss_page.maps
    places = maps.places()
    assert len(places.corners) == 2
    assert places.corners[0].x() == places.corners[1].x()
    corner, cell = places.corners[1], places.side / STEPS
    at = QPointF(corner.x() + 4.5 * cell, corner.y() + 6.5 * cell)
    assert maps.cell_at(at) == (1, 6, 4)
    assert maps.text_at(at) == (
        "RNN ∂h · of the gradient at step 5, 0.96, 1.0e−2 comes from the loss at step 7 (its own norm 1.0e−2)"
    )
    QTest.mouseClick(maps, Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert session.view.cursor == 4
    above = QPointF(corner.x() + 9.5 * cell, corner.y() + 2.5 * cell)
    assert maps.text_at(above) == "RNN ∂h · the loss at step 3 does not reach step 10, which is after it"
    assert maps.cell_at(QPointF(corner.x() - 3, corner.y() + 5)) is None


def test_a_zero_and_a_part_against_the_others_are_called_so() -> None:
    part = shares_of(0, "lstm.0.cell_state", STEPS)
    assert cell_text(part, "LSTM ∂c", 6, 5).startswith(
        "LSTM ∂c · of the gradient at step 6, 0.96, −5.0e−2 comes from the loss at step 7, against the others"
    )
    part.norms[6, 5] = 0
    assert cell_text(part, "LSTM ∂c", 6, 5) == (
        "LSTM ∂c · nothing of the gradient at step 6 comes from the loss at step 7"
    )


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def test_the_squares_show_decades_hatch_zeros_and_leave_empty_what_cannot_be_felt() -> None:
    part = shares_of(0, "lstm.0.cell_state", steps=4)
    part.norms[3, 0], part.norms[2, 0] = 0, np.nan
    axis = LogAxis(-3, 0)
    pixels = loss_pixels(part, axis, 80, LIGHT)[:, :, 2::-1]

    def colours(row: int, column: int) -> set[tuple[int, ...]]:
        cell = pixels[20 * row : 20 * row + 20, 20 * column : 20 * column + 20].reshape(-1, 3)
        return {tuple(int(value) for value in colour) for colour in cell}

    def level(fraction: float) -> tuple[int, ...]:
        return tuple(int(value) for value in LIGHT.gate_table[round(fraction * 254), :3])

    assert colours(0, 0) == {level(1)}
    assert colours(1, 0) == {level(2 / 3)}
    assert colours(3, 1) == {level(1 / 3)}
    assert colours(3, 0) == {rgb(LIGHT.panel), rgb(LIGHT.ink3)}
    assert colours(2, 0) == {rgb(LIGHT.error)}
    assert colours(0, 3) == {rgb(LIGHT.sunken)}


def test_where_cells_share_a_pixel_the_largest_is_shown() -> None:
    part = shares_of(0, "lstm.0.cell_state", steps=8)
    part.norms[:] = np.where(part.norms > 0, 1e-4, 0)
    part.norms[7, 2] = 1.0
    pixels = loss_pixels(part, LogAxis(-4, 0), 4, LIGHT)[:, :, 2::-1]
    assert pixels[3, 1].tolist() == LIGHT.gate_table[254, :3].tolist()
    assert pixels[3, 0].tolist() == LIGHT.gate_table[0, :3].tolist()
    assert pixels[0, 3].tolist() == list(rgb(LIGHT.sunken))


def test_too_many_steps_are_not_itemised_but_explained(show: Show) -> None:
    panel, _, worker = opened(show, small_setup(number_set(count=1, steps=501)), Page.LOSS)
    assert worker.asked == []
    assert any("501 steps: the work grows with their square" in text for text in shown_texts(panel))
    assert not panel.loss_page.maps.isVisible()


def test_what_the_engine_refuses_is_shown_in_its_words(show: Show) -> None:
    panel, session, worker = opened(show, page=Page.LOSS)
    session.answer(worker.asked[-1], Itemised(problem="The target is missing."))
    assert "The target is missing." in shown_texts(panel)
    assert not panel.loss_page.maps.isVisible()


def test_squares_stand_beside_each_other_where_there_is_room(show: Show) -> None:
    panel, _, worker = opened(show, page=Page.LOSS)
    worker.answer()
    panel.resize(900, 600)
    QApplication.processEvents()
    places = panel.loss_page.maps.places()
    assert places.corners[0].y() == places.corners[1].y()
    assert places.side > 250
