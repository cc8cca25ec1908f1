"""The trainer: fair, reproducible, and it learns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lstm_studio.errors import StudioError
from lstm_studio.tasks.dinner_menu import DinnerMenu
from lstm_studio.tasks.task import Batch
from lstm_studio.tasks.temporal_order import TemporalOrder
from lstm_studio.tasks.waves import Waves
from lstm_studio.training.plan import Equal, Optimiser, Plan
from lstm_studio.training.sizes import sizes_of
from lstm_studio.training.trainer import Evaluation, Recipe, Trainer, answers

TINY = Recipe(hidden_size=6, seed=1, updates=12, batch=8, evaluate_every=5, held_out=16)


def trained(recipe: Recipe, task: TemporalOrder | Waves | DinnerMenu) -> tuple[Trainer, list[Evaluation]]:
    trainer = Trainer(task, recipe)
    return trainer, list(trainer.run())


def weights(trainer: Trainer) -> dict[str, bytes]:
    return {
        f"{kind}.{name}": weight.detach().numpy().tobytes()
        for kind, network in trainer.networks.items()
        for name, weight in network.module.named_parameters()
    }


def test_the_same_recipe_gives_the_same_weights_bit_for_bit() -> None:
    one, first = trained(TINY, TemporalOrder(length=20))
    torch.manual_seed(99)
    np.random.default_rng(99)
    two, second = trained(TINY, TemporalOrder(length=20))
    assert weights(one) == weights(two)
    assert first == second
    other, _ = trained(replace(TINY, seed=2), TemporalOrder(length=20))
    assert weights(one) != weights(other)


def test_evaluations_come_before_the_first_update_regularly_and_after_the_last() -> None:
    _, evaluations = trained(TINY, TemporalOrder(length=20))
    assert [evaluation.update for evaluation in evaluations] == [0, 5, 10, 12]
    assert all(set(evaluation.scores) == {"lstm", "rnn"} for evaluation in evaluations)
    assert all(score.sequences == 16 for evaluation in evaluations for score in evaluation.scores.values())


def test_a_network_is_not_disturbed_by_its_companion() -> None:
    both, _ = trained(TINY, DinnerMenu(weeks=1))
    alone, _ = trained(replace(TINY, kinds=("rnn",)), DinnerMenu(weeks=1))
    assert weights(alone) == {name: value for name, value in weights(both).items() if name.startswith("rnn.")}


@dataclass(frozen=True)
class Watched(TemporalOrder):
    """Remembers the batches that were drawn."""

    length: int = 20

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        batch = super().draw(count, rng)
        DRAWN.append(batch.inputs)
        return batch


DRAWN: list[NDArray[np.float32]] = []


def test_one_batch_is_drawn_for_both_networks_in_each_update() -> None:
    DRAWN.clear()
    trained(TINY, Watched())
    assert [batch.shape[1] for batch in DRAWN] == [16, *[8] * 12]
    assert len({batch.tobytes() for batch in DRAWN}) == 13


def test_one_update_is_one_clipped_adam_step_on_the_loss_at_the_last_step() -> None:
    """Adam's first step is lr·g/(|g| + 1e-8): clipped to 1e-8, the length of the gradient shows in it."""
    task = TemporalOrder(length=20)
    recipe = replace(TINY, updates=1, learning_rate=0.01, clip=1e-8, forget_bias=None)
    trainer = Trainer(task, recipe)
    network = trainer.networks["rnn"]
    before = {name: weight.detach().clone() for name, weight in network.module.named_parameters()}
    batch = task.draw(recipe.batch, np.random.default_rng([recipe.seed, 0]))
    outputs = network.module(torch.from_numpy(batch.inputs))
    last = torch.from_numpy(batch.lengths - 1)
    logits = outputs[last, torch.arange(recipe.batch)]
    classes = torch.from_numpy(batch.targets[batch.lengths - 1, np.arange(recipe.batch)].argmax(-1))
    loss = torch.nn.functional.cross_entropy(logits, classes)
    gradients = dict(zip(before, torch.autograd.grad(loss, list(network.module.parameters())), strict=True))
    norm = torch.sqrt(torch.stack([gradient.square().sum() for gradient in gradients.values()]).sum())
    assert norm > recipe.clip
    list(trainer.run())
    for name, weight in network.module.named_parameters():
        clipped = gradients[name] * (recipe.clip / norm)
        expected = before[name] - 0.01 * clipped / (clipped.abs() + 1e-8)
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-4, atol=1e-7)


def test_plain_gradient_descent_is_the_gradient_times_the_learning_rate() -> None:
    task = TemporalOrder(length=20)
    recipe = replace(TINY, kinds=("rnn",), updates=1, learning_rate=0.25, clip=0.0, optimiser=Optimiser.SGD)
    trainer = Trainer(task, recipe)
    before = {name: weight.detach().clone() for name, weight in trainer.networks["rnn"].module.named_parameters()}
    trainer.measure()
    gradients = {name: _gradient(weight) for name, weight in trainer.networks["rnn"].module.named_parameters()}
    trainer.update()
    assert sum(float(gradient.square().sum()) for gradient in gradients.values()) > 0
    for name, weight in trainer.networks["rnn"].module.named_parameters():
        torch.testing.assert_close(weight.detach(), before[name] - 0.25 * gradients[name])


def _gradient(weight: torch.nn.Parameter) -> torch.Tensor:
    assert weight.grad is not None
    return weight.grad.clone()


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_truncated_gradients_are_those_of_states_that_are_cut_off_between_the_pieces(kind: str) -> None:
    """Against cells unrolled by hand, whose states are detached at every seventh step."""
    task = Waves(length=20)
    trainer = Trainer(task, replace(TINY, kinds=(kind,), truncate=7))
    module = trainer.networks[kind].module
    batch = task.draw(TINY.batch, np.random.default_rng([TINY.seed, 0]))
    recurrent = trainer.networks[kind].recurrent
    cell = torch.nn.LSTMCell(1, 6) if kind == "lstm" else torch.nn.RNNCell(1, 6)
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in recurrent.state_dict().items()})
    readout = trainer.networks[kind].readout
    assert readout is not None
    hidden = torch.zeros(TINY.batch, 6)
    memory, outputs = torch.zeros(TINY.batch, 6), []
    for step, x in enumerate(torch.from_numpy(batch.inputs)):
        if step % 7 == 0:
            hidden, memory = hidden.detach(), memory.detach()
        if kind == "lstm":
            hidden, memory = cell(x, (hidden, memory))
        else:
            hidden = cell(x, hidden)
        outputs.append(torch.nn.functional.linear(hidden, readout.weight.detach(), readout.bias.detach()))
    loss = (torch.stack(outputs) - torch.from_numpy(batch.targets)).square().sum(-1).mean()
    torch.autograd.backward(loss)
    assert trainer.measure()[kind] == pytest.approx(loss.item(), rel=1e-5)
    whole = Trainer(task, replace(TINY, kinds=(kind,)))
    whole.measure()
    apart = 0.0
    for name, weight in cell.named_parameters():
        own = _gradient(module.get_parameter(f"{kind}.{name}_l0"))
        torch.testing.assert_close(own, _gradient(weight), rtol=1e-4, atol=1e-6)
        apart = max(
            apart, float((own - _gradient(whole.networks[kind].recurrent.get_parameter(f"{name}_l0"))).abs().max())
        )
    assert apart > 1e-5


def test_a_companion_has_as_many_units_or_as_nearly_as_many_weights() -> None:
    units = Trainer(DinnerMenu(), replace(TINY, match=Equal.UNITS)).sizes
    assert [size.hidden_size for size in units] == [6, 6]
    trainer = Trainer(DinnerMenu(), replace(TINY, match=Equal.PARAMETERS))
    for size in trainer.sizes:
        weights = sum(weight.numel() for weight in trainer.networks[size.key].module.parameters())
        assert weights == size.weights
    lstm, rnn = trainer.sizes
    counted = {hidden: hidden * (5 + hidden + 2) + 4 * (hidden + 1) for hidden in range(1, 40)}
    assert rnn.hidden_size == min(counted, key=lambda hidden: abs(counted[hidden] - lstm.weights))
    assert sizes_of(Plan(task="dinner-menu", hidden=6, match=Equal.PARAMETERS)) == trainer.sizes


def test_padding_never_reaches_the_answer() -> None:
    task = TemporalOrder(length=20, spread=6)
    trainer = Trainer(task, TINY)
    batch = task.draw(12, np.random.default_rng(5))
    together = answers(trainer.networks["lstm"], task, batch)
    for index, length in enumerate(batch.lengths):
        alone = Batch(
            batch.inputs[:length, index : index + 1],
            batch.targets[:length, index : index + 1],
            batch.scored[:length, index : index + 1],
            batch.lengths[index : index + 1],
        )
        own = answers(trainer.networks["lstm"], task, alone)[-1, 0]
        assert np.allclose(own, together[length - 1, index], atol=1e-6)
        assert own.sum() == pytest.approx(1.0, abs=1e-12)


def test_the_forget_bias_is_the_sum_of_both_bias_vectors() -> None:
    trainer = Trainer(TemporalOrder(), replace(TINY, layers=2, forget_bias=1.5))
    untouched = Trainer(TemporalOrder(), replace(TINY, layers=2, forget_bias=None))
    lstm = next(part for part in trainer.networks["lstm"].module.modules() if isinstance(part, torch.nn.LSTM))
    plain = next(part for part in untouched.networks["lstm"].module.modules() if isinstance(part, torch.nn.LSTM))
    forget = torch.zeros(24, dtype=torch.bool)
    forget[6:12] = True
    for layer in range(2):
        total = lstm.get_parameter(f"bias_ih_l{layer}") + lstm.get_parameter(f"bias_hh_l{layer}")
        default = plain.get_parameter(f"bias_ih_l{layer}") + plain.get_parameter(f"bias_hh_l{layer}")
        assert torch.equal(total[forget], torch.full((6,), 1.5))
        assert torch.equal(total[~forget], default[~forget])
        assert torch.equal(lstm.get_parameter(f"weight_hh_l{layer}"), plain.get_parameter(f"weight_hh_l{layer}"))


def test_both_networks_learn_a_task_of_short_memory() -> None:
    recipe = Recipe(hidden_size=12, seed=0, updates=250, batch=16, learning_rate=0.01, evaluate_every=125, held_out=64)
    trainer, evaluations = trained(recipe, DinnerMenu(weeks=2))
    chance = trainer.task.chance(trainer.held_out)
    for kind in recipe.kinds:
        losses = [evaluation.scores[kind].loss for evaluation in evaluations]
        assert losses[0] > 1.0
        assert losses[-1] < 0.5 * chance.loss
    test = trainer.test(200)
    assert test.chance.accuracy == pytest.approx(chance.accuracy)
    assert all(score.accuracy is not None and score.accuracy > 0.97 for score in test.scores.values())


def test_values_are_learned_too() -> None:
    recipe = Recipe(hidden_size=12, seed=0, updates=120, batch=16, learning_rate=0.01, evaluate_every=120, held_out=64)
    trainer, evaluations = trained(recipe, Waves(length=40))
    chance = trainer.task.chance(trainer.held_out)
    for score in evaluations[-1].scores.values():
        assert trainer.task.solved(score, chance)
        assert score.loss > Waves().noise ** 2


def test_a_training_that_diverges_says_so_and_keeps_the_last_good_weights() -> None:
    trainer = Trainer(Waves(length=10), replace(TINY, kinds=("rnn",), learning_rate=1e30))
    with pytest.raises(StudioError, match=r"gradient of 'rnn' is (nan|inf) at update \d+.*learning rate below 1e\+30"):
        list(trainer.run())
    assert all(torch.isfinite(weight).all() for weight in trainer.networks["rnn"].module.parameters())
