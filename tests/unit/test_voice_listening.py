"""Unit: what the line sounds like, and what listening costs."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.practice import sound
from opendeep_app.voice import listening
from opendeep_app.voice.listening import FRAME, Ear, Sound


def tone(hertz: float, seconds: float, level: float = 3000.0) -> bytes:
    return chord((hertz,), seconds, level)


def chord(pitches: tuple[float, ...], seconds: float, level: float = 3000.0) -> bytes:
    return bytes(
        sound.to_mulaw(
            round(sum(level * math.sin(math.tau * hertz * n / 8000) for hertz in pitches))
        )
        for n in range(int(seconds * 8000))
    )


def heard(audio: bytes, piece: int = FRAME) -> set[Sound]:
    ear = Ear()
    return {one for at in range(0, len(audio), piece) for one in ear.feed(audio[at : at + piece])}


QUIET = sound.silence(300)
SPEECH = sound.spoken("Good morning, Bright Services, Maria speaking, how can I help you today?")


@pytest.mark.parametrize("hertz", [350, 425, 440, 850, 1000, 1400, 2000])
@pytest.mark.parametrize("seconds", [0.21, 0.4, 1.0, 2.0])
def test_a_beep_of_any_pitch_is_heard_at_its_end(hertz: float, seconds: float) -> None:
    ear = Ear()
    assert Sound.BEEP not in ear.feed(SPEECH + QUIET + tone(hertz, seconds))
    assert ear.feed(QUIET)[0] is Sound.BEEP


@pytest.mark.parametrize(
    "audio",
    [
        tone(1000, 0.1),
        tone(1000, 4.0),
        sound.dtmf("0123456789*#"),
        chord((350, 440), 2.0),
        chord((440, 480), 2.0),
        chord((480, 620), 0.5),
        SPEECH,
        sound.hold_music(9000),
    ],
    ids=["click", "endless", "keys", "dial tone", "ringback", "busy", "speech", "music"],
)
def test_nothing_else_is_a_beep(audio: bytes) -> None:
    assert Sound.BEEP not in heard(QUIET + audio + QUIET)


def test_a_fax_announces_itself() -> None:
    assert Sound.FAX in heard(tone(2100, 1.2))
    assert Sound.FAX not in heard(tone(2100, 0.8) + QUIET)
    assert Sound.FAX not in heard(tone(1100, 3.0))


def test_music_goes_on_and_voices_do_not() -> None:
    assert heard(sound.hold_music(8000)) == {Sound.MUSIC}
    assert heard(SPEECH + QUIET) == {Sound.VOICE}
    assert heard(chord((262, 330, 392), 8.0, 800)) == {Sound.MUSIC}


def test_a_voice_is_made_out_in_the_middle_of_music() -> None:
    ear = Ear()
    ear.feed(sound.hold_music(8000))
    assert Sound.VOICE in ear.feed(SPEECH[: FRAME * 60])


def test_a_noisy_line_is_neither() -> None:
    chance = random.Random(1)
    noise = bytes(sound.to_mulaw(round(chance.gauss(0, 60))) for _ in range(64_000))
    assert not heard(noise)
    assert not heard(sound.silence(8000))


@pytest.mark.parametrize("piece", [1, 7, 160, 333, 4000])
def test_the_size_of_the_pieces_does_not_matter(piece: int) -> None:
    audio = SPEECH + QUIET + tone(1000, 0.4) + QUIET + sound.hold_music(6000)
    assert heard(audio, piece) == heard(audio)


@given(st.binary(max_size=4000))
def test_any_bytes_are_listened_to(audio: bytes) -> None:
    Ear().feed(audio)


def test_both_tables_agree_about_loudness() -> None:
    for amplitude in (0, 100, 1000, 10_000, 32_000):
        code = sound.to_mulaw(amplitude)
        assert math.sqrt(listening.energy(bytes([code] * 160))) == pytest.approx(
            amplitude, rel=0.05, abs=8
        )
