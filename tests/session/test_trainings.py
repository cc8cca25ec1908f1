"""Planning, starting, following and looking at trainings, without a single process."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstm_studio.errors import StudioError
from lstm_studio.runs.opening import open_any
from lstm_studio.session.pictures import Followed, picture_of
from lstm_studio.session.trainings import Trainings, folder_of_trainings
from lstm_studio.session.watchlist import Watchlist
from lstm_studio.training.control import Wish, wish
from lstm_studio.training.plan import class_room
from lstm_studio.training.repeats import write_repeats
from tests.session.fake_training import FakeStart, small_plan, write_training


class Scene:
    """Trainings with a watch list that is read by hand."""

    def __init__(self, folder: Path) -> None:
        self.watchlist = Watchlist()
        self.start = FakeStart()
        self.trainings = Trainings(self.watchlist, folder, self.start)
        self.changes = 0
        self.errors: list[StudioError] = []
        self.trainings.changed.connect(self._count)
        self.trainings.failed.connect(self.errors.append)

    def _count(self) -> None:
        self.changes += 1

    def read(self) -> None:
        """Do once what the thread of the window does several times a second."""
        self.trainings.look()
        found = []
        for address in self.watchlist.addresses:
            try:
                found.append(Followed(address, picture_of(open_any(address))))
            except StudioError as error:
                found.append(Followed(address, None, error))
        self.watchlist.accept(found)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "trainings")


def test_the_first_plan_is_the_best_first_demonstration(scene: Scene) -> None:
    assert scene.trainings.plan == class_room("temporal-order")
    assert scene.trainings.learning is None
    assert scene.trainings.step is None
    assert folder_of_trainings().name == "trainings"


def test_a_plan_that_cannot_be_is_refused_and_nothing_changes(scene: Scene) -> None:
    before = scene.trainings.plan
    assert not scene.trainings.change(hidden=0)
    assert not scene.trainings.change(parameters={"length": 3})
    assert scene.trainings.plan is before
    assert [str(error) for error in scene.errors] == [
        "--hidden is 0. Give 1 or more.",
        "task 'temporal-order': length is 3. Give at least 20.",
    ]
    assert scene.trainings.change(hidden=8)
    assert scene.trainings.plan.hidden == 8


def test_a_training_begins_is_seen_and_ends(scene: Scene) -> None:
    trainings = scene.trainings
    trainings.propose(small_plan())
    assert trainings.begin()
    folder = scene.start.children[0].folder
    assert folder.parent == trainings.folder
    assert trainings.shown == str(folder)
    assert (trainings.beginning, trainings.unfinished) == (True, (str(folder),))
    scene.read()
    assert trainings.beginning, "there is nothing to be seen before run.json"
    made = write_training(folder, close=False)
    scene.read()
    assert trainings.learning is not None
    assert (trainings.beginning, trainings.learning.running, trainings.step) == (False, True, 50)
    made.close()
    scene.start.children[0].running = False
    scene.read()
    assert not trainings.learning.running
    assert (trainings.unfinished, trainings.waiting, scene.errors) == ((), False, [])


def test_two_trainings_never_share_a_folder(scene: Scene) -> None:
    for _ in range(3):
        scene.trainings.begin()
    assert len({child.folder for child in scene.start.children}) == 3


def test_a_training_that_cannot_be_started_says_why(scene: Scene) -> None:
    scene.start.refuse = "No room."
    assert not scene.trainings.begin()
    assert [str(error) for error in scene.errors] == ["No room."]
    assert scene.trainings.shown == ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "a line before\nlstm-studio: The gradient is inf. Try a learning rate below 3.",
            "could not go on. The gradient is inf. Try a learning rate below 3.",
        ),
        ("Traceback (most recent call last):\n  File\nKeyError: 'x'", "has ended with an error: KeyError: 'x'"),
    ],
)
def test_a_training_that_fails_says_what_its_process_said(scene: Scene, said: str, told: str) -> None:
    scene.trainings.begin()
    child = scene.start.children[0]
    child.running, child.failure = False, said
    scene.read()
    (error,) = scene.errors
    assert told in error.found
    assert child.folder.name in error.found
    assert ("train.log" in error.cure) == ("Traceback" in said)
    scene.read()
    assert len(scene.errors) == 1, "once is enough"


def test_wishes_reach_the_folder_of_the_run(scene: Scene) -> None:
    trainings = scene.trainings
    trainings.begin()
    folder = scene.start.children[0].folder
    found = []
    for do in (trainings.pause, trainings.go_on, trainings.stop):
        do()
        found.append((trainings.wish, wish(folder)))
    assert found == [(one, one) for one in (Wish.PAUSE, Wish.RUN, Wish.STOP)]


def test_closing_stops_whatever_still_runs(scene: Scene) -> None:
    for _ in range(2):
        scene.trainings.begin()
    scene.start.children[0].running = False
    scene.trainings.stop_all()
    assert [wish(child.folder) for child in scene.start.children] == [Wish.RUN, Wish.STOP]


def test_an_earlier_training_is_shown_with_its_plan(scene: Scene, tmp_path: Path) -> None:
    plan = small_plan(seed=7, hidden=5)
    write_training(tmp_path / "old", plan)
    scene.trainings.show(str(tmp_path / "old"))
    scene.read()
    found = [scene.trainings.differs]
    scene.trainings.change(hidden=6)
    found.append(scene.trainings.differs)
    scene.trainings.propose_shown()
    assert scene.trainings.plan == plan
    assert found == [False, True]


def test_a_training_that_ended_early_goes_on_where_it_is(scene: Scene, tmp_path: Path) -> None:
    plan = small_plan()
    write_training(tmp_path / "old", plan)
    scene.trainings.show(str(tmp_path / "old"))
    scene.read()
    assert scene.trainings.resume()
    assert scene.start.asked == [(plan, True, None)]
    assert scene.start.children[0].folder == tmp_path / "old"
    assert scene.trainings.restart()
    assert scene.start.asked[1] == (plan, False, None)
    assert scene.start.children[1].folder.parent == scene.trainings.folder


def test_a_folder_that_holds_no_run_says_so(scene: Scene, tmp_path: Path) -> None:
    scene.trainings.show(str(tmp_path))
    scene.read()
    assert scene.trainings.learning is None
    assert f"{tmp_path} holds no training." in str(scene.trainings.error)


def test_nothing_is_written_into_a_folder_that_holds_no_training(scene: Scene, tmp_path: Path) -> None:
    scene.trainings.show(str(tmp_path))
    scene.read()
    for ask in (scene.trainings.pause, scene.trainings.go_on, scene.trainings.stop):
        ask()
    assert list(tmp_path.iterdir()) == []
    assert not scene.errors


def test_the_run_of_a_script_is_for_monitor(scene: Scene, tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text('{"format": 1, "layers": []}')
    scene.trainings.show(str(tmp_path / "run"))
    scene.read()
    assert scene.trainings.learning is None
    assert "Monitor shows the runs of any script." in str(scene.trainings.error)


# Snapshots.


def test_the_newest_snapshot_is_followed_until_another_is_chosen(scene: Scene, tmp_path: Path) -> None:
    trainings = scene.trainings
    told: list[int | None] = []
    trainings.selected.connect(lambda: told.append(trainings.step))
    made = write_training(tmp_path / "run", close=False)
    trainings.show(str(tmp_path / "run"))
    scene.read()
    assert (trainings.step, trainings.following) == (50, True)
    trainings.move(-1)
    assert (trainings.step, trainings.following) == (40, False)
    trainings.select(17)
    assert trainings.step == 20, "the nearest there is"
    trainings.move(-9)
    trainings.move(1)
    assert trainings.step == 10
    trainings.follow(False)
    assert trainings.step == 10
    trainings.follow()
    assert (trainings.step, trainings.following) == (50, True)
    assert told == [40, 20, 0, 10, 50]
    made.close()


def test_speed_is_measured_over_the_pictures(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = write_training(tmp_path / "run", steps=11, close=False)
    scene.trainings.show(str(tmp_path / "run"))
    for clock, step in ((100.0, 12), (102.0, 32)):
        made.update(step, lstm=1.0, rnn=1.0)
        monkeypatch.setattr("lstm_studio.session.trainings.time.monotonic", lambda clock=clock: clock)
        scene.read()
    monkeypatch.undo()
    made.close()
    assert scene.trainings.rate == pytest.approx((32 - 12) / 2.0)


# Several seeds.


def test_seeds_are_followed_one_after_the_other(scene: Scene) -> None:
    trainings = scene.trainings
    trainings.propose(small_plan(seed=4))
    assert trainings.begin(seeds=3)
    assert scene.start.asked == [(small_plan(seed=4), False, 3)]
    series = trainings.series
    assert series is not None
    assert series.seeds == (4, 5, 6)
    assert trainings.beginning
    for seed in (4, 5):
        write_training(series.folder / f"seed-{seed}", small_plan(seed=seed), steps=21 + 10 * seed)
        scene.read()
        scene.read()
        assert trainings.shown == str(series.folder / f"seed-{seed}")
        assert trainings.learning is not None
        assert trainings.learning.recipe["seed"] == seed
    assert [one.done for one in trainings.others.values()] == [60, 70]
    assert trainings.plan.seed == 4, "the plan is with the first seed"
    assert not trainings.differs
    trainings.pause()
    assert wish(series.folder) is Wish.PAUSE
    trainings.show(series.addresses[0])
    write_training(series.folder / "seed-6", small_plan(seed=6))
    scene.read()
    scene.read()
    assert trainings.shown == series.addresses[0], "who has chosen a seed keeps it"
    assert len(trainings.others) == 3


def test_a_comparison_is_shown_again(scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    write_repeats(small_plan(seed=2), folder, 2)
    for seed in (2, 3):
        write_training(folder / f"seed-{seed}", small_plan(seed=seed))
    for address in (folder, folder / "seed-3"):
        scene.trainings.show(str(address))
        scene.read()
        assert scene.trainings.shown == str(folder / "seed-3")
        assert scene.trainings.series is not None
        assert scene.trainings.series.seeds == (2, 3)
        assert len(scene.trainings.others) == 2
    write_training(tmp_path / "other")
    scene.trainings.show(str(tmp_path / "other"))
    assert scene.trainings.series is None
    assert scene.trainings.others == {}
