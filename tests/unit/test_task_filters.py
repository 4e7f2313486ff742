"""A view's address: what it says is what is shown, and nonsense counts as not said."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.models import TaskStatus
from opendeep_app.repositories.tasks import Sort
from opendeep_app.state.task_filters import CREATED, OUTCOMES, STATUSES, Filters

NOW = datetime(2026, 6, 16, 12, 0, 30, tzinfo=UTC)


def filters() -> st.SearchStrategy[Filters]:
    return st.builds(
        Filters,
        q=st.text(st.characters(codec="utf-8"), max_size=200),
        status=st.sets(st.sampled_from(list(STATUSES))).map(
            lambda chosen: tuple(key for key in STATUSES if key in chosen)
        ),
        created=st.sampled_from(list(CREATED)),
        outcome=st.sampled_from(list(OUTCOMES)),
        needs=st.sampled_from(["", "me"]),
        sort=st.sampled_from([sort.value for sort in Sort]),
        view=st.sampled_from(["", "table"]),
    )


@given(filters())
def test_an_address_gives_back_its_view(view: Filters) -> None:
    assert Filters.of(dict(parse_qsl(view.search()))) == view


@given(st.dictionaries(st.sampled_from(list(Filters.__dataclass_fields__)), st.text(max_size=300)))
def test_no_address_is_too_odd(parameters: dict[str, str]) -> None:
    view = Filters.of(parameters)
    view.query(NOW)
    assert Filters.of(dict(parse_qsl(view.search()))) == view


def test_a_plain_view_has_a_plain_address() -> None:
    assert Filters().address() == "/"
    assert not Filters(sort="created_at", view="table").narrow
    assert Filters(status=("failed",)).toggled("failed") == "/"
    assert Filters(status=("failed",)).toggled("live") == "/?status=live%2Cfailed"
    assert Filters(needs="me").narrow


def test_a_view_asks_the_database_for_what_it_says() -> None:
    query = Filters(status=("live",), created="day", needs="me").query(NOW)
    assert query.statuses == (TaskStatus.IN_PROGRESS, TaskStatus.PENDING_ANALYSIS)
    assert query.created_after == datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
    assert query.needs_me
