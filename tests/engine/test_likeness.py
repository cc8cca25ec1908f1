"""The order of units by likeness against clustering that looks at every pair of members, and against all orders."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_studio.engine.likeness import MOST_STEPS, correlation_distance, leaf_order

Array = np.ndarray[Any, Any]


def walk(units: int, seed: int, steps: int = 60) -> Array:
    return np.random.default_rng(seed).normal(size=(steps, units)).cumsum(axis=0)


def plain_clusters(distance: Array) -> list[frozenset[int]]:
    """Merge the two clusters with the smallest mean distance between their members, until one is left."""
    clusters = [frozenset([unit]) for unit in range(len(distance))]
    merged = []
    while len(clusters) > 1:
        first, second = min(
            combinations(clusters, 2),
            key=lambda pair: np.mean([distance[one, other] for one in pair[0] for other in pair[1]]),
        )
        clusters = [cluster for cluster in clusters if cluster not in (first, second)]
        clusters.append(first | second)
        merged.append(first | second)
    return merged


def length(distance: Array, order: Array | tuple[int, ...]) -> float:
    return float(sum(distance[one, other] for one, other in pairwise(order)))


@settings(max_examples=40, deadline=None)
@given(units=st.integers(1, 24), seed=st.integers(0, 2**32 - 1))
def test_every_cluster_is_one_run_of_the_order(units: int, seed: int) -> None:
    distance = correlation_distance(walk(units, seed))
    order = leaf_order(distance).tolist()
    assert sorted(order) == list(range(units))
    assert order[0] <= order[-1]
    for cluster in plain_clusters(distance):
        places = sorted(order.index(unit) for unit in cluster)
        assert places[-1] - places[0] == len(places) - 1


@settings(max_examples=25, deadline=None)
@given(units=st.integers(2, 7), seed=st.integers(0, 2**32 - 1))
def test_the_last_two_branches_meet_at_their_nearest_ends(units: int, seed: int) -> None:
    distance = correlation_distance(walk(units, seed))
    order = leaf_order(distance)
    below = plain_clusters(distance)[:-1]
    left = next((cluster for cluster in reversed(below) if order[0] in cluster), frozenset([int(order[0])]))
    cut = len(left)
    assert set(order[:cut].tolist()) == set(left)
    here, there = order[:cut], order[cut:]
    nearest = min(distance[one, other] for one in (here[0], here[-1]) for other in (there[0], there[-1]))
    assert distance[here[-1], there[0]] == nearest


def test_the_order_is_near_the_best_of_all_that_keep_the_clusters_together() -> None:
    ratios = []
    for seed in range(12):
        distance = correlation_distance(walk(7, seed))
        clusters = plain_clusters(distance)

        def keeps(order: tuple[int, ...], clusters: list[frozenset[int]] = clusters) -> bool:
            for cluster in clusters:
                places = [order.index(unit) for unit in cluster]
                if max(places) - min(places) != len(places) - 1:
                    return False
            return True

        best = min(length(distance, order) for order in permutations(range(7)) if keeps(order))
        ratios.append(length(distance, leaf_order(distance)) / best)
    assert max(ratios) < 1.35
    assert np.mean(ratios) < 1.1


@pytest.mark.parametrize("units", [2, 5, 30])
def test_the_distance_is_that_of_numpys_correlation(units: int) -> None:
    values = walk(units, 3)
    np.testing.assert_allclose(correlation_distance(values), 1 - np.corrcoef(values.T), atol=1e-5)


def test_units_of_one_group_stand_together_whatever_their_numbers() -> None:
    generator = np.random.default_rng(0)
    three = generator.normal(size=(80, 3)).cumsum(axis=0)
    group = generator.permutation(np.repeat(np.arange(3), 6))
    values = np.tanh(three[:, group] / 5 + 0.02 * generator.normal(size=(80, 18)))
    order = leaf_order(correlation_distance(values))
    assert np.count_nonzero(np.diff(group[order])) == 2


def test_what_does_not_change_is_alike_and_correlates_with_nothing() -> None:
    values = walk(4, 1)
    values[:, 1], values[:, 3] = 0.25, -1.0
    distance = correlation_distance(values)
    assert distance[1, 3] == 0
    assert distance[0, 1] == distance[2, 3] == 1
    order = leaf_order(distance).tolist()
    assert abs(order.index(1) - order.index(3)) == 1


def test_gaps_do_not_spread_and_a_long_trace_is_read_at_so_many_steps() -> None:
    values = walk(3, 2)
    values[10, 0], values[20, 1] = np.nan, np.inf
    assert np.isfinite(correlation_distance(values)).all()
    values[:, 2] = np.nan
    assert sorted(leaf_order(correlation_distance(values)).tolist()) == [0, 1, 2]
    long = walk(4, 5, 5 * MOST_STEPS)
    chosen = np.linspace(0, len(long) - 1, MOST_STEPS).round().astype(int)
    np.testing.assert_allclose(correlation_distance(long), 1 - np.corrcoef(long[chosen].T), atol=1e-5)


def test_nothing_and_one_unit_have_an_order_too() -> None:
    assert leaf_order(np.zeros((0, 0))).tolist() == []
    assert leaf_order(np.zeros((1, 1))).tolist() == [0]
