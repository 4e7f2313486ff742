"""The window of a long list: bounded, in order, and equal to the list between its ends."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.models import Task
from opendeep_app.repositories.task_list import Glance, Stretch
from opendeep_app.repositories.tasks import Sort, TaskQuery
from opendeep_app.state.window import MOST, Window

QUERY = TaskQuery(sort=Sort.HIGHEST_PRIORITY)


@dataclass
class List:
    """The whole list, highest first."""

    priorities: dict[str, int]

    def glance(self, task_id: str) -> Glance:
        task = Task(id=task_id, user_id="u", phone_number="+1", goal="g", time_zone="UTC")
        task.priority = self.priorities[task_id]
        return Glance(task)

    @property
    def places(self) -> list[tuple[int, str]]:
        return sorted(((p, i) for i, p in self.priorities.items()), reverse=True)

    def after(self, window: Window, size: int) -> Stretch:
        rest = [p for p in self.places if not window.places or p < window.places[-1]]
        return Stretch([self.glance(i) for _, i in rest[:size]], len(rest) > size)

    def before(self, window: Window, size: int) -> Stretch:
        rest = [p for p in self.places if p > window.places[0]]
        return Stretch([self.glance(i) for _, i in rest[-size:]], len(rest) > size)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.data())
def test_it_stays_a_true_piece_of_the_list(priorities: list[int], data: st.DataObject) -> None:
    whole = List({f"{n:02}": priority for n, priority in enumerate(priorities)})
    window = Window().further(QUERY, whole.after(Window(), 8))
    for _ in range(6):
        changed = data.draw(st.sets(st.sampled_from(sorted(whole.priorities)), max_size=4))
        goes = (
            data.draw(st.sets(st.sampled_from(sorted(changed)), max_size=2)) if changed else set()
        )
        before = window
        for task_id in changed:
            whole.priorities[task_id] = data.draw(st.integers(0, 9))
        for task_id in goes:
            whole.priorities[task_id] = -1
        now = [whole.glance(task_id) for task_id in changed - goes]
        window = before.changed(QUERY, changed, now)
        matching = [place for place in whole.places if place[0] >= 0]
        kept = [place for place in before.places if place[1] not in changed]
        if kept:
            low = kept[-1] if before.below else (-1, "")
            assert list(window.places) == [place for place in matching if place >= low]


def test_it_never_holds_more_than_its_most() -> None:
    whole = List({f"{n:04}": 0 for n in range(MOST + 120)})
    window = Window()
    while window.below or not window.places:
        window = window.further(QUERY, whole.after(window, 50))
        assert len(window.places) <= MOST
    assert window.above
    assert window.ids[-1] == "0000"
    while window.above:
        window = window.back(QUERY, whole.before(window, 50))
        assert len(window.places) <= MOST
    assert window.below
    assert window.ids[0] == f"{MOST + 119:04}"
