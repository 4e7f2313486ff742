"""The stretch of a long list that a tab holds: it grows at one end, shrinks at the other, and stays true."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from opendeep_app.repositories.task_list import Glance, Stretch
from opendeep_app.repositories.tasks import Place, TaskQuery

#: A tab never holds more rows.
MOST = 200


@dataclass(frozen=True)
class Window:
    """Neighbours in the list's order; `above` and `below` say whether it goes on there."""

    places: tuple[Place, ...] = field(default=())
    above: bool = False
    below: bool = False

    @property
    def ids(self) -> list[str]:
        """The tasks it shows, in order."""
        return [place[1] for place in self.places]

    def further(self, query: TaskQuery, read: Stretch) -> "Window":
        """With what comes below; what is too much goes at the top."""
        places = (*self.places, *(glance.place(query) for glance in read.items))
        return Window(places[-MOST:], self.above or len(places) > MOST, read.more)

    def back(self, query: TaskQuery, read: Stretch) -> "Window":
        """With what comes above; what is too much goes at the bottom."""
        places = (*(glance.place(query) for glance in read.items), *self.places)
        return Window(places[:MOST], read.more, self.below or len(places) > MOST)

    def changed(self, query: TaskQuery, ids: Collection[str], now: Sequence[Glance]) -> "Window":
        """After these tasks have changed, of which those in `now` still match.

        What moves or comes in beyond an end where the list goes on is not part of the window.
        """
        fresh = [glance.place(query) for glance in now]
        kept = [place for place in self.places if place[1] not in ids]
        descending = query.sort.startswith("-")
        places = sorted([*kept, *fresh], reverse=descending)
        if self.above and kept:
            places = places[places.index(kept[0]) :]
        if self.below and kept:
            places = places[: places.index(kept[-1]) + 1]
        return Window(tuple(places[:MOST]), self.above, self.below or len(places) > MOST)
