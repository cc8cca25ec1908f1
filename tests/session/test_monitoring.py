"""Which trainings are shown, the cursor through their steps, the filter, thinned curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstm_studio.runs.like import Status
from lstm_studio.session.alarms import Thresholds
from lstm_studio.session.monitoring import MOST_SHOWN, Monitoring, nearest_step
from lstm_studio.session.recording_words import recorder_facts
from lstm_studio.session.run_words import age_words, format_size, main_loss, network_words
from lstm_studio.session.thinning import Thinner
from lstm_studio.session.watchlist import Watchlist
from tests.session.made_pictures import SAMPLED, curve, followed, made


def monitored(*names: str, **changes: Any) -> Monitoring:
    watchlist = Watchlist()
    monitoring = Monitoring(watchlist)
    watchlist.add(names)
    watchlist.accept(followed(made(name, **changes)) for name in names)
    return monitoring


def test_the_first_runs_are_drawn_and_the_first_is_selected() -> None:
    names = [f"run{index}" for index in range(30)]
    monitoring = monitored(*names)
    assert monitoring.view.selected == "run0"
    assert monitoring.drawn == (*names[1:MOST_SHOWN], "run0"), "the selected one on top"
    assert [monitoring.letter(name) for name in (names[0], names[25], names[26], names[29])] == ["A", "Z", "AA", "AD"]
    monitoring.select("run20")
    assert monitoring.drawn[-1] == "run20"
    monitoring.show("run20", False)
    assert "run20" in monitoring.drawn
    monitoring.show("run1", False)
    assert "run1" not in monitoring.drawn


def test_a_run_keeps_its_letter_when_others_go() -> None:
    monitoring = monitored("a", "b", "c")
    monitoring.watchlist.remove(["a"])
    assert (monitoring.view.selected, monitoring.letter("b"), monitoring.letter("c")) == ("b", "B", "C")
    monitoring.watchlist.remove(["b", "c"])
    assert (monitoring.view.selected, monitoring.drawn, monitoring.steps) == ("", (), ())


def test_the_cursor_goes_through_the_recorded_steps_and_follows_what_is_new() -> None:
    monitoring = monitored("a")
    assert monitoring.following
    assert monitoring.step == 1950
    monitoring.move(-1)
    assert (monitoring.step, monitoring.following) == (1900, False)
    monitoring.go_to(130)
    assert monitoring.step == 150
    monitoring.move(-100)
    assert monitoring.step == 0
    monitoring.watchlist.accept([followed(made("a", steps=(*SAMPLED.tolist(), 2000)))])
    assert monitoring.step == 0
    monitoring.follow()
    assert monitoring.step == 2000


def test_without_traces_the_cursor_goes_through_what_there_is() -> None:
    assert monitored("a", steps=()).steps[1] == 50
    bare = monitored("a", steps=(), lags={"lstm.0.hidden_state": (SAMPLED[:0], np.zeros((0, 1)))})
    assert len(bare.steps) == len(SAMPLED)


@pytest.mark.parametrize(("step", "index"), [(-5, 0), (0, 0), (24, 0), (25, 0), (26, 1), (99, 2), (1e9, 2)])
def test_the_nearest_step(step: int, index: int) -> None:
    assert nearest_step((0, 50, 100), step) == index


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["night", "day"]),
        ("live", ["night"]),
        ("DIED", ["day"]),
        ("nig", ["night"]),
        ("lstm 16", ["night", "day"]),
        ("lr=0.1", ["day"]),
        ("every=50 day", ["day"]),
        ("gru", []),
    ],
)
def test_the_list_is_filtered_by_name_status_kind_and_setting(words: str, found: list[str]) -> None:
    monitoring = monitored("night", "day")
    info = {**made().info, "training": {"recipe": {"lr": 0.1, "updates": 10}}}
    monitoring.watchlist.accept([followed(made("day", status=Status.DIED, info=info))])
    monitoring.look(words=words)
    assert [name for name in monitoring.addresses if monitoring.matches(name)] == found


def test_alarms_are_told_muted_and_told_again() -> None:
    watchlist = Watchlist()
    monitoring = Monitoring(watchlist)
    told: list[int] = []
    monitoring.alarms_changed.connect(lambda alarms: told.append(len(alarms)))
    watchlist.add(["a"])
    watchlist.accept([followed(made("a", statistics={"lstm.0.forget_gate.below_0.1": curve(0.6)}))])
    alarm = monitoring.alarms[0]
    monitoring.mute(alarm)
    assert (monitoring.alarms, monitoring.muted) == ((), 1)
    monitoring.unmute()
    assert monitoring.alarms == (alarm,)
    monitoring.use_thresholds(Thresholds(closed=0.7))
    assert told == [1, 0, 1, 0]


def test_a_thinned_curve_has_every_extreme_and_costs_what_is_new() -> None:
    noise = np.random.default_rng(0)
    steps, values = np.arange(200_000), noise.standard_normal(200_000)
    values[[5, 77_777, 199_990]] = 50.0, -60.0, 70.0
    thinner = Thinner(500)
    for end in (10, 900, 1001, 5000, 99_999, 200_000):
        x, y = thinner((steps[:end], values[:end]))
        assert len(x) <= 4 * 500 + 1000
        assert (np.diff(x) > 0).all()
        assert (x[0], x[-1]) == (0, end - 1)
        assert np.array_equal(values[x], y)
        assert (y.min(), y.max()) == (values[:end].min(), values[:end].max())
    whole = Thinner(500)((steps, values))
    assert np.array_equal(whole[0], x), "the same whether it grew or not"
    values[150_000] = np.nan
    assert np.isnan(Thinner(500)((steps, values))[1]).any(), "what is no number is never lost"


def test_a_curve_that_was_replaced_is_thinned_anew() -> None:
    thinner = Thinner(10)
    thinner((np.arange(1000), np.zeros(1000)))
    other = np.ones(1000)
    assert (thinner((np.arange(1000), other))[1] == 1).all()


def test_words() -> None:
    picture = made()
    named = main_loss(picture)
    assert named is not None
    assert named[0] == "loss"
    assert network_words(picture) == "LSTM 16"
    assert [age_words(seconds) for seconds in (1.2, 89, 90, 5400, 172_800)] == ["1 s", "89 s", "2 min", "2 h", "2 days"]
    assert [format_size(value) for value in (0.0, 0.27, 3.5e-20, 123.4, -2.0, np.nan)] == [
        "0", "0.27", "3.5e−20", "123", "−2", "not a number"
    ]  # fmt: skip
    facts = dict(recorder_facts(made(events=({"event": "dropped", "records": 3},))))
    assert (facts["Sampled"], facts["Traces"]) == ("every 50 steps", "40, 3 dropped")


def test_how_exact_the_gradients_are_and_whose() -> None:
    def said(**changes: Any) -> dict[str, str]:
        return dict(recorder_facts(made(**changes)))

    assert said()["Gradient"] == "replayed through time", "a run of an earlier version"
    exact = {"encoder.recovery_error": curve(2e-7), "decoder.recovery_error": curve(9e-5)}
    assert said(statistics=exact)["Gradient"] == "replayed through time, exact to rounding"
    rough = {**exact, "decoder.recovery_error": curve(np.linspace(1e-7, 4e-3, len(SAMPLED)))}
    words = "replayed through time; approximate in decoder: states are 4.0e−3 off, as in half precision"
    assert said(statistics=rough)["Gradient"] == words
    both = {name: curve(0.02) for name in exact}
    words = "replayed through time; approximate: states are 0.02 off, as in half precision"
    assert said(statistics=both)["Gradient"] == words
    assert said(lags={"lstm.0.hidden_state": curve(1.0)}, lacks=("No gates.",))["Gradient"] == "not in this log"
    info = {"every": 50, "world_size": 4, "ranks": "0"}
    assert said(info=info)["Of the batch"] == "the share of one process of 4"
    assert "Of the batch" not in said()
