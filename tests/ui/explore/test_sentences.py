"""Steps in plain words: right for every size and sign, in one vocabulary at a time, for every kind of cell."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.engine.tracing import trace
from lstm_studio.networks import signals
from lstm_studio.networks.cells import cells
from lstm_studio.networks.network import new_network
from lstm_studio.networks.signals import Labels, Phase, Signal
from lstm_studio.networks.spec import NetworkInfo
from lstm_studio.sequences.sequence import Sequence
from lstm_studio.ui.explore.layers import ShownLayer
from lstm_studio.ui.explore.sentences import (
    change_in_words,
    move_in_words,
    phase_sentence,
    share_in_words,
    step_sentence,
)
from tests.ui.explore.fakes import LSTM_SIGNALS

STANDARD, CLASSROOM = Labels.STANDARD, Labels.CLASSROOM
INFO = NetworkInfo("", "", 1, 1, 1, False, 0, 0, "", "")


def declared(kind: str) -> tuple[Signal, ...]:
    """What a cell of a kind declares."""
    network = new_network(kind, 1, 1)
    return network.cell.signals(network.recurrent)


def layer_of(declared: tuple[Signal, ...], prefix: str, **columns: list[float]) -> ShownLayer:
    """A layer of one unit with these values, one for each step."""
    arrays = {f"{prefix}.{name}": np.array(column)[:, None] for name, column in columns.items()}
    steps = len(next(iter(columns.values())))
    layer = TraceLayer(prefix, prefix.partition(".")[0], "", 1, declared)
    return ShownLayer(0, INFO, Trace({"input": np.zeros((steps, 1)), **arrays}, (layer,)), layer, 0, 1)


def lstm(f: float, before: float, i: float, g: float, o: float) -> ShownLayer:
    """An LSTM with this memory after its first step, and these gates at the second."""
    retained, admitted = f * before, i * g
    memory = retained + admitted
    return layer_of(
        LSTM_SIGNALS,
        "lstm.0",
        forget_gate=[0.5, f],
        input_gate=[1.0, i],
        candidate=[before, g],
        admitted=[before, admitted],
        output_gate=[0.5, o],
        retained=[0.0, retained],
        cell_state=[before, memory],
        hidden_state=[0.5 * math.tanh(before), o * math.tanh(memory)],
    )


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "nothing"),
        (1e-9, "almost nothing"),
        (0.0099, "almost nothing"),
        (0.01, "1 %"),
        (0.494, "49 %"),
        (0.4951, "half"),
        (0.5049, "half"),
        (0.506, "51 %"),
        (0.97, "97 %"),
        (0.9901, "nearly all"),
        (0.9999999, "nearly all"),
        (1.0, "all"),
    ],
)
def test_a_share_in_words(share: float, words: str) -> None:
    assert share_in_words(share) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0.0, "admits nothing"),
        (-0.0, "admits nothing"),
        (0.004, "admits almost nothing"),
        (-0.0049, "admits almost nothing"),
        (0.58, "adds 0.58"),
        (-0.58, "subtracts 0.58"),
    ],
)
def test_a_change_in_words(amount: float, words: str) -> None:
    assert change_in_words(amount) == words


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (6.79, 7.31, "rises from 6.79 to 7.31"),
        (7.31, 6.79, "falls from 7.31 to 6.79"),
        (-0.5, -0.8, "falls from −0.50 to −0.80"),
        (-0.3, 0.2, "rises from −0.30 to 0.20"),
        (1.001, 1.002, "stays at 1.00"),
    ],
)
def test_a_move_in_words(before: float, now: float, words: str) -> None:
    assert move_in_words(before, now) == words


WHOLE = [
    (
        (0.97, 2.0, 0.001, 0.5, 0.98),
        "Unit 0 keeps 97 % of its long-term memory and admits almost nothing. "
        "It exposes 98 % of tanh <i>c</i>, so its short-term memory is now 0.94.",
    ),
    (
        (0.5, 2.0, 0.6, 1.0, 1.0),
        "Unit 0 keeps half of its long-term memory and adds 0.60. "
        "It exposes all of tanh <i>c</i>, so its short-term memory is now 0.92.",
    ),
    (
        (0.995, -2.0, 0.6, -1.0, 0.0),
        "Unit 0 keeps nearly all of its long-term memory and subtracts 0.60. "
        "It exposes nothing of tanh <i>c</i>, so its short-term memory is now 0.00.",
    ),
    (
        (0.0, 2.0, 0.0, 1.0, 0.001),
        "Unit 0 keeps nothing of its long-term memory and admits nothing. "
        "It exposes almost nothing of tanh <i>c</i>, so its short-term memory is now 0.00.",
    ),
]


@pytest.mark.parametrize(("gates", "said"), WHOLE)
def test_a_whole_step(gates: tuple[float, float, float, float, float], said: str) -> None:
    shown = lstm(*gates)
    assert step_sentence(shown, 1, 0, CLASSROOM) == said
    standard = said.replace("long-term memory", "cell state").replace("short-term memory", "hidden state")
    assert step_sentence(shown, 1, 0, STANDARD) == standard


@pytest.mark.parametrize(
    ("phase", "labels", "said"),
    [
        (Phase.FORGET, STANDARD, "The forget gate keeps 99 % of unit 0’s cell state: 6.72 of 6.79."),
        (Phase.FORGET, CLASSROOM, "The forget factor keeps 99 % of unit 0’s long-term memory: 6.72 of 6.79."),
        (Phase.LEARN, STANDARD, "The candidate is 0.98; the input gate admits 59 % of it: unit 0 adds 0.58."),
        (Phase.LEARN, CLASSROOM, "The new information is 0.98; the ignore factor admits 59 % of it: unit 0 adds 0.58."),
        (
            Phase.REMEMBER,
            STANDARD,
            "What is kept and what is added make the new cell state: it rises from 6.79 to 7.30.",
        ),
        (
            Phase.REMEMBER,
            CLASSROOM,
            "What is kept and what is added make the new long-term memory: it rises from 6.79 to 7.30.",
        ),
        (Phase.USE, STANDARD, "The output gate exposes 98 % of tanh <i>c</i>: unit 0’s hidden state is 0.98."),
        (Phase.USE, CLASSROOM, "The use factor exposes 98 % of tanh <i>c</i>: unit 0’s short-term memory is 0.98."),
    ],
)
def test_one_phase(phase: Phase, labels: Labels, said: str) -> None:
    assert phase_sentence(lstm(0.99, 6.79, 0.59, 0.98, 0.98), phase, 1, 0, labels) == said


def test_the_first_step_has_nothing_to_keep() -> None:
    shown = lstm(0.9, -0.4, 0.5, 0.5, 0.5)
    assert step_sentence(shown, 0, 0, STANDARD).startswith(
        "This is the first step: unit 0 has no cell state yet and subtracts 0.40. It exposes half of"
    )
    assert phase_sentence(shown, Phase.FORGET, 0, 0, STANDARD) == (
        "This is the first step: unit 0 has no cell state yet, so there is nothing to keep."
    )
    assert phase_sentence(shown, Phase.REMEMBER, 0, 0, STANDARD).endswith("it begins at −0.40.")


def test_backwards_the_first_step_is_the_last() -> None:
    shown = lstm(0.9, -0.4, 0.5, 0.5, 0.5)
    prefix = "lstm.0.reverse"
    arrays = {name.replace("lstm.0", prefix): array[::-1] for name, array in shown.trace.arrays.items()}
    layer = replace(shown.layer, prefix=prefix)
    backward = replace(shown, trace=Trace(arrays, (layer,)), layer=layer)
    assert backward.backward
    for forward_step, step in ((0, 1), (1, 0)):
        for phase in Phase:
            wanted = phase_sentence(shown, phase, forward_step, 0, STANDARD)
            assert phase_sentence(backward, phase, step, 0, STANDARD) == wanted


def gru(z: float, before: float, n: float) -> ShownLayer:
    return layer_of(
        declared("gru"),
        "gru.0",
        reset_gate=[0.5, 0.5],
        recalled=[0.0, 0.1],
        candidate=[before, n],
        update_gate=[0.0, z],
        admitted=[before, (1 - z) * n],
        retained=[0.0, z * before],
        hidden_state=[before, z * before + (1 - z) * n],
    )


def test_a_gru_leaves_room_for_what_it_does_not_keep() -> None:
    shown = gru(0.75, 0.8, -0.4)
    assert step_sentence(shown, 1, 0, STANDARD) == (
        "Unit 0 keeps 75 % of its hidden state and subtracts 0.10. Its hidden state is now 0.50."
    )
    assert phase_sentence(shown, Phase.LEARN, 1, 0, STANDARD) == (
        "The candidate is −0.40; the update gate leaves room for 25 % of it: unit 0 subtracts 0.10."
    )
    assert phase_sentence(shown, Phase.FORGET, 1, 0, CLASSROOM) == (
        "The keep factor keeps 75 % of unit 0’s short-term memory: 0.60 of 0.80."
    )
    assert phase_sentence(shown, Phase.REMEMBER, 1, 0, CLASSROOM).endswith(
        "new short-term memory: it falls from 0.80 to 0.50."
    )


def test_without_a_forget_gate_all_is_kept() -> None:
    shown = layer_of(
        declared("lstm-1997"),
        "lstm-1997.0",
        input_gate=[1.0, 0.5],
        candidate=[1.0, 0.6],
        admitted=[1.0, 0.3],
        output_gate=[0.5, 0.5],
        cell_state=[1.0, 1.3],
        hidden_state=[0.5 * math.tanh(1.0), 0.5 * math.tanh(1.3)],
    )
    assert step_sentence(shown, 1, 0, STANDARD).startswith("Unit 0 keeps all of its cell state and adds 0.30.")
    assert phase_sentence(shown, Phase.REMEMBER, 1, 0, STANDARD).endswith("it rises from 1.00 to 1.30.")


def test_the_article_wiring_exposes_what_it_reads() -> None:
    shown = lstm(0.5, 2.0, 0.6, 1.0, 0.5)
    use = signals.HIDDEN_STATE.made_of(Phase.USE, signals.Operand("output_gate"), "×", signals.Operand("use_candidate"))
    layer = replace(shown.layer, signals=(*LSTM_SIGNALS[:-1], signals.USE_CANDIDATE, use))
    trace = Trace({**shown.trace.arrays, "lstm.0.use_candidate": np.array([[0.0], [0.76]])}, (layer,))
    article = replace(shown, trace=trace, layer=layer)
    said = step_sentence(article, 1, 0, STANDARD)
    assert "It exposes half of the output candidate <i>v</i>, so its hidden state is now" in said
    said = phase_sentence(article, Phase.USE, 1, 0, CLASSROOM)
    assert "The use factor exposes half of the memory to use <i>v</i>: unit 0’s short-term memory is" in said


@pytest.mark.parametrize(
    ("kind", "options", "labels", "first", "second"),
    [
        (
            "rnn",
            {},
            STANDARD,
            "This is the first step: unit 0’s hidden state is 0.31. It is made from the input alone, as nothing came "
            "before.",
            "Unit 0’s hidden state falls from 0.31 to −0.12. It is made anew from the input and from the hidden state "
            "of all units: nothing is kept as it was.",
        ),
        (
            "rnn",
            {"nonlinearity": "relu"},
            CLASSROOM,
            "This is the first step: unit 0’s short-term memory is 0.31. It is made from the event alone, as nothing "
            "came before.",
            "Unit 0’s short-term memory falls from 0.31 to −0.12. It is made anew from the event and from the "
            "short-term memory of all units: nothing is kept as it was.",
        ),
        (
            "tdnn",
            {"window": 5},
            CLASSROOM,
            "This is the first step: unit 0’s short-term memory is 0.31. It is made from the events in its window "
            "alone: of what came before, nothing is left.",
            "Unit 0’s short-term memory falls from 0.31 to −0.12. It is made from the events in its window alone: of "
            "what came before, nothing is left.",
        ),
        (
            "feedforward",
            {},
            STANDARD,
            "This is the first step: unit 0’s hidden state is 0.31. It is made from this input alone: of what came "
            "before, nothing is left.",
            "Unit 0’s hidden state falls from 0.31 to −0.12. It is made from this input alone: of what came before, "
            "nothing is left.",
        ),
    ],
)
def test_a_cell_that_keeps_nothing_says_what_it_is_made_from(
    kind: str, options: dict[str, object], labels: Labels, first: str, second: str
) -> None:
    shown = layer_of((signals.RECURRENT_STATE,), f"{kind}.0", hidden_state=[0.31, -0.12])
    shown = replace(shown, layer=replace(shown.layer, options=options))
    assert step_sentence(shown, 0, 0, labels) == first
    assert step_sentence(shown, 1, 0, labels) == second
    assert phase_sentence(shown, Phase.USE, 1, 0, labels) == ""
    broken = layer_of((signals.RECURRENT_STATE,), f"{kind}.0", hidden_state=[0.31, np.nan])
    assert step_sentence(broken, 1, 0, labels) == (
        "Unit 0 holds numbers that are not finite: nothing can be said in words."
    )


def test_of_an_unknown_cell_nothing_is_said() -> None:
    shown = layer_of((signals.RECURRENT_STATE,), "unheard-of.0", hidden_state=[0.31, -0.12])
    assert step_sentence(shown, 1, 0, STANDARD) == ""


@pytest.mark.parametrize("kind", cells())
def test_every_kind_has_a_sentence_in_each_vocabulary(kind: str) -> None:
    values = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    sequence = Sequence(values, ("x0", "x1", "x2"))
    network = new_network(kind, 3, 4)
    traced = trace(network, sequence)
    shown = ShownLayer(0, network.info(), traced, traced.layers[0], 0, 1)
    for step in range(6):
        said = {labels: step_sentence(shown, step, 2, labels) for labels in Labels}
        assert all("nit 2" in words for words in said.values())
        assert "memory" not in said[STANDARD]
        assert "state" not in said[CLASSROOM]


def test_numbers_that_are_not_finite_are_named() -> None:
    shown = lstm(0.5, np.nan, 0.5, 0.5, 0.5)
    said = "Unit 0 holds numbers that are not finite: nothing can be said in words."
    assert step_sentence(shown, 1, 0, STANDARD) == said
    assert phase_sentence(shown, Phase.LEARN, 1, 0, STANDARD) == said


def test_a_projected_state_mixes_all_units() -> None:
    shown = lstm(0.5, 2.0, 0.6, 1.0, 0.5)
    layer = replace(shown.layer, units=2)
    twice = {name: np.repeat(array, 2, axis=1) for name, array in shown.trace.arrays.items()}
    twice["lstm.0.hidden_state"] = shown.trace["lstm.0.hidden_state"]
    projected = replace(shown, trace=Trace(twice, (layer,)), layer=layer)
    assert "mixes all units" in phase_sentence(projected, Phase.USE, 1, 1, STANDARD)
    assert step_sentence(projected, 1, 1, STANDARD).endswith("Its cell state is now 1.60.")
