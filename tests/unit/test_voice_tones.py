"""Unit: keys as sound, and the menu that hears them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.practice import sound
from opendeep_app.practice.keypad import Keypad
from opendeep_app.voice import tones

DIGITS = st.text(alphabet=[*tones.KEYS, "w"], min_size=1, max_size=12)


def heard(audio: bytes, piece: int = sound.FRAME) -> str:
    keypad = Keypad()
    return "".join(keypad.feed(audio[at : at + piece]) for at in range(0, len(audio), piece))


@given(DIGITS, st.integers(1, 2000))
def test_all_keys_are_recognised_in_order(digits: str, piece: int) -> None:
    audio = sound.silence(50) + base64.b64decode(tones.keys(digits))
    assert heard(audio, piece) == digits.replace("w", "")


def test_each_key_lasts_as_long_as_menus_need() -> None:
    one = len(base64.b64decode(tones.keys("1"))) / 8
    waited = len(base64.b64decode(tones.keys("w1"))) / 8
    assert one == tones.TONE_MS + tones.GAP_MS
    assert waited - one == tones.WAIT_MS


@pytest.mark.parametrize(
    "audio",
    [
        sound.beep(),
        sound.hold_music(4000),
        sound.spoken("For appointments, press 1. For billing, press 2."),
        sound.silence(500),
    ],
    ids=["beep", "music", "speech", "silence"],
)
def test_nothing_else_is_a_key(audio: bytes) -> None:
    assert heard(audio) == ""
