from __future__ import annotations

from lstm_studio.errors import RunError
from lstm_studio.session.pictures import Followed
from lstm_studio.session.watchlist import Watchlist


def test_an_address_is_followed_once_in_the_order_of_adding() -> None:
    watchlist = Watchlist()
    told: list[object] = []
    watchlist.changed.connect(told.append)
    watchlist.add(["b", "a", "b"])
    watchlist.add(["a"])
    assert watchlist.addresses == ("b", "a")
    assert told == [("b", "a")]
    watchlist.remove(["b", "unknown"])
    assert told == [("b", "a"), ("a",)]


def test_what_is_known_of_a_training_is_replaced_and_told() -> None:
    watchlist = Watchlist()
    told: list[object] = []
    watchlist.pictured.connect(told.append)
    watchlist.add(["a", "b"])
    assert watchlist.followed["a"].picture is None
    error = RunError("a has no run.json.")
    watchlist.accept([Followed("a", None, error)])
    assert watchlist.followed["a"].error is error
    assert watchlist.followed["b"].error is None
    assert told == [frozenset({"a"})]


def test_news_of_what_was_removed_meanwhile_are_dropped() -> None:
    watchlist = Watchlist()
    told: list[object] = []
    watchlist.pictured.connect(told.append)
    watchlist.add(["a"])
    watchlist.remove(["a"])
    watchlist.accept([Followed("a")])
    assert told == []
    assert watchlist.addresses == ()
