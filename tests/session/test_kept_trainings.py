from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

from lstm_studio.progress import ignore_progress
from lstm_studio.session.kept_trainings import KeptTraining, ListTrainings
from lstm_studio.training.repeats import write_repeats
from tests.session.fake_training import small_plan, write_training


def listed(folder: Path) -> tuple[KeptTraining, ...]:
    return ListTrainings(str(folder)).answer(cast(Any, None), ignore_progress)


def test_trainings_are_listed_newest_first_with_what_they_are(tmp_path: Path) -> None:
    write_training(tmp_path / "one", small_plan(seed=3, companion=""))
    write_repeats(small_plan(), tmp_path / "several", 4)
    (tmp_path / "something else").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "run.json").write_text("{")
    (tmp_path / "of others").mkdir()
    (tmp_path / "of others" / "run.json").write_text('{"format": 1, "layers": []}')
    os.utime(tmp_path / "one", (1, 1))
    found = listed(tmp_path)
    assert [(Path(kept.address).name, kept.title, kept.details) for kept in found] == [
        ("several", "Temporal order", "LSTM and Vanilla RNN · 4 units · 4 seeds · 100 steps"),
        ("one", "Temporal order", "LSTM · 4 units · seed 3 · 100 steps"),
    ]
    assert found[1].changed == 1.0


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert listed(tmp_path / "nowhere") == ()
