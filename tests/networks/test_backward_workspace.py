"""Memory in which gradients go back, used again."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_studio.networks import backward_workspace
from lstm_studio.networks.backward_workspace import MOST_STEPS, Workspace, borrowed_workspace


@pytest.fixture(autouse=True)
def _nothing_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backward_workspace, "_SPARE", {})


def test_rows_are_parts_of_the_memory() -> None:
    space = Workspace(30, 5, np.float32)
    space.factors[:] = np.arange(space.factors.size).reshape(space.factors.shape)
    space.states[:] = 1 + space.factors[:, :5]
    space.onward[:] = 2 + space.factors[:, :5]
    assert len(space.rows) == 30
    for step, (factors, exposure, states, cells, dm, onward, kept, blame) in enumerate(space.rows):
        np.testing.assert_array_equal(factors, space.factors[step, :5])
        np.testing.assert_array_equal(exposure, space.factors[step, 5])
        np.testing.assert_array_equal(states, space.states[step])
        np.testing.assert_array_equal(np.concatenate((cells, dm[None])), space.states[step])
        np.testing.assert_array_equal(np.concatenate((kept, blame)), onward.reshape(-1))
        np.testing.assert_array_equal(blame, space.blame[step])
    assert space.nbytes == 30 * 16 * 5 * 4


def test_what_was_given_back_is_lent_again() -> None:
    with borrowed_workspace(5, np.float64) as first, borrowed_workspace(5, np.float64) as second:
        assert first is not second, "two at a time have two"
        assert len(first.rows) == MOST_STEPS
        with borrowed_workspace(5, np.float32) as narrow:
            assert narrow is not first
            assert narrow.factors.dtype == np.float32
    with borrowed_workspace(5, np.float64) as again:
        assert again is first


def test_little_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for units in range(1, 20):
        with borrowed_workspace(units, np.float64):
            pass
        assert len(backward_workspace._SPARE) <= 4
    monkeypatch.setattr(backward_workspace, "_LARGEST_SPARE", Workspace(MOST_STEPS, 9, np.float64).nbytes - 1)
    with borrowed_workspace(9, np.float64):
        pass
    assert (9, np.dtype(np.float64)) not in backward_workspace._SPARE


def test_what_was_in_use_when_something_failed_is_not_kept() -> None:
    with pytest.raises(ZeroDivisionError), borrowed_workspace(5, np.float64):
        raise ZeroDivisionError
    assert not backward_workspace._SPARE
