"""Unit: who has answered, decided from any evidence in any order."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.models import AnswerState
from opendeep_app.voice import answering
from opendeep_app.voice.announcements import machine
from opendeep_app.voice.answering import MOVES, Answering, CarrierGuess
from opendeep_app.voice.listening import Sound

ROOT = Path(__file__).parents[2]

VOICEMAIL = "Hi, you have reached Ada. Please leave a message after the tone."
ANNOUNCEMENTS = {
    AnswerState.VOICEMAIL: [
        VOICEMAIL,
        "We can't take your call right now.",
        "Guten Tag, bitte hinterlassen Sie eine Nachricht nach dem Signalton.",
        "Bonjour, laissez un message après le bip.",
        "Deje su mensaje después de la señal.",
        "Lasciate un messaggio dopo il segnale acustico.",
        "Spreek een bericht in na de piep.",
        "Deixe a sua mensagem após o sinal.",
        "Zostaw wiadomość po sygnale.",
    ],
    AnswerState.MAILBOX_FULL: [
        "The mailbox is full and cannot accept any messages at this time.",
        "Die Mailbox ist leider voll.",
        "La messagerie de votre correspondant est pleine.",
        "El buzón de voz está lleno.",
    ],
    AnswerState.SCREENING: [
        "Please say your name and why you are calling.",
        "Hi, if you record your name and reason for calling, I'll see if this person is available.",
        "Nennen Sie bitte Ihren Namen und den Grund Ihres Anrufs.",
    ],
    AnswerState.MENU: [
        "For appointments, press 1.",
        "Press zero to speak to an operator.",
        "Für Termine drücken Sie die 1.",
        "Pour un rendez-vous, tapez 1.",
        "Para citas, pulse 1.",
    ],
    AnswerState.HOLD: [
        "Your call is important to us.",
        "One moment please, I am putting you on hold.",
        "All of our agents are busy. Please stay on the line.",
        "Bitte bleiben Sie in der Leitung.",
        "Veuillez patienter.",
    ],
}
PEOPLE = [
    "Hello?",
    "Bright Dental, how can I help you?",
    "Yes, go ahead.",
    "Who is this?",
    "Hold on, who is calling?",
    "I can leave a note for the doctor if you like.",
    "Sure, take your time.",
    "The line is very bad today.",
    "Guten Tag, Praxis Schmidt.",
    "You may call again tomorrow, we open at nine.",
]


@pytest.mark.parametrize(
    ("state", "words"), [(state, words) for state, each in ANNOUNCEMENTS.items() for words in each]
)
def test_machines_give_themselves_away(state: AnswerState, words: str) -> None:
    assert machine(words) is state


@pytest.mark.parametrize("words", PEOPLE)
def test_people_are_not_taken_for_machines(words: str) -> None:
    assert machine(words) is None


def is_(who: Answering, state: AnswerState | None) -> bool:
    return who.state is state


def said(who: Answering, words: str, at: float, seconds: float = 1.0) -> float:
    """An utterance that begins at a time; returns when its words are known."""
    who.speech_began(at)
    who.speech_stopped(at + seconds)
    who.words(words, at + seconds + 0.2)
    return at + seconds + 0.2


def test_a_person_who_answers_is_believed_at_once() -> None:
    for words in (
        "Hello?",
        "Yes?",
        "Maria speaking.",
        "Good morning, Bright Services, how may I help?",
    ):
        who = Answering(0.0)
        said(who, words, 0.5)
        assert is_(who, AnswerState.HUMAN), words


def test_a_statement_has_to_be_followed_by_a_pause() -> None:
    who = Answering(0.0)
    at = said(who, "Thank you for calling Bright Services.", 0.5, 2.0)
    assert is_(who, None)
    who.look(at + answering.PAUSE_SECONDS)
    assert is_(who, AnswerState.HUMAN)


def test_an_announcement_in_two_breaths_is_no_person() -> None:
    who = Answering(0.0)
    at = said(who, "Thank you for calling Bright Services.", 0.5, 2.0)
    said(who, "For appointments, press 1.", at + 0.5, 2.0)
    assert is_(who, AnswerState.MENU)


def test_words_that_never_come_leave_the_length_to_decide() -> None:
    short, long = Answering(0.0), Answering(0.0)
    for who, seconds in ((short, 1.0), (long, 8.0)):
        who.speech_began(0.0)
        who.speech_stopped(seconds)
        who.look(seconds + answering.WORDS_SECONDS)
    assert is_(short, AnswerState.HUMAN)
    assert is_(long, None)
    long.look(8.0 + answering.WORDS_SECONDS + answering.DOUBT_SECONDS)
    assert is_(long, AnswerState.HUMAN)


def test_a_noise_is_nobody() -> None:
    who = Answering(0.0)
    at = said(who, "", 1.0)
    assert is_(who, None)
    who.look(at + answering.QUIET_SECONDS)
    assert is_(who, AnswerState.SILENCE)


def test_silence_is_noticed_and_ended_by_a_voice() -> None:
    who = Answering(0.0)
    assert who.due == answering.QUIET_SECONDS
    who.look(answering.QUIET_SECONDS)
    assert is_(who, AnswerState.SILENCE)
    said(who, "Hello?", 9.0)
    assert is_(who, AnswerState.HUMAN)


def test_the_carriers_guess_waits_for_something_better() -> None:
    menu, voicemail, person = Answering(0.0), Answering(0.0), Answering(0.0)
    for who in (menu, voicemail, person):
        who.speech_began(0.5)
        who.carrier_says(CarrierGuess.MACHINE_START, 4.0)
        who.speech_stopped(5.0)
    menu.words("For appointments, press 1.", 5.2)
    person.words("Good morning, this is Maria at Bright Dental, how can I help?", 5.2)
    voicemail.look(4.0 + answering.DOUBT_SECONDS)
    assert is_(menu, AnswerState.MENU)
    assert is_(person, AnswerState.HUMAN)
    assert is_(voicemail, AnswerState.VOICEMAIL) and not voicemail.recording


def test_the_carrier_does_not_overrule_a_conversation() -> None:
    who = Answering(0.0)
    said(who, "Hello?", 0.5)
    who.carrier_says(CarrierGuess.MACHINE_START, 4.0)
    who.carrier_says(CarrierGuess.MACHINE_END_BEEP, 5.0)
    who.look(60.0)
    assert is_(who, AnswerState.HUMAN)
    menu = Answering(0.0)
    said(menu, "For appointments, press 1.", 0.5)
    menu.carrier_says(CarrierGuess.HUMAN, 4.0)
    assert is_(menu, AnswerState.MENU)


def test_the_carrier_can_tell_a_person_from_their_breath() -> None:
    who = Answering(0.0)
    who.carrier_says(CarrierGuess.HUMAN, 1.0)
    assert is_(who, None)
    who.look(1.0 + answering.DOUBT_SECONDS)
    assert is_(who, AnswerState.HUMAN)


def test_a_menu_that_the_carrier_takes_for_a_person_is_still_a_menu() -> None:
    who = Answering(0.0)
    who.carrier_says(CarrierGuess.HUMAN, 1.0)
    said(who, "For appointments, press 1.", 1.5, 4.0)
    assert is_(who, AnswerState.MENU)


@pytest.mark.parametrize("guess", sorted(answering.GREETING_OVER))
def test_the_carrier_hears_the_end_of_the_greeting(guess: CarrierGuess) -> None:
    who = Answering(0.0)
    said(who, VOICEMAIL, 0.5, 5.0)
    assert not who.recording
    who.carrier_says(guess, 6.0)
    assert is_(who, AnswerState.VOICEMAIL) and who.recording


def test_a_beep_makes_a_voicemail_if_somebody_spoke_before() -> None:
    beep_only, greeted = Answering(0.0), Answering(0.0)
    beep_only.sounds_like(Sound.BEEP, 0.5)
    assert is_(beep_only, None)
    said(greeted, "", 0.5, 6.0)
    greeted.sounds_like(Sound.BEEP, 7.0)
    assert is_(greeted, AnswerState.VOICEMAIL) and greeted.recording


def test_a_beep_in_a_conversation_is_nothing() -> None:
    who = Answering(0.0)
    said(who, "Hello?", 0.5)
    who.sounds_like(Sound.BEEP, 5.0)
    assert is_(who, AnswerState.HUMAN) and not who.recording


def test_a_fax_is_told_from_a_person() -> None:
    fax, person = Answering(0.0), Answering(0.0)
    fax.sounds_like(Sound.FAX, 1.0)
    said(person, "Hello?", 0.5)
    person.sounds_like(Sound.FAX, 3.0)
    assert fax.fax and not person.fax


def test_who_comes_back_from_hold_is_the_one_who_went() -> None:
    who = Answering(0.0)
    at = said(who, "Hello?", 0.5)
    at = said(who, "One moment please, I am putting you on hold.", at + 3.0)
    assert is_(who, AnswerState.HOLD)
    at = said(who, "Your call is important to us.", at + 20.0)
    assert is_(who, AnswerState.HOLD)
    said(who, "Thank you, that works.", at + 20.0)
    assert is_(who, AnswerState.HUMAN)


def test_who_puts_through_to_a_voicemail_is_followed() -> None:
    who = Answering(0.0)
    at = said(who, "Bright Dental, how can I help?", 0.5)
    at = said(who, "Can you leave a message after the tone?", at + 3)
    assert is_(who, AnswerState.HUMAN), "a question is a person's"
    said(who, VOICEMAIL, at + 3, 4.0)
    assert is_(who, AnswerState.VOICEMAIL)


def test_a_full_mailbox_stays_full() -> None:
    who = Answering(0.0)
    at = said(who, VOICEMAIL, 0.5, 4.0)
    at = said(who, "The mailbox is full. Goodbye.", at)
    said(who, "Hello?", at)
    assert is_(who, AnswerState.MAILBOX_FULL)


def test_only_people_press_keys() -> None:
    who = Answering(0.0)
    said(who, "Please say your name and why you are calling.", 0.5, 4.0)
    who.key_pressed(6.0)
    assert is_(who, AnswerState.HUMAN)


WORDS = st.sampled_from(
    ["", *PEOPLE, *(words for each in ANNOUNCEMENTS.values() for words in each)]
)
EVIDENCE = st.one_of(
    st.tuples(st.just("carrier_says"), st.sampled_from(CarrierGuess)),
    st.tuples(st.just("sounds_like"), st.sampled_from(Sound)),
    st.tuples(st.just("words"), WORDS),
    st.tuples(
        st.sampled_from(["speech_began", "speech_stopped", "key_pressed", "look"]), st.none()
    ),
)


@given(st.lists(st.tuples(EVIDENCE, st.floats(0, 8)), max_size=40))
def test_any_evidence_moves_only_along_the_table(
    steps: list[tuple[tuple[str, object], float]],
) -> None:
    who, now = Answering(0.0), 0.0
    for (kind, what), pause in steps:
        now += pause
        before = who.state
        getattr(who, kind)(*([] if what is None else [what]), now)
        # One piece of evidence may follow a move that time had already made due.
        assert (
            who.state is before
            or who.state in MOVES[before]
            or any(who.state in MOVES[between] for between in MOVES[before])
        )
        assert not who.recording or who.state is not None
        assert who.due is None or who.due > now or who.state is None or kind != "look"
    if who.due is not None:
        who.look(who.due)
        assert who.due is None or who.due > now, "time would be looked at for ever"


def test_the_drawing_is_the_table() -> None:
    text = (ROOT / "docs" / "voice.md").read_text().partition("## Who answers")[2]
    drawn = set(re.findall(r"^    (\S+) --> ([A-Z_]+)$", text.partition("\n## ")[0], re.MULTILINE))
    names = {None: "[*]"} | {state: state.value for state in AnswerState}
    assert drawn == {(names[one], to.value) for one, others in MOVES.items() for to in others}
