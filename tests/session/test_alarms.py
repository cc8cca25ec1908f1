"""Each alarm against trainings that were made to have it, and none for one that is well."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lstm_studio as ls
from lstm_studio.errors import RunError
from lstm_studio.runs.like import Status
from lstm_studio.session.alarms import Alarm, AlarmWatch, Grade, Thresholds
from lstm_studio.session.pictures import Followed, RunPicture, picture_of
from tests.session.made_pictures import SAMPLED, curve, followed, healthy_lags, made


def alarms(picture: RunPicture, **limits: Any) -> dict[str, Alarm]:
    return {alarm.kind: alarm for alarm in AlarmWatch(Thresholds(**limits)).look(followed(picture))}


def test_a_healthy_training_raises_none() -> None:
    assert alarms(made()) == {}
    assert alarms(made(status=Status.FINISHED, heard_at=time.monotonic() - 1e6)) == {}


def late(before: float, after: float, since: int = 1000) -> Any:
    return curve(np.where(since <= SAMPLED, after, before))


def test_a_gradient_that_vanishes() -> None:
    norms = healthy_lags()
    norms[20:] = 10.0 ** (-np.arange(50) / 3)
    found = alarms(made(lags={"lstm.0.hidden_state": (SAMPLED, norms)}))
    alarm = found["vanishing"]
    assert (alarm.grade, alarm.step, alarm.about) == (Grade.WARNING, 1950, "lstm.0")
    assert alarm.told == ("In lstm.0, 4.6e−17 of its largest norm is left at lag 49; below 1.0e−12 since step 1,000.")
    assert alarms(made(lags={"lstm.0.hidden_state": (SAMPLED, norms)}), vanishing=1e-20) == {}
    assert alarms(made(lags={"lstm.0.hidden_state": (SAMPLED, norms)}), vanishing=None) == {}


def test_a_network_of_a_training_vanishes_once() -> None:
    norms = np.tile(10.0 ** -np.arange(50.0), (len(SAMPLED), 1))
    lags = {f"{prefix}.hidden_state": (SAMPLED, norms) for prefix in ("rnn.0", "rnn.rnn.0", "lstm.1")}
    info = {"training": {"task": {"name": "adding"}}}
    told = [
        alarm
        for alarm in AlarmWatch(Thresholds()).look(followed(made(lags=lags, info=info)))
        if alarm.kind == "vanishing"
    ]
    assert sorted(alarm.about for alarm in told) == ["lstm.1", "rnn.rnn.0"]
    # In anybody's script all are modules, whatever they are called.
    scripts = AlarmWatch(Thresholds()).look(followed(made(lags=lags)))
    assert len([alarm for alarm in scripts if alarm.kind == "vanishing"]) == 3


def test_it_has_to_last_for_three_records() -> None:
    norms = healthy_lags()
    norms[-2:] = 10.0 ** (-np.arange(50) / 3)
    assert alarms(made(lags={"lstm.0.hidden_state": (SAMPLED, norms)})) == {}


def test_lags_that_a_record_does_not_have_are_none_that_vanish() -> None:
    norms = healthy_lags()
    norms[:, 30:] = np.nan
    assert alarms(made(lags={"lstm.0.hidden_state": (SAMPLED, norms)})) == {}


def test_a_gradient_that_is_exactly_zero() -> None:
    norms = healthy_lags()
    norms[10:, 29:] = 0.0
    picture = made(lags={"lstm.0.hidden_state": (SAMPLED, norms)}, lag_spacing={"lstm.0.hidden_state": 2})
    alarm = alarms(picture)["zero"]
    assert alarm.grade is Grade.ERROR
    assert "at lag 58 and beyond, since step 500" in alarm.told


@pytest.mark.parametrize(
    ("kind", "name", "title"),
    [
        ("exploding-gradient", "all.gradient_norm", "Gradient exploded at step 1,500"),
        ("exploding-update", "all.update_norm", "Update exploded at step 1,500"),
    ],
)
def test_norms_that_explode(kind: str, name: str, title: str) -> None:
    values = np.full(len(SAMPLED), 0.02)
    values[30], values[31] = 5.0, 3.0
    alarm = alarms(made(parameters={name: curve(values)}))[kind]
    assert (alarm.title, alarm.step, alarm.grade) == (title, 1500, Grade.ERROR)
    assert "from 0.02 to 5, under 0.04 again at step 1,600" in alarm.told
    assert kind not in alarms(made(parameters={name: curve(values)}), exploding=300.0)


def test_jumps_far_below_the_level_of_the_beginning_are_noise() -> None:
    values = np.where(SAMPLED < 500, 1.0, 1e-6)
    values[30] = 1e-3
    assert alarms(made(parameters={"all.gradient_norm": curve(values)})) == {}


def test_a_loss_that_jumps_twice() -> None:
    steps = np.arange(2000)
    loss = np.full(2000, 0.01)
    loss[:100] = 1.4
    loss[600:620] = 0.5
    loss[1500] = 0.9
    alarm = alarms(made(scalars={"loss": (steps, loss)}))["exploding-loss"]
    assert alarm.step == 1500
    assert alarm.told == "loss from 0.01 to 0.9, under 0.02 again at step 1,501. It has happened 2 times."


def test_jumps_are_the_same_however_the_curve_arrives() -> None:
    noise = np.random.default_rng(1)
    steps, loss = np.arange(3000), 10.0 ** noise.uniform(-0.8, 0.1, 3000)
    loss[[700, 1900, 2500]] = 40.0
    base = np.array(loss)
    whole = alarms(made(scalars={"loss": (steps, base)}))["exploding-loss"]
    watch = AlarmWatch(Thresholds())
    grown: tuple[Alarm, ...] = ()
    for end in (3, 10, 650, 701, 702, 1899, 1901, 2600, 3000):
        picture = made(scalars={"loss": (steps[:end], base[:end])})
        grown = watch.look(followed(picture))
    assert {alarm.kind: alarm for alarm in grown}["exploding-loss"] == whole
    assert "3 times" in whole.told


def test_gates_that_are_saturated() -> None:
    picture = made(
        statistics={"lstm.0.input_gate.below_0.1": late(0.1, 0.59), "lstm.0.input_gate.above_0.9": late(0.1, 0.4)}
    )
    alarm = alarms(picture)["saturated"]
    assert (alarm.grade, alarm.about, alarm.step) == (Grade.WARNING, "lstm.0.input_gate", 1950)
    assert alarm.told.startswith(
        "99 % of the values of the input gate of lstm.0 are below 0.1 or above 0.9, since step 1,000"
    )
    assert alarms(picture, saturated=0.995) == {}


def test_forget_gates_that_are_closed() -> None:
    picture = made(
        statistics={"lstm.0.forget_gate.below_0.1": late(0.1, 0.66), "lstm.0.forget_gate.mean": late(0.5, 0.09)},
        parameters={"lstm.l0.forget_bias": curve(-2.0)},
    )
    alarm = alarms(picture)["closed"]
    assert alarm.grade is Grade.ERROR
    assert alarm.told == (
        "66 % of the values of the forget gate of lstm.0 are below 0.1; mean 0.09. Its bias began at −2.0."
    )
    assert alarms(picture, closed=0.7) == {}


def test_other_gates_may_be_closed_in_part() -> None:
    assert alarms(made(statistics={"lstm.0.output_gate.below_0.1": curve(0.7)})) == {}


def test_units_that_are_dead() -> None:
    told = alarms(made(statistics={"lstm.0.hidden_state.constant": late(0.0, 0.3)}))["dead"].told
    assert told.startswith("30 % of the units of the hidden state of lstm.0 do not change")
    assert alarms(made(statistics={"lstm.0.hidden_state.constant": late(0.0, 0.3)}), dead=0.5) == {}
    whole = alarms(made(statistics={"lstm.0.output_gate.deviation": late(0.2, 1e-6)}))["dead"]
    assert whole.about == "lstm.0.output_gate"


@pytest.mark.parametrize("dead", [3, 1])
def test_units_that_are_dead_in_a_recorded_training(dead: int, tmp_path: Path) -> None:
    """A fifth of them is the threshold: of ten, three are too many, and one is not."""
    torch.manual_seed(0)
    model = torch.nn.RNN(2, 10, nonlinearity="relu")
    with torch.no_grad():
        model.get_parameter("bias_ih_l0").fill_(3.0)[:dead] = -30.0
    with ls.watch(model, tmp_path, every=1) as run:
        for _ in range(4):
            torch.autograd.backward(model(torch.randn(8, 3, 2))[0].mean())
            run.step()
    found = alarms(picture_of(ls.open_run(tmp_path)))
    assert ("dead" in found) is (dead == 3)
    if dead == 3:
        told = "30 % of the units of the hidden state of rnn.0 do not change over the sequence, since step 0."
        assert found["dead"].told == told


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_where_it_began(value: float) -> None:
    norms = np.full(len(SAMPLED), 0.1)
    norms[[12, 30]] = value
    alarm = alarms(made(parameters={"lstm.weight_hh_l0.norm": curve(norms)}))["non-finite"]
    assert (alarm.step, alarm.grade) == (600, Grade.ERROR)
    assert alarm.told.startswith("lstm.weight_hh_l0.norm is ")


def test_a_training_that_died() -> None:
    alarm = alarms(made(status=Status.DIED))["died"]
    assert (alarm.step, alarm.grade) == (1999, Grade.ERROR)
    assert alarm.told == "It has not told of its end. Last heard of at step 1,999."
    ended = ({"event": "start"}, {"event": "end", "error": "CUDA out of memory"})
    assert alarms(made(status=Status.DIED, events=ended))["died"].told.startswith("CUDA out of memory Last heard")


def test_why_nothing_arrives() -> None:
    assert "61 s ago" in alarms(made(heard_at=time.monotonic() - 61))["silent"].told
    nothing: dict[str, Any] = {key: {} for key in ("statistics", "parameters", "lags", "scalars")}
    bare = replace(made(), **nothing, steps=())
    assert "run.step has not been called" in alarms(bare)["unstepped"].told
    events: tuple[dict[str, Any], ...] = ({"event": "start"}, {"event": "nothing captured", "step": 50})
    assert "compiled" in alarms(made(events=events, steps=()))["nothing"].told
    assert "nothing" not in alarms(made(events=events)), "it has captured since"
    events = ({"event": "start"}, {"event": "not captured", "step": 1990, "reason": "The layer has no weights."})
    alarm = alarms(made(events=events))["uncaptured"]
    assert (alarm.told, alarm.step) == ("The layer has no weights. (at 1 sampled step)", 1990)
    events = ({"event": "start"}, {"event": "dropped", "records": 3}, {"event": "dropped", "records": 4})
    assert alarms(made(events=events))["dropped"].told.startswith("7 records")
    events = ({"event": "start"}, {"event": "stopped", "reason": "No space left on device"})
    assert alarms(made(events=events))["stopped"].told == "No space left on device"


def test_what_a_log_lacks_and_what_could_not_be_read() -> None:
    picture = replace(made(lacks=("TensorBoard keeps no gates.",)), statistics={}, lags={}, steps=())
    alarm = alarms(picture)["lacking"]
    assert (alarm.grade, alarm.title, alarm.told) == (Grade.NOTE, "No gates in this log", "TensorBoard keeps no gates.")
    found = alarms(made(problems=("a.mcap, byte 7: damaged", "b.mcap, byte 9: damaged")))["damaged"]
    assert (found.title, found.told) == ("2 records could not be read", "a.mcap, byte 7: damaged")
    error = RunError("There is no run.", "Check the name.")
    (alarm,) = AlarmWatch(Thresholds()).look(Followed("x", None, error))
    assert (alarm.kind, alarm.told) == ("unreadable", "There is no run. Check the name.")


def test_only_what_is_new_is_looked_at() -> None:
    steps = np.arange(100_000)
    loss = np.full(100_000, 0.5)
    watch = AlarmWatch(Thresholds())
    watch.look(followed(made(scalars={"loss": (steps[:99_000], loss[:99_000])})))
    began = time.perf_counter()
    for end in range(99_001, 99_201):
        watch.look(followed(made(scalars={"loss": (steps[:end], loss[:end])})))
    assert (time.perf_counter() - began) / 200 < 5e-3


def test_a_curve_that_was_written_anew_is_looked_at_anew() -> None:
    steps, loss = np.arange(500), np.full(500, 0.5)
    loss[400] = 40.0
    watch = AlarmWatch(Thresholds())
    assert [alarm.kind for alarm in watch.look(followed(made(scalars={"loss": (steps, loss)})))] == ["exploding-loss"]
    assert watch.look(followed(made(scalars={"loss": (steps.copy(), np.full(500, 0.5))}))) == ()


def test_thresholds_are_written_and_read_again() -> None:
    chosen = Thresholds(vanishing=1e-6, dead=None)
    assert Thresholds.from_mapping(asdict(chosen)) == chosen
    assert Thresholds.from_mapping({"vanishing": "x", "loss": -1, "closed": True, "else": 3}) == Thresholds()
