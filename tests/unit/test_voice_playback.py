"""Unit: what of the agent's voice was heard, for any order of audio, marks and interruptions."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from opendeep_app.voice.playback import CutShort, Playback


def say(playback: Playback, item_id: str, milliseconds: int, now: float) -> str | None:
    """Sends audio; returns the mark behind it."""
    assert playback.sent(item_id, milliseconds * 8, now)
    return playback.mark()


def test_marks_tell_what_was_played() -> None:
    playback = Playback()
    first = say(playback, "a", 200, now=0)
    assert first
    say(playback, "a", 200, now=0)
    # Twilio began to play 100 ms later than we thought.
    playback.marked(first, now=0.3)
    assert not playback.idle
    assert playback.interrupted(now=0.35) == [CutShort("a", 250)]


def test_marks_lie_behind_the_first_audio_each_second_and_the_end() -> None:
    playback = Playback()
    marks = [say(playback, "a", 20, now=0) for _ in range(120)]
    assert [number for number, mark in enumerate(marks) if mark] == [0, 50, 100]
    playback.complete("a")
    assert playback.mark() == "0:1:19200"
    assert playback.mark() is None


def test_time_never_plays_more_than_was_sent() -> None:
    playback = Playback()
    say(playback, "a", 200, now=0)
    assert playback.interrupted(now=9) == [CutShort("a", 200)]


def test_a_gap_in_what_is_sent_is_not_taken_for_sound() -> None:
    playback = Playback()
    say(playback, "a", 200, now=0)
    say(playback, "a", 200, now=1)
    assert playback.interrupted(now=1.1) == [CutShort("a", 300)]


def test_an_utterance_that_waits_behind_another_was_not_heard() -> None:
    playback = Playback()
    say(playback, "a", 400, now=0)
    playback.complete("a")
    say(playback, "b", 400, now=0.1)
    assert playback.interrupted(now=0.3) == [CutShort("a", 300), CutShort("b", 0)]


def test_what_was_heard_to_its_end_is_not_cut_short() -> None:
    playback = Playback()
    mark = say(playback, "a", 400, now=0)
    playback.complete("a")
    assert mark
    playback.marked(mark, now=0.4)
    assert playback.idle
    assert playback.interrupted(now=0.5) == []


def test_late_audio_of_an_interrupted_utterance_is_dropped() -> None:
    playback = Playback()
    mark = say(playback, "a", 200, now=0)
    assert mark
    playback.marked(mark, now=0.2)
    # All that was sent has been played, but more was to come.
    assert playback.interrupted(now=0.2) == [CutShort("a", 200)]
    assert not playback.sent("a", 1600, now=0.2)
    assert playback.sent("b", 1600, now=0.3)


def test_marks_that_clearing_returns_are_ignored() -> None:
    playback = Playback()
    stale = say(playback, "a", 200, now=0)
    playback.interrupted(now=0.1)
    say(playback, "b", 200, now=0.2)
    assert stale
    playback.marked(stale, now=0.2)
    assert not playback.idle


@given(st.text() | st.from_regex(r"\d{1,3}:\d{1,3}:\d{1,40}", fullmatch=True))
def test_foreign_marks_do_no_harm(name: str) -> None:
    playback = Playback()
    say(playback, "a", 200, now=0)
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
        self.late = False

    def _send(self, item_id: str, duration: int) -> None:
        sent = self.playback.sent(item_id, duration * 8, self.now)
        assert sent is not (item_id in self.dropped)
        if sent:
            self.sent[item_id] = self.sent.get(item_id, 0) + duration
            self.buffer.append((item_id, duration))
            self._mark()

    def _mark(self) -> None:
        if mark := self.playback.mark():
            self.buffer.append(mark)

    @rule(duration=st.integers(1, 500))
    def more_of_it(self, duration: int) -> None:
        self._send(f"item{self.item}", duration)

    @rule(duration=st.integers(1, 500), done=st.booleans())
    def something_new(self, duration: int, done: bool) -> None:
        if done:
            self.playback.complete(f"item{self.item}")
            self._mark()
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
        self.late = True
        for name in self.echoes:
            self.playback.marked(name, self.now)
        self.echoes.clear()

    @rule()
    def the_recipient_breaks_in(self) -> None:
        for cut in self.playback.interrupted(self.now):
            # A mark that comes late makes us believe that less was heard, never more.
            heard = self.heard.get(cut.item_id, 0)
            assert 0 <= cut.heard_ms <= heard <= self.sent[cut.item_id]
            assert self.late or cut.heard_ms >= heard - 1
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
