"""Which tabs a notice reaches: only the owner's, and only what they show."""

from typing import ClassVar

from opendeep_app.bus import Notice, Topic
from opendeep_app.live import Changes, LiveState, Tab, Tabs


class Everything(LiveState):
    TOPICS: ClassVar[frozenset[Topic]] = frozenset(Topic)


class Tasks(LiveState):
    TOPICS: ClassVar[frozenset[Topic]] = frozenset({Topic.TASK})


class Calling(LiveState):
    TOPICS: ClassVar[frozenset[Topic]] = frozenset({Topic.INFO_REQUEST})
    WHEN_HIDDEN: ClassVar[bool] = True


def notice(user_id: str, topic: Topic = Topic.TASK, task_id: str = "t1") -> Notice:
    return Notice(user_id=user_id, topic=topic, task_id=task_id)


def test_a_notice_reaches_its_owners_tabs_only() -> None:
    tabs = Tabs()
    tabs.add("ada-1", "ada", Tasks)
    tabs.add("ada-2", "ada", Tasks)
    tabs.add("bob-1", "bob", Tasks)
    assert {tab.token for tab in tabs.of("ada")} == {"ada-1", "ada-2"}
    assert tabs.of("eve") == []


def test_a_tab_that_changes_hands_is_no_longer_the_first_ones() -> None:
    tabs = Tabs()
    tabs.add("tab", "ada", Tasks)
    tabs.add("tab", "bob", Tasks)
    assert tabs.of("ada") == []
    assert [tab.user_id for tab in tabs.of("bob")] == ["bob"]


def test_a_new_page_forgets_what_the_last_one_showed() -> None:
    tabs = Tabs()
    tabs.add("tab", "ada", Everything, "t1")
    earlier = tabs.of("ada")[0]
    tabs.enter("tab", "ada")
    tabs.add("tab", "ada", Tasks)
    assert tabs.of("ada")[0].views == {Tasks: None}
    assert not tabs.current(earlier)


def test_a_closed_tab_leaves_nothing_behind() -> None:
    tabs = Tabs()
    tabs.add("tab", "ada", Tasks)
    tabs.forget("tab")
    tabs.forget("tab")
    assert len(tabs) == 0
    assert tabs.of("ada") == []


def test_a_view_follows_its_topics_and_its_task() -> None:
    tab = Tab("tab", "ada", {Tasks: None, Everything: "t1"})
    assert not tab.touch(notice("ada", Topic.TRANSCRIPT, "t2"))
    assert tab.touch(notice("ada", Topic.TASK, "t2"))
    of_tasks = Changes(frozenset({Topic.TASK}), frozenset({"t2"}))
    assert tab.stale == {Tasks: of_tasks}
    assert tab.touch(notice("ada", Topic.TRANSCRIPT, "t1"))
    of_one = Changes(frozenset({Topic.TRANSCRIPT}), frozenset({"t1"}))
    assert tab.stale == {Tasks: of_tasks, Everything: of_one}
    tab.touch(notice("ada", Topic.TASK, "t3"))
    assert tab.stale[Tasks].task_ids == {"t2", "t3"}


def test_a_tab_that_nobody_sees_hears_only_what_calls_its_person() -> None:
    tabs = Tabs()
    tabs.add("tab", "ada", Tasks)
    tabs.add("tab", "ada", Calling)
    tabs.hide("tab")
    [tab] = tabs.of("ada")
    assert not tab.touch(notice("ada"))
    assert tab.touch(notice("ada", Topic.INFO_REQUEST))
    assert set(tab.stale) == {Calling}
    tabs.enter("tab", "ada")
    tabs.add("tab", "ada", Tasks)
    assert tabs.of("ada")[0].touch(notice("ada"))


def test_a_question_is_urgent() -> None:
    tab = Tab("tab", "ada", {Everything: None})
    tab.touch(notice("ada"))
    assert not tab.urgent.is_set()
    tab.touch(notice("ada", Topic.INFO_REQUEST))
    assert tab.urgent.is_set()


def test_a_question_is_shown_before_anything_else_is_read() -> None:
    tab = Tab("tab", "ada", {Tasks: None, Everything: None, Calling: None})
    tab.touch(notice("ada", Topic.TASK))
    tab.touch(notice("ada", Topic.INFO_REQUEST))
    assert set(tab.turn()) == {Calling}
    assert set(tab.turn()) == {Tasks, Everything}
    assert tab.stale == {}
