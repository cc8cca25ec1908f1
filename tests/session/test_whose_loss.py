"""Whose loss is felt: rows and columns against the gradients of the trace and against other sequences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import Cancelled, ignore_progress
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.compute import Computer
from lstm_studio.session.samples import load_sample
from lstm_studio.session.start import stored_result
from lstm_studio.session.state import Result, Setup
from lstm_studio.session.whose_loss import EVERY_HIDDEN, Itemised, LossShares, WhoseLoss, own_loss, possible_losses

STEPS = 9
BOTH = ((0, "lstm.0.cell_state"), (1, "rnn.0.hidden_state"))


def result_of(computer: Computer, steps: int = STEPS, **changes: Any) -> Result:
    values = np.random.default_rng(3).normal(size=(12, 3)).astype(np.float32)[:steps]
    data = SequenceSet((Sequence(values, ("a", "b", "c")),))
    setup = Setup(data, network=NetworkSpec("lstm", 4, seed=2), dtype="float64")
    return computer.compute(replace(setup, **changes), ignore_progress)


def test_a_row_is_the_gradient_of_the_sequence_that_ends_there() -> None:
    """The loss at step s is what ``last-hidden`` would be, were s the last step."""
    computer = Computer()
    result = result_of(computer)
    answer = WhoseLoss(result, EVERY_HIDDEN, BOTH).answer(computer, ignore_progress)
    assert [part.network for part in answer.parts] == [0, 1]
    for ends in (0, 4, STEPS - 1):
        shorter = result_of(computer, ends + 1, objective="last-hidden")
        for part in answer.parts:
            norms = shorter.traces[part.network][f"norm.grad.{part.signal}"]
            np.testing.assert_allclose(part.norms[ends, : ends + 1], norms, rtol=1e-6)
            assert part.causal
            assert not part.norms[ends, ends + 1 :].any()


def test_shares_add_up_to_the_gradient_of_the_whole() -> None:
    sample = load_sample("waves")
    computer, result = Computer(), stored_result(sample)
    for loss in possible_losses(result):
        traced = computer.compute(replace(result.setup, objective=loss), ignore_progress) if loss != "hidden" else None
        answer = WhoseLoss(result, loss, BOTH).answer(computer, ignore_progress)
        for part in answer.parts:
            np.testing.assert_allclose(part.shares.sum(axis=0), part.total, rtol=1e-9, atol=1e-15)
            if traced is not None:
                norms = traced.traces[part.network][f"norm.grad.{part.signal}"]
                np.testing.assert_allclose(part.total, norms, rtol=1e-4)


def test_the_largest_shares_of_a_step_are_found_whatever_their_sign() -> None:
    shares = np.array([[1.0, 0.0], [-3.0, 0.0], [2.0, np.nan], [0.5, 0.0]])
    part = LossShares(0, "lstm.0.cell_state", np.abs(shares), shares, shares.sum(axis=0), True)
    assert part.largest(0) == ((1, -3.0), (2, 2.0), (0, 1.0))
    assert part.largest(1) == ()


def test_what_can_be_itemised_depends_on_read_out_and_target() -> None:
    computer = Computer()
    assert possible_losses(result_of(computer)) == ("hidden",)
    assert possible_losses(stored_result(load_sample("waves"))) == ("hidden", "next-step", "target")
    assert possible_losses(stored_result(load_sample("temporal-order"))) == ("hidden",)


@pytest.mark.parametrize(
    ("sample", "objective", "own"),
    [
        ("waves", "target", "target"),
        ("waves", "next-step", "next-step"),
        ("waves", "last-hidden", None),
        ("waves", "hidden:3:1", None),
        ("temporal-order", "target", None),
    ],
)
def test_a_single_loss_is_not_taken_for_a_sum(sample: str, objective: str, own: str | None) -> None:
    result = Computer().compute(replace(stored_result(load_sample(sample)).setup, objective=objective), ignore_progress)
    assert own_loss(result) == own


def test_a_loss_that_the_networks_cannot_have_is_told_in_words() -> None:
    computer = Computer()
    answer = WhoseLoss(result_of(computer), "next-step", BOTH).answer(computer, ignore_progress)
    assert answer.parts == ()
    assert "needs a read-out" in answer.problem


def test_a_network_that_reads_both_ways_feels_later_losses_too() -> None:
    computer = Computer()
    result = result_of(computer, network=NetworkSpec("lstm", 4, layers=2, bidirectional=True), companion=None)
    answer = WhoseLoss(result, EVERY_HIDDEN, ((0, "lstm.0.cell_state"),)).answer(computer, ignore_progress)
    assert not answer.parts[0].causal
    assert np.triu(answer.parts[0].norms, 1).any()


def test_itemising_can_be_cancelled_and_tells_both_networks_as_one() -> None:
    computer, told = Computer(), []
    result = result_of(computer)

    def listen(fraction: float, words: str) -> None:
        told.append(fraction)

    assert isinstance(WhoseLoss(result, EVERY_HIDDEN, BOTH).answer(computer, listen), Itemised)
    assert told == [0.0, 0.5]

    def refuse(fraction: float, words: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        WhoseLoss(result, EVERY_HIDDEN, BOTH).answer(computer, refuse)
