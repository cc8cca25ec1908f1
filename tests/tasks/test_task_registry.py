"""What holds for every task, whichever files there are."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from lstm_studio.errors import StudioError
from lstm_studio.tasks.registry import new_task, tasks


def test_the_first_tasks_are_there() -> None:
    assert set(tasks()) == {
        "adding",
        "adding-halves",
        "copy-memory",
        "counting",
        "dinner-menu",
        "latch",
        "long-lag",
        "multiplication",
        "parentheses",
        "parity",
        "pen-strokes",
        "reber",
        "temporal-order",
        "temporal-order-three",
        "tones",
        "two-sequence",
        "waves",
    }
    assert list(tasks()) == sorted(tasks())


@pytest.mark.parametrize("name", tasks())
def test_the_same_seed_gives_the_same_sequences_and_another_seed_others(name: str) -> None:
    task = new_task(name)
    one, same, other = task.generate(6, seed=11), task.generate(6, seed=11), task.generate(6, seed=12)
    assert [q.fingerprint for q in one] == [q.fingerprint for q in same]
    for left, right in zip(one, same, strict=True):
        assert left.target is not None
        assert right.target is not None
        assert np.array_equal(left.target, right.target)
    assert [q.fingerprint for q in one] != [q.fingerprint for q in other]


@pytest.mark.parametrize("name", tasks())
def test_a_task_describes_itself(name: str) -> None:
    task = new_task(name)
    assert task.name == name
    assert all((task.title, task.shows, task.chance_words, task.solved_words))
    batch = task.draw(5, np.random.default_rng(0))
    steps = int(batch.lengths.max())
    assert batch.inputs.shape == (steps, 5, len(task.features))
    assert batch.targets.shape == (steps, 5, len(task.answers))
    assert batch.scored.shape == (steps, 5)
    assert batch.scored.any(axis=0).all()
    assert batch.inputs.dtype == batch.targets.dtype == np.float32
    assert task.baseline(batch).shape == batch.targets.shape
    assert not task.solved(task.chance(batch), task.chance(batch))
    assert new_task(name, **task.parameters()) == task


@pytest.mark.parametrize("name", tasks())
def test_one_by_one_the_sequences_are_those_of_the_batch(name: str) -> None:
    task = new_task(name)
    batch = task.draw(4, np.random.default_rng(21))
    for index, sequence in enumerate(task.generate(4, seed=21)):
        assert np.array_equal(sequence.values, batch.inputs[: len(sequence), index])


def test_unknown_names_are_a_users_error() -> None:
    with pytest.raises(StudioError, match=r"no task 'rober'.*temporal-order"):
        new_task("rober")
    with pytest.raises(StudioError, match=r"no parameter 'size'.*length"):
        new_task("temporal-order", size=3)


def test_tasks_need_neither_torch_nor_qt() -> None:
    code = (
        "import sys; from lstm_studio.tasks.registry import tasks; tasks(); "
        "print(sorted({'torch', 'PySide6', 'duckdb', 'soundfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
