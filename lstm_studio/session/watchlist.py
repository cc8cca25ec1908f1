"""The trainings that are followed: which, and how each was when it was last looked at. Evented and Qt-free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from psygnal import Signal

from lstm_studio.session.pictures import Followed


class Watchlist:
    """Addresses of trainings, in the order in which they were added; reads nothing itself.

    Whoever listens to ``changed`` reads them (in the window a thread) and hands over what it finds to :meth:`accept`.
    """

    changed = Signal(tuple)
    """All addresses."""
    pictured = Signal(frozenset)
    """The addresses of which there is a new picture, or a new error."""

    def __init__(self) -> None:
        self._followed: dict[str, Followed] = {}

    @property
    def addresses(self) -> tuple[str, ...]:
        """What is followed."""
        return tuple(self._followed)

    @property
    def followed(self) -> Mapping[str, Followed]:
        """Address → how it was when it was last looked at."""
        return MappingProxyType(self._followed)

    def add(self, addresses: Iterable[str]) -> None:
        """Follow these, too."""
        new = [address for address in dict.fromkeys(addresses) if address not in self._followed]
        if new:
            self._followed |= {address: Followed(address) for address in new}
            self.changed.emit(self.addresses)

    def remove(self, addresses: Iterable[str]) -> None:
        """Follow these no longer; nothing is removed from the disk."""
        gone = [address for address in dict.fromkeys(addresses) if address in self._followed]
        if gone:
            for address in gone:
                del self._followed[address]
            self.changed.emit(self.addresses)

    def accept(self, followed: Iterable[Followed]) -> None:
        """Take over how trainings are now; those that have been removed meanwhile are left out."""
        new = {one.address: one for one in followed if one.address in self._followed}
        if new:
            self._followed |= new
            self.pictured.emit(frozenset(new))
