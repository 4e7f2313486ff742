"""Unit: the ear tells turns of speech from silence, music and noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.practice import sound
from opendeep_app.practice.sound import Ear, SpeechStarted, SpeechStopped


def test_a_turn_begins_with_the_voice_and_ends_with_the_pause() -> None:
    audio = sound.silence(300) + sound.spoken("Hello there") + sound.silence(520)
    started, stopped = Ear(silence_ms=500).feed(audio)
    assert started == SpeechStarted(300)
    assert isinstance(stopped, SpeechStopped)
    assert (stopped.start_ms, stopped.text) == (300, "Hello there")
    assert stopped.end_ms >= 300 + 11 * sound.MS_PER_LETTER


@given(st.lists(st.integers(1, 700), max_size=30))
def test_the_size_of_the_pieces_does_not_matter(sizes: list[int]) -> None:
    audio = sound.silence(60) + sound.spoken("One.") + sound.silence(700) + sound.spoken("Two.")
    audio += sound.silence(700)
    ear, noticed = Ear(), []
    for size in sizes:
        noticed += ear.feed(audio[:size])
        audio = audio[size:]
    noticed += ear.feed(audio)
    assert [each.text for each in noticed if isinstance(each, SpeechStopped)] == ["One.", "Two."]


def test_sentences_without_a_pause_are_one_turn() -> None:
    ear = Ear()
    ear.feed(sound.spoken("One moment.") + sound.silence(100) + sound.spoken("Thank you."))
    stopped = ear.stop()
    assert stopped is not None
    assert stopped.text == "One moment. Thank you."


def test_music_is_no_speech_and_a_beep_is_no_words() -> None:
    assert Ear().feed(sound.hold_music(3000)) == []
    _, stopped = Ear().feed(sound.beep() + sound.silence(700))
    assert isinstance(stopped, SpeechStopped)
    assert stopped.text == ""


@pytest.mark.parametrize(("sample", "code"), [(0, 0xFF), (-1, 0x7F), (32767, 0x80), (-32768, 0x00)])
def test_mulaw_codes(sample: int, code: int) -> None:
    assert sound.to_mulaw(sample) == code
