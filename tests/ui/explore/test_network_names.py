"""What the networks are called beside each other."""

from __future__ import annotations

import pytest

from lstm_studio.networks.spec import NetworkInfo
from lstm_studio.ui.explore.layers import network_names


@pytest.mark.parametrize(
    ("titles", "names"),
    [
        (("LSTM", "Vanilla RNN"), ("LSTM", "RNN")),
        (("LSTM", "LSTM"), ("LSTM 1", "LSTM 2")),
        (("LSTM", "Article LSTM"), ("LSTM", "Article")),
        (("Article LSTM", "1997 LSTM"), ("Article", "1997")),
        (("GRU",), ("GRU",)),
    ],
)
def test_networks_are_told_apart_in_few_words(titles: tuple[str, ...], names: tuple[str, ...]) -> None:
    infos = tuple(NetworkInfo("kind", title, 1, 2, 1, False, 3, 0, "seed 0", "") for title in titles)
    assert network_names(infos) == names
