"""The score against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lstm_studio.tasks.score import right_answers, score

TARGETS = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])
OUTPUTS = np.array([[[0.8, 0.2], [0.6, 0.4]], [[0.1, 0.9], [0.5, 0.5]]])
ALL = np.ones((2, 2), np.bool_)


def test_classes_by_hand() -> None:
    reached = score(OUTPUTS, TARGETS, ALL, classes=True)
    assert reached.sequences == 2
    assert reached.loss == pytest.approx(-(math.log(0.8) + math.log(0.4) + math.log(0.9) + math.log(0.5)) / 4)
    # Right, wrong, right, and half a point for the tie.
    assert reached.accuracy == 2.5 / 4
    assert reached.within == 0.5
    assert reached.squared_error == pytest.approx((2 * 0.04 + 2 * 0.36 + 2 * 0.01 + 2 * 0.25) / 4)


def test_steps_that_are_not_scored_do_not_count() -> None:
    scored = np.array([[True, False], [False, True]])
    reached = score(OUTPUTS, TARGETS, scored, classes=True)
    assert reached.loss == pytest.approx(-(math.log(0.8) + math.log(0.5)) / 2)
    assert reached.accuracy == 0.75
    assert right_answers(OUTPUTS, TARGETS, ALL).tolist() == [True, False]
    assert right_answers(OUTPUTS, TARGETS, np.array([[True, False], [True, True]])).tolist() == [True, True]


def test_values_by_hand() -> None:
    outputs = np.array([[[1.0]], [[0.29]]])
    reached = score(outputs, np.array([[[0.5]], [[0.0]]]), np.ones((2, 1), np.bool_), classes=False)
    assert reached.loss == reached.squared_error == pytest.approx((0.25 + 0.29**2) / 2)
    assert reached.accuracy is None
    assert reached.within == 0.0
    assert score(outputs[1:], np.zeros((1, 1, 1)), np.ones((1, 1), np.bool_), classes=False).within == 1.0


def test_a_right_class_of_probability_zero_is_an_infinite_loss() -> None:
    outputs = np.array([[[0.0, 1.0]]])
    assert score(outputs, np.array([[[1.0, 0.0]]]), np.ones((1, 1), np.bool_), classes=True).loss == math.inf
    assert score(outputs, np.array([[[0.0, 1.0]]]), np.ones((1, 1), np.bool_), classes=True).loss == 0.0
