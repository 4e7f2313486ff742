"""When two questions ask for the same."""

import pytest

from opendeep_app.services.facts import meaning


@pytest.mark.parametrize(
    "question",
    [
        "What is your date of birth?",
        "what's the date of birth",
        "Could you please tell me your DATE of birth?",
        "Date of birth?",
        "What is the user's date of birth ?",
    ],
)
def test_the_manner_of_asking_does_not_count(question: str) -> None:
    assert meaning(question) == meaning("What is your date of birth?")


@pytest.mark.parametrize(
    "question",
    [
        "What is your wife's date of birth?",
        "What is her date of birth?",
        "What is your place of birth?",
        "Which date?",
        "What is your date of birth and name?",
        "",
    ],
)
def test_what_is_asked_for_counts(question: str) -> None:
    assert meaning(question) != meaning("What is your date of birth?")


def test_a_question_of_filler_words_alone_keeps_them() -> None:
    assert meaning("Who are you?") == meaning("who are you")
    assert meaning("What is it?") != meaning("What do you have?") != meaning("")
