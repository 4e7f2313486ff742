"""Unit: words survive the modem whole or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.practice import modem, sound
from opendeep_app.practice.modem import Decoded, Demodulator

texts = st.text(min_size=1, max_size=120)


def hear(*pieces: bytes) -> list[str | None]:
    demodulator = Demodulator()
    return [burst.text for piece in pieces for burst in demodulator.feed(piece)]


@given(st.lists(texts, min_size=1, max_size=4), st.data())
def test_every_utterance_arrives_however_the_audio_is_cut(
    said: list[str], data: st.DataObject
) -> None:
    audio = b"".join(sound.silence(40) + sound.spoken(text) for text in said)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(audio)), max_size=12)))
    pieces = [audio[a:b] for a, b in zip([0, *cuts], [*cuts, len(audio)], strict=True)]
    assert hear(*pieces) == said


@given(texts, st.data())
def test_a_lost_sample_loses_the_utterance(text: str, data: st.DataObject) -> None:
    burst = modem.encode(text)
    where = data.draw(st.integers(0, len(burst) - 1))
    heard = hear(burst[:where] + burst[where + 1 :], sound.silence(2000))
    assert text not in heard


@given(texts, st.data())
def test_an_altered_sample_loses_the_utterance(text: str, data: st.DataObject) -> None:
    burst = bytearray(modem.encode(text))
    where = data.draw(st.integers(0, len(burst) - 1))
    burst[where] = data.draw(st.integers(0, 255).filter(lambda code: code != burst[where]))
    assert text not in hear(bytes(burst), sound.silence(2000))


@given(st.text(min_size=80, max_size=200), st.data())
def test_swapped_frames_lose_the_utterance(text: str, data: st.DataObject) -> None:
    burst = modem.encode(text)
    frames = [burst[at : at + sound.FRAME] for at in range(0, len(burst), sound.FRAME)]
    first = data.draw(st.integers(0, len(frames) - 2))
    if frames[first] == frames[first + 1]:
        return
    frames[first], frames[first + 1] = frames[first + 1], frames[first]
    assert text not in hear(b"".join(frames), sound.silence(2000))


def test_what_follows_a_damaged_utterance_is_heard() -> None:
    damaged = sound.spoken("This one is lost.")
    audio = damaged[:100] + damaged[101:] + sound.silence(700) + sound.spoken("This one is not.")
    assert hear(audio) == [None, "This one is not."]


def test_an_utterance_cut_off_in_its_burst_is_lost() -> None:
    audio = modem.encode("Nobody hears the end")[:400] + sound.spoken("Go on.")
    assert hear(audio) == [None, "Go on."]


def test_too_long_an_utterance_is_refused() -> None:
    with pytest.raises(ValueError, match="4000"):
        modem.encode("x" * 4001)


def test_no_sound_uses_the_codes_of_the_modem() -> None:
    burst = modem.encode("x" * 100)
    babble = sound.spoken("x" * 100)[len(burst) :]
    audible = babble + sound.beep() + sound.dtmf("0123456789*#ABCD") + sound.hold_music(2000)
    assert not set(audible) & (set(modem.PREAMBLE) | set(modem.NIBBLES))
    assert Demodulator().feed(audible) == []


def test_a_burst_says_nothing_before_it_is_complete() -> None:
    demodulator = Demodulator()
    burst = modem.encode("Hello")
    assert demodulator.feed(burst[:-1]) == []
    assert demodulator.feed(burst[-1:]) == [Decoded("Hello")]
