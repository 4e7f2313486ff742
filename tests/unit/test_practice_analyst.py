"""Unit: the practice analysis reads a transcript, and only that."""

import pytest

from opendeep_app.practice.analyst import analyse


def transcript(*lines: str) -> str:
    numbered = "\n".join(f"[{number}] {line}" for number, line in enumerate(lines, 1))
    return f"<goal>Move the appointment</goal>\n<transcript>\n{numbered}\n</transcript>"


HELLO = "agent: Hello, I am calling for Ada."


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ((HELLO, "recipient: Sure, that works. You're all set.", "agent: Goodbye."), "goal_met"),
        ((HELLO, "recipient: No, thank you.", "agent: Goodbye."), "declined"),
        ((HELLO, "recipient: Please never call again.", "agent: Goodbye."), "do_not_call"),
        ((HELLO, "recipient: You have the wrong number."), "wrong_number"),
        (("recipient: Please leave a message after the tone.", HELLO), "voicemail"),
        ((HELLO, "recipient: Which day?", "agent: I'm sorry. Goodbye."), "not_met"),
        ((HELLO, "recipient: Well, the thing is"), "hung_up_early"),
        ((HELLO, "system: The recipient hung up."), "hung_up_early"),
        (("system: Nobody spoke.",), "inconclusive"),
        (("recipient: Sure, of course.",), "inconclusive"),
    ],
)
def test_outcomes(lines: tuple[str, ...], outcome: str) -> None:
    found = analyse(transcript(*lines))
    assert found["outcome"] == outcome
    assert found["goal_met"] is (outcome == "goal_met")
    assert found["do_not_call"] is (outcome == "do_not_call")


def test_when_to_call_again_in_the_recipients_words() -> None:
    found = analyse(transcript(HELLO, "recipient: Could you call after nine tomorrow?"))
    assert found["callback_when"] == "after nine tomorrow"
    assert found["callback_quote"] == "Could you call after nine tomorrow?"


def test_answers_point_at_the_line_that_proves_them() -> None:
    found = analyse(
        transcript(
            HELLO,
            "agent: When would it be?",
            "recipient: Tuesday the 3rd at nine.",
            "recipient: Sure, that is booked.",
        )
    )
    assert [(answer["quote"], answer["line"]) for answer in found["answers"]] == [
        ("Tuesday the 3rd at nine.", 3),
        ("Sure, that is booked.", 4),
    ]
