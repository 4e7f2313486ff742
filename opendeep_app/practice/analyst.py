"""The practice text model's reading of a call's transcript, by the rules of `understanding`.

It gets what the real model would get, the text of the request, and knows nothing else.
"""

import re
from dataclasses import dataclass
from typing import Any

from opendeep_app.practice.understanding import (
    Kind,
    kind_of,
    kind_of_turn,
    question_in,
    sentences,
    when_in,
)

_LINE = re.compile(r"^\s*\[(\d+)\] (agent|recipient|system): (.*)$", re.MULTILINE)
_ANSWER_GIVEN = re.compile(
    r"\bat\b|\bon\b|\d|o'clock|\b(mon|tues|wednes|thurs|fri|satur|sun)day\b", re.IGNORECASE
)

_OUTCOMES: tuple[tuple[Kind, str], ...] = (
    (Kind.DO_NOT_CALL, "do_not_call"),
    (Kind.WRONG_NUMBER, "wrong_number"),
    (Kind.VOICEMAIL, "voicemail"),
    (Kind.REFUSAL, "declined"),
    (Kind.CALL_LATER, "callback_requested"),
)
_SUMMARIES = {
    "goal_met": "The recipient agreed: “{quote}”",
    "do_not_call": "The recipient asked not to be called again: “{quote}”",
    "wrong_number": "It was the wrong number: “{quote}”",
    "voicemail": "A voicemail answered.",
    "declined": "The recipient declined: “{quote}”",
    "callback_requested": "The recipient asked to be called again {when}.",
    "hung_up_early": "The recipient hung up before anything was settled.",
    "not_met": "The call ended without what was asked for.",
    "inconclusive": "Nothing was said that settles it.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript."""

    number: int
    speaker: str
    text: str


def is_transcript(text: str) -> bool:
    """Whether a request's text holds a call's transcript."""
    return _LINE.search(text) is not None or "<transcript>" in text


def analyse(text: str) -> dict[str, Any]:
    """Everything that can be said of the transcript, by field name."""
    lines = [Line(int(number), speaker, words) for number, speaker, words in _LINE.findall(text)]
    theirs = [line for line in lines if line.speaker == "recipient" and line.text.strip()]
    outcome, proof = _outcome(lines, theirs)
    later = next(
        (line for line in reversed(theirs) if kind_of_turn(line.text) is Kind.CALL_LATER), None
    )
    when = (when_in(later.text) or "later") if later else None
    summary = _SUMMARIES[outcome].format(quote=proof.text if proof else "", when=when)
    return {
        "outcome": outcome,
        "goal_met": outcome == "goal_met",
        "summary": summary,
        "answers": _answers(lines, proof if outcome == "goal_met" else None),
        "do_not_call": outcome == "do_not_call",
        "callback_when": when,
        "callback_quote": later.text if later else None,
    }


def _outcome(lines: list[Line], theirs: list[Line]) -> tuple[str, Line | None]:
    for kind, outcome in _OUTCOMES:
        for line in reversed(theirs):
            if kind_of_turn(line.text) is kind:
                return outcome, line
    spoken = [line for line in lines if line.speaker == "agent"]
    first = spoken[0].number if spoken else 0
    for line in reversed(theirs):
        if kind_of_turn(line.text) is Kind.AGREEMENT and spoken and line.number > first:
            return "goal_met", line
    said_goodbye = any(
        kind_of(part) is Kind.GOODBYE for line in spoken for part in sentences(line.text)
    )
    if not spoken:
        return "inconclusive", None
    return ("not_met" if said_goodbye else "hung_up_early"), None


def _answers(lines: list[Line], agreement: Line | None) -> list[dict[str, Any]]:
    """What the recipient answered to the agent's questions, and what they agreed to."""
    answers = []
    question = ""
    for line in lines:
        if line.speaker == "agent":
            asked = question_in(line.text)
            question = asked if kind_of(asked) is Kind.QUESTION else ""
        elif line.speaker == "recipient":
            if (
                question
                and kind_of_turn(line.text) is Kind.STATEMENT
                and _ANSWER_GIVEN.search(line.text)
            ):
                answers.append(_claim(question.rstrip("?"), line.text, line))
            question = ""
    if agreement:
        answers.append(_claim("agreed", "yes", agreement))
    return answers


def _claim(field: str, value: str, line: Line) -> dict[str, Any]:
    return {"field": field, "value": value, "quote": line.text, "line": line.number}
