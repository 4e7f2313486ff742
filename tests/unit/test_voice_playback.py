"""Unit: what of the agent's voice was heard, for any order of audio, marks and interruptions."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from opendeep_app.voice.playback import CutShort, Playback


def test_marks_tell_what_was_played() -> None:
    playback = Playback()
    first = playback.sent("a", 200, now=0)
    second = playback.sent("a", 200, now=0)
    assert first and second
    assert not playback.idle
    playback.marked(first, now=0.2)
    assert not playback.idle
    assert playback.interrupted(now=0.25) == [CutShort("a", 250)]


def test_time_never_plays_more_than_was_sent() -> None:
    playback = Playback()
    playback.sent("a", 200, now=0)
    assert playback.interrupted(now=9) == [CutShort("a", 200)]


def test_an_utterance_that_waits_behind_another_was_not_heard() -> None:
    playback = Playback()
    playback.sent("a", 400, now=0)
    playback.complete("a")
    playback.sent("b", 400, now=0.1)
    assert playback.interrupted(now=0.3) == [CutShort("a", 300), CutShort("b", 0)]


def test_what_was_heard_to_its_end_is_not_cut_short() -> None:
    playback = Playback()
    mark = playback.sent("a", 400, now=0)
    playback.complete("a")
    assert mark
    playback.marked(mark, now=0.4)
    assert playback.idle
    assert playback.interrupted(now=0.5) == []


def test_late_audio_of_an_interrupted_utterance_is_dropped() -> None:
    playback = Playback()
    mark = playback.sent("a", 200, now=0)
    assert mark
    playback.marked(mark, now=0.2)
    # All that was sent has been played, but more was to come.
    assert playback.interrupted(now=0.2) == [CutShort("a", 200)]
    assert playback.sent("a", 200, now=0.2) is None
    assert playback.sent("b", 200, now=0.3) is not None


def test_marks_that_clearing_returns_are_ignored() -> None:
    playback = Playback()
    stale = playback.sent("a", 200, now=0)
    playback.interrupted(now=0.1)
    playback.sent("b", 200, now=0.2)
    assert stale
    playback.marked(stale, now=0.2)
    assert not playback.idle


@given(st.text() | st.from_regex(r"\d{1,3}:\d{1,3}:\d{1,40}", fullmatch=True))
def test_foreign_marks_do_no_harm(name: str) -> None:
    playback = Playback()
    playback.sent("a", 200, now=0)
    playback.marked(name, now=0.1)
    assert playback.interrupted(now=0.1)


class Calls(RuleBasedStateMachine):
    """A buffer as Twilio has it, played in real time, beside what we make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.playback = Playback()
        self.now = 0.0
        self.item = 0
        self.dropped: set[str] = set()
        self.sent: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        self.buffer: list[tuple[str, int] | str] = []
        self.echoes: list[str] = []

    def _send(self, item_id: str, duration: int) -> None:
        mark = self.playback.sent(item_id, duration, self.now)
        assert (mark is None) is (item_id in self.dropped)
        if mark is not None:
            self.sent[item_id] = self.sent.get(item_id, 0) + duration
            self.buffer += [(item_id, duration), mark]

    @rule(duration=st.integers(1, 500))
    def more_of_it(self, duration: int) -> None:
        self._send(f"item{self.item}", duration)

    @rule(duration=st.integers(1, 500), done=st.booleans())
    def something_new(self, duration: int, done: bool) -> None:
        if done:
            self.playback.complete(f"item{self.item}")
        self.item += 1
        self._send(f"item{self.item}", duration)

    @rule(milliseconds=st.integers(1, 800))
    def time_passes(self, milliseconds: int) -> None:
        while self.buffer and isinstance(self.buffer[0], str):
            self.echoes.append(str(self.buffer.pop(0)))
        left = milliseconds
        while left and self.buffer:
            match self.buffer.pop(0):
                case str(mark):
                    self.echoes.append(mark)
                case (item_id, duration):
                    played = min(left, duration)
                    left -= played
                    self.heard[item_id] = self.heard.get(item_id, 0) + played
                    if played < duration:
                        self.buffer.insert(0, (item_id, duration - played))
        self.now += milliseconds / 1000

    @precondition(lambda self: self.echoes)
    @rule()
    def echoes_arrive(self) -> None:
        for name in self.echoes:
            self.playback.marked(name, self.now)
        self.echoes.clear()

    @rule()
    def the_recipient_breaks_in(self) -> None:
        for cut in self.playback.interrupted(self.now):
            assert 0 <= cut.heard_ms <= self.sent[cut.item_id]
            self.dropped.add(cut.item_id)
        assert self.playback.idle
        self.echoes += [entry for entry in self.buffer if isinstance(entry, str)]
        self.buffer.clear()

    @invariant()
    def idle_means_that_all_was_played(self) -> None:
        if self.playback.idle:
            assert not any(isinstance(entry, tuple) for entry in self.buffer)


Calls.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestCalls = Calls.TestCase
