"""Unit: numbers lead to people, and TwiML to verbs."""

import phonenumbers
import pytest

from opendeep_app.practice import twiml
from opendeep_app.practice.personas import PERSONAS, persona_of, personas
from opendeep_app.practice.recipient import is_answer
from opendeep_app.practice.scripts import Answers, Busy, NoAnswer


def test_every_suffix_but_our_own_belongs_to_exactly_one_persona() -> None:
    suffixes = sorted(suffix for persona in PERSONAS for suffix in persona.suffixes)
    assert suffixes == list(range(1, 100))


def test_sample_numbers_are_valid_and_lead_back() -> None:
    for persona in personas():
        assert phonenumbers.is_valid_number(phonenumbers.parse(persona.phone_number))
        assert persona_of(persona.phone_number) is persona
        assert persona_of(persona.phone_number.replace("+1202", "+1312")) is persona


def test_anyone_else_agrees() -> None:
    assert persona_of("+4930123456").behaviour == "answers and agrees"


def test_attempts_follow_one_another_and_the_last_repeats() -> None:
    persona = persona_of("+12025550120")
    assert [type(persona.attempt(number)) for number in (1, 2, 3, 4)] == [
        Busy,
        NoAnswer,
        Answers,
        Answers,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One moment, let me check.", False),
        ("Yes, I'm still here. I'm just checking that for you.", False),
        ("Thank you.", False),
        ("I'm sorry, I don't have that information right now. Goodbye.", False),
        ("Thank you for waiting. The answer is: 4 May 1980.", True),
        ("One moment, let me check. Thank you for waiting. It is the 4th of May.", True),
    ],
)
def test_people_tell_an_answer_from_small_talk(text: str, expected: bool) -> None:
    assert is_answer(text) is expected


def test_twiml_verbs() -> None:
    document = (
        '<Response><Play digits="ww1"/><Connect action="/after"><Stream url="wss://h/media">'
        '<Parameter name="token" value="abc"/></Stream></Connect><Hangup/></Response>'
    )
    assert twiml.parse(document) == [
        twiml.Play("ww1"),
        twiml.Stream("wss://h/media", {"token": "abc"}, "/after"),
        twiml.Hangup(),
    ]


@pytest.mark.parametrize("document", ["", "<Response>", "<Other/>", "<Response><Dial/></Response>"])
def test_other_documents_are_refused(document: str) -> None:
    with pytest.raises(twiml.InvalidTwimlError):
        twiml.parse(document)
