"""Plans: the same in words of the command line, in ``run.json`` and in the window."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lstm_studio.errors import RunError, StudioError
from lstm_studio.sequences.columns import ColumnRole
from lstm_studio.tasks.registry import new_task, tasks
from lstm_studio.training.control import CONTROL_FILE, Wish, ask, wish
from lstm_studio.training.plan import Equal, Optimiser, Plan, class_room, parsed_parameters

FILE = Plan(
    sequence="a.csv", columns={"x=y": ColumnRole.TARGET}, companion="", forget_bias=None, optimiser=Optimiser.SGD
)


@pytest.mark.parametrize("plan", [class_room("temporal-order"), class_room("waves"), FILE])
def test_a_plan_comes_back_from_json(plan: Plan) -> None:
    assert Plan.from_training({"recipe": json.loads(json.dumps(plan.as_dict())), "more": 1}) == plan


def test_networks_of_one_kind_are_told_apart() -> None:
    assert Plan(task="waves").keys == ("lstm", "rnn")
    assert Plan(task="waves", companion="lstm").keys == ("lstm", "lstm-2")
    assert Plan(task="waves", companion="").keys == ("lstm",)


def test_a_plan_holds_all_parameters_of_its_task() -> None:
    plan = Plan(task="temporal-order", parameters={"length": 40})
    assert plan.parameters == {"length": 40, "spread": 10}
    assert plan.new_task() == new_task("temporal-order", length=40)
    assert "length=40" in plan.arguments("here")
    assert "spread=10" in plan.arguments("here")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hidden": 0}, r"--hidden is 0.*1 or more"),
        ({"updates": 0}, r"--steps is 0.*1 or more"),
        ({"seed": 2**63}, r"--seed is 9223372036854775808"),
        ({"learning_rate": float("nan")}, r"--learning-rate is nan"),
        ({"learning_rate": 0.0}, r"--learning-rate is 0\.0"),
        ({"clip": -1.0}, r"--clip is -1\.0"),
        ({"forget_bias": float("inf")}, r"--forget-bias is inf"),
        ({"parameters": {"size": 3}}, r"no parameter 'size'"),
        ({"task": "rober"}, r"no task 'rober'"),
        ({"sequence": "a.csv"}, r"for a task or for a sequence"),
    ],
)
def test_a_value_out_of_range_is_a_users_error(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(StudioError, match=message):
        replace(Plan(task="temporal-order"), **wrong)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (None, r"does not say how"),
        ({"task": "waves", "colour": 1}, r"setting 'colour'"),
        ({"task": "waves", "hidden": "16"}, r"'16' of hidden"),
        ({"task": "waves", "hidden": True}, r"True of hidden"),
        ({"task": "waves", "hidden": None}, r"None of hidden"),
        ({"task": "waves", "match": "colour"}, r"'colour' of match"),
        ({"task": "waves", "learning_rate": 10**400}, r"of learning_rate"),
        ({"sequence": "a", "columns": {"x": "sum"}}, r"'sum' of columns"),
        ({"sequence": "a", "columns": {"x": []}}, r"\[\] of columns"),
    ],
)
def test_a_damaged_recipe_is_a_users_error(said: object, message: str) -> None:
    with pytest.raises(RunError, match=message):
        Plan.from_training({"recipe": said})


def test_parameters_on_the_command_line_are_read_as_the_task_has_them() -> None:
    assert parsed_parameters("waves", {"length": "40", "noise": "1e-2", "shape": "sine"}) == {
        "length": 40,
        "noise": 0.01,
        "shape": "sine",
    }
    with pytest.raises(StudioError, match=r"--set length=x: 'x' is not a whole number"):
        parsed_parameters("waves", {"length": "x"})
    with pytest.raises(StudioError, match=r"no parameter 'size'.*length"):
        parsed_parameters("waves", {"size": "1"})


@pytest.mark.parametrize("name", tasks())
def test_every_task_has_a_class_room_size(name: str) -> None:
    plan = class_room(name)
    assert plan.task == name
    assert plan.kinds == ("lstm", "rnn")
    assert plan.match is Equal.UNITS


def test_an_unknown_task_has_none() -> None:
    with pytest.raises(StudioError, match=r"no task 'rober'"):
        class_room("rober")


def test_wishes_reach_another_process_and_nonsense_is_none(tmp_path: Path) -> None:
    assert wish(tmp_path) is Wish.RUN
    for wanted in (Wish.PAUSE, Wish.STOP, Wish.RUN):
        ask(tmp_path / "new", wanted)
        assert wish(tmp_path / "new") is wanted
    assert json.loads((tmp_path / "new" / CONTROL_FILE).read_text()) == {"wanted": "run"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == [CONTROL_FILE]
    for text in ("", "[", "[]", '{"wanted": "dance"}', '{"wanted": []}', "[" * 100_000):
        (tmp_path / CONTROL_FILE).write_text(text)
        assert wish(tmp_path) is Wish.RUN


def test_the_window_can_plan_and_start_trainings_without_torch() -> None:
    code = (
        "import sys; import lstm_studio.training.plan, lstm_studio.training.control, lstm_studio.training.child; "
        "lstm_studio.training.plan.class_room('waves'); "
        "print(sorted({'torch', 'PySide6', 'duckdb', 'soundfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
