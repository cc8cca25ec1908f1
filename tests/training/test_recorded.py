"""A training that records itself: what the run says, and going on with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lstm_studio.errors import RunError, StudioError
from lstm_studio.networks.checkpoints import open_network
from lstm_studio.progress import ignore_progress
from lstm_studio.runs.reader import Run, open_run
from lstm_studio.training import command
from lstm_studio.training.control import Wish, ask
from lstm_studio.training.horizon import horizon
from lstm_studio.training.plan import Optimiser, Plan
from lstm_studio.training.recorded import Ending, RecordedTraining
from lstm_studio.training.share import ALONE
from lstm_studio.training.snapshots import STATE_FILE, is_kept
from lstm_studio.training.trainer import Trainer, answers, recipe_of

PLAN = Plan(
    task="temporal-order",
    parameters={"length": 20, "spread": 2},
    hidden=5,
    seed=7,
    updates=44,
    batch=6,
    evaluate_every=10,
    held_out=20,
    device="cpu",
)


def never(update: int) -> bool:
    return False


def train(plan: Plan, folder: Path, interrupted: Callable[[int], bool] = never, *, resume: bool = False) -> Ending:
    task = plan.new_task()
    training = RecordedTraining(plan, task, {"task": {"name": task.name}}, folder, ALONE, resume=resume)
    return training.run(ignore_progress, lambda: interrupted(training.update))


def weights(folder: Path, update: int) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes() for file in sorted((folder / "snapshots" / f"{update:08d}").glob("*.safetensors"))
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    torch.set_num_threads(1)
    assert command.train(PLAN, folder, ignore_progress) == 0
    return folder


def test_an_update_is_measured_though_it_comes_after_what_is_said_of_its_step(tmp_path: Path) -> None:
    plan = replace(PLAN, optimiser=Optimiser.SGD, learning_rate=0.25, clip=0.0)
    train(plan, tmp_path / "run")
    parameters = open_run(tmp_path / "run").parameters
    for name in ("all", "lstm.lstm.weight_hh_l0", "rnn.rnn.bias_ih_l0"):
        steps, moved = parameters[f"{name}.update_norm"]
        at, gradients = parameters[f"{name}.gradient_norm"]
        assert np.array_equal(steps, at)
        assert steps.tolist() == [0, 10, 20, 30, 40]
        assert moved == pytest.approx(0.25 * gradients, rel=1e-3)
        assert moved.min() > 0


def test_a_run_says_what_was_trained(whole: Path) -> None:
    run = open_run(whole)
    said = run.info["training"]
    task = PLAN.new_task()
    assert said["task"]["name"] == "temporal-order"
    assert said["task"]["parameters"] == {"length": 20, "spread": 2}
    for key in ("title", "shows", "chance", "solved", "caution"):
        assert isinstance(said["task"][key], str)
    assert said["networks"] == [
        {"key": "lstm", "kind": "lstm", "title": "LSTM", "hidden_size": 5, "layers": 1, "weights": 324},
        {"key": "rnn", "kind": "rnn", "title": "Vanilla RNN", "hidden_size": 5, "layers": 1, "weights": 99},
    ]
    assert said["seed"] == 7
    assert said["held_out"] == 20
    assert said["torch"] == torch.__version__
    assert Plan.from_training(said) == PLAN
    assert said["arguments"] == PLAN.arguments(whole)
    trainer = Trainer(task, recipe_of(PLAN))
    assert said["chance"] == asdict(task.chance(trainer.held_out))
    assert run.layers == ["lstm.lstm", "rnn.rnn"]
    assert str(run.status) == "finished"


def test_what_is_recorded_at_a_step_is_true_of_the_weights_after_so_many_updates(whole: Path) -> None:
    run = open_run(whole)
    task = PLAN.new_task()
    trainer = Trainer(task, recipe_of(PLAN))
    batches = np.random.default_rng([7, 0])
    drawn = [task.draw(PLAN.batch, batches) for _ in range(45)]
    evaluated = [0, 1, 2, 4, 8, 10, 20, 30, 40, 44]
    assert run.snapshots == evaluated
    for key in ("lstm", "rnn"):
        assert run.scalars[f"{key}.train_loss"][0].tolist() == list(range(45))
        for name in ("loss", "accuracy", "within"):
            assert run.scalars[f"{key}.{name}"][0].tolist() == evaluated
        for place, update in enumerate(evaluated):
            network = open_network(run.snapshot(update, key))
            batch = drawn[update]
            score = task.score(answers(network, task, batch), batch)
            assert run.scalars[f"{key}.train_loss"][1][update] == pytest.approx(score.loss, rel=1e-5)
            held_out = task.score(answers(network, task, trainer.held_out), trainer.held_out)
            assert run.scalars[f"{key}.loss"][1][place] == pytest.approx(held_out.loss, rel=1e-6)
            assert run.scalars[f"{key}.accuracy"][1][place] == held_out.accuracy
            assert run.scalars[f"{key}.within"][1][place] == held_out.within
            far = horizon(network, trainer.held_out)
            for state, by_lag in far.lags["0"].items():
                steps, rows = run.lags[f"{key}.0.{state}"]
                assert steps.tolist() == evaluated
                assert rows[place] == pytest.approx(by_lag, rel=1e-5)
            if key == "lstm":
                assert run.scalars["lstm.forget_gate"][1][place] == pytest.approx(far.forget_gate, rel=1e-5)
    assert "rnn.forget_gate" not in run.scalars
    assert run.steps == [0, 10, 20, 30, 40]


def test_traces_are_of_the_same_weights_and_hold_the_gradients_of_both_networks(whole: Path) -> None:
    run = open_run(whole)
    task = PLAN.new_task()
    batches = np.random.default_rng([7, 0])
    batch = [task.draw(PLAN.batch, batches) for _ in range(11)][10]
    trace = run.trace(10)
    for key in ("lstm", "rnn"):
        network = open_network(run.snapshot(10, key))
        hidden = network.recurrent(torch.from_numpy(batch.inputs))[0]
        assert np.allclose(trace[f"{key}.{key}.0.hidden_state"], hidden[:, 0].detach(), atol=2e-3)
        assert (trace[f"norm.grad.{key}.{key}.0.hidden_state"] > 0).any()


def test_recording_leaves_the_training_as_it_is(whole: Path) -> None:
    trainer = Trainer(PLAN.new_task(), recipe_of(PLAN))
    list(trainer.run())
    for key, network in trainer.networks.items():
        stored = open_network(whole / "snapshots" / "00000044" / f"{key}.safetensors").module.state_dict()
        assert all(torch.equal(weight, stored[name]) for name, weight in network.module.state_dict().items())


def test_at_the_end_the_networks_are_tested_on_two_thousand_new_sequences(whole: Path) -> None:
    run = open_run(whole)
    (tested,) = [event for event in run.events if event["event"] == "tested"]
    task = PLAN.new_task()
    batch = task.draw(2000, np.random.default_rng([7, 2]))
    assert tested["update"] == 44
    assert tested["chance"] == asdict(task.chance(batch))
    for key in ("lstm", "rnn"):
        network = open_network(run.snapshot(44, key))
        expected = asdict(task.score(answers(network, task, batch), batch))
        assert tested["scores"][key] == pytest.approx(expected)
        assert tested["solved"] == {"lstm": False, "rnn": False}


def curves(run: Run) -> dict[str, tuple[list[int], list[float]]]:
    return {name: (steps.tolist(), values.tolist()) for name, (steps, values) in run.scalars.items()}


@pytest.mark.parametrize("change", [{}, {"optimiser": "sgd", "learning_rate": 0.1}, {"layers": 2, "truncate": 7}])
def test_a_training_that_was_stopped_and_resumed_is_the_one_that_was_not_bit_for_bit(
    tmp_path: Path, change: dict[str, object]
) -> None:
    plan = Plan.from_training({"recipe": {**PLAN.as_dict(), **change}})
    train(plan, tmp_path / "whole")
    ending = train(plan, tmp_path / "parts", lambda update: update == 21)
    assert ending.update == 21
    assert ending.interrupted
    assert train(plan, tmp_path / "parts", resume=True).update == 44
    assert weights(tmp_path / "parts", 44) == weights(tmp_path / "whole", 44)
    one, other = open_run(tmp_path / "whole"), open_run(tmp_path / "parts")
    # The step at which it was stopped was evaluated as well.
    assert other.snapshots == sorted([*one.snapshots, 21])
    found = curves(other)
    for name, (steps, values) in curves(one).items():
        kept = [place for place, step in enumerate(found[name][0]) if step in set(steps)]
        assert [found[name][0][place] for place in kept] == steps
        assert [found[name][1][place] for place in kept] == values
    assert other.steps == one.steps
    assert str(other.status) == "finished"
    assert not other.problems


def test_a_training_that_was_killed_goes_on_from_its_last_snapshot(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def kill(update: int) -> bool:
        # When steps since the last snapshot have been recorded.
        if update == 27:
            raise KilledError
        return False

    with pytest.raises(KilledError):
        train(PLAN, tmp_path / "run", kill)
    assert open_run(tmp_path / "run").snapshots[-1] == 20
    train(PLAN, tmp_path / "run", resume=True)
    train(PLAN, tmp_path / "whole")
    assert weights(tmp_path / "run", 44) == weights(tmp_path / "whole", 44)
    one, other = open_run(tmp_path / "whole"), open_run(tmp_path / "run")
    assert curves(other) == curves(one)
    assert other.steps == one.steps


def test_a_finished_training_can_be_made_longer(tmp_path: Path) -> None:
    train(replace(PLAN, updates=17), tmp_path / "run")
    train(PLAN, tmp_path / "run", resume=True)
    train(PLAN, tmp_path / "whole")
    assert weights(tmp_path / "run", 44) == weights(tmp_path / "whole", 44)
    with pytest.raises(RunError, match=r"44 updates already.*--steps 44"):
        train(replace(PLAN, updates=17), tmp_path / "run", resume=True)


def test_the_same_plan_from_run_json_gives_the_same_weights(whole: Path, tmp_path: Path) -> None:
    assert command.train(command.plan_of_run(whole), tmp_path / "again", ignore_progress) == 0
    assert weights(tmp_path / "again", 44) == weights(whole, 44)


def test_a_wish_to_stop_ends_it_in_order(tmp_path: Path) -> None:
    ask(tmp_path, Wish.STOP)
    ending = train(replace(PLAN, updates=10**9), tmp_path)
    assert ending.update < 10**6
    assert not ending.interrupted
    run = open_run(tmp_path)
    assert str(run.status) == "finished"
    assert run.snapshots[-1] == ending.update
    assert [event["event"] for event in run.events] == ["start", "tested", "end"]


def test_it_ends_when_the_first_network_has_solved_the_task(tmp_path: Path) -> None:
    plan = Plan(task="dinner-menu", hidden=12, updates=2000, learning_rate=0.02, evaluate_every=20, seed=1)
    ending = train(replace(plan, stop_when_solved=True, device="cpu"), tmp_path)
    assert 0 < ending.update < 2000
    assert ending.solved["lstm"]
    run = open_run(tmp_path)
    solved = [event for event in run.events if event["event"] == "solved"]
    steps, within = run.scalars["lstm.accuracy"]
    first = int(steps[within == 1.0][0])
    assert [(event["network"], event["step"]) for event in solved if event["network"] == "lstm"] == [("lstm", first)]
    assert ending.update >= first


def test_a_training_that_diverges_is_a_users_error_and_the_run_says_so(tmp_path: Path) -> None:
    plan = replace(Plan(task="waves"), learning_rate=1e30, hidden=4, updates=50, held_out=8)
    with pytest.raises(StudioError, match=r"gradient of '\w+' is .*learning rate below 1e\+30"):
        train(plan, tmp_path)
    run = open_run(tmp_path)
    assert str(run.status) == "died"
    assert "learning rate" in run.events[-1]["error"]


def test_a_folder_with_a_run_is_not_written_to(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"holds a run.*--resume"):
        train(PLAN, whole)
    with pytest.raises(RunError, match=r"holds nothing to go on from"):
        train(PLAN, tmp_path, resume=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file"):
        train(PLAN, tmp_path / "file" / "run")


def test_damaged_files_are_a_users_error(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train(replace(PLAN, updates=3), folder)
    block = (folder / STATE_FILE).read_bytes()
    for damaged in (b"", block[:100], block[: len(block) // 2], block.replace(b"lstm/weights", b"lstm/wEights")):
        (folder / STATE_FILE).write_bytes(damaged)
        with pytest.raises(RunError, match=r"state\.safetensors is damaged"):
            train(replace(PLAN, updates=5), folder, resume=True)
    (folder / STATE_FILE).write_bytes(block)
    with pytest.raises(RunError, match=r"damaged"):
        train(replace(PLAN, hidden=6), folder, resume=True)
    for text in ("", "[]", "{}", '{"training": []}', '{"training": {"recipe": {"task": 3}}}', "[" * 100_000):
        (folder / "run.json").write_text(text)
        with pytest.raises(RunError):
            command.plan_of_run(folder)
    with pytest.raises(RunError, match=r"holds no run"):
        command.plan_of_run(tmp_path)


def test_networks_of_one_kind_and_with_as_many_weights(tmp_path: Path) -> None:
    plan = replace(PLAN, companion="lstm", updates=3)
    train(plan, tmp_path / "same")
    assert sorted(weights(tmp_path / "same", 3)) == ["lstm-2.safetensors", "lstm.safetensors"]
    train(Plan.from_training({"recipe": {**PLAN.as_dict(), "match": "parameters", "updates": 3}}), tmp_path / "match")
    lstm, rnn = open_run(tmp_path / "match").info["training"]["networks"]
    assert abs(rnn["weights"] - lstm["weights"]) < 20
    assert rnn["hidden_size"] > lstm["hidden_size"]
    stored = open_network(tmp_path / "match" / "snapshots" / "00000003" / "rnn.safetensors")
    assert sum(weight.numel() for weight in stored.module.parameters()) == rnn["weights"]


def test_snapshots_are_denser_at_the_beginning_and_their_number_grows_slowly() -> None:
    kept = [update for update in range(100_001) if is_kept(update, 50)]
    assert kept[:10] == [0, 1, 2, 4, 8, 16, 32, 50, 100, 150]
    gaps = np.diff(kept[7:])
    assert (np.diff(gaps) >= 0).all()
    assert len(kept) < 200
    assert len([update for update in kept if update <= 2000]) == 7 + 40


def test_the_state_holds_no_code(whole: Path) -> None:
    header = (whole / STATE_FILE).read_bytes()
    length = int.from_bytes(header[:8], "little")
    assert json.loads(header[8 : 8 + length])["__metadata__"]
