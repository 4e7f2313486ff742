"""A model's slip must not become a person's fact: claims are checked against the transcript."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.models import CallOutcome, Speaker, TranscriptLine
from opendeep_app.models.call_analysis import CallAnalysis, ExtractedAnswer, Verdict
from opendeep_app.services.analysis import OUTCOMES, prove, verdict

NOON = datetime(2026, 6, 16, 16, tzinfo=UTC)

TRANSCRIPT = [
    (Speaker.AGENT, "Hello, do you have a table for four tonight?"),
    (Speaker.RECIPIENT, "Yes, at half past seven."),
    (Speaker.SYSTEM, "The code word is swordfish."),
    (Speaker.AGENT, "Half past seven, wonderful."),
    (Speaker.RECIPIENT, "Call after nine, please. Goodbye."),
    (Speaker.RECIPIENT, "Goodbye."),
]
LINES = [
    TranscriptLine(call_id="call", sequence=number, speaker=speaker, text=text, created_at=NOON)
    for number, (speaker, text) in enumerate(TRANSCRIPT, start=1)
]


def analysis(
    *answers: ExtractedAnswer,
    outcome: Verdict = Verdict.GOAL_MET,
    goal_met: bool = True,
    do_not_call: bool = False,
    callback: tuple[str, str | None] | None = None,
) -> CallAnalysis:
    return CallAnalysis(
        outcome=outcome,
        goal_met=goal_met,
        summary="They have a table.",
        answers=list(answers),
        do_not_call=do_not_call,
        callback_when=callback[0] if callback else None,
        callback_quote=callback[1] if callback else None,
    )


def answer(quote: str, line: int) -> ExtractedAnswer:
    return ExtractedAnswer(field="time", value="19:30", quote=quote, line=line)


@pytest.mark.parametrize(
    ("quote", "line", "proven_line"),
    [
        ("at half past seven", 2, 2),
        ("AT  half past\nseven!", 2, 2),
        ("“half past seven”", 4, 4),
        ("Yes, at half past seven.", 6, 2),  # said, but elsewhere
        ("at half past seven", 99, 2),
        ("half past seven", 99, None),  # said twice, so which line is unclear
        ("goodbye", 1, None),
        ("at half past eight", 2, None),
        ("swordfish", 3, None),  # not said by anybody on the call
        ("", 2, None),
        ("…!?", 2, None),
    ],
)
def test_an_answer_stands_only_on_words_that_were_said(
    quote: str, line: int, proven_line: int | None
) -> None:
    proven = prove(analysis(answer(quote, line)), LINES).answers
    assert [kept.line for kept in proven] == ([] if proven_line is None else [proven_line])


@given(st.text(max_size=40), st.integers(-5, 50))
def test_whatever_is_kept_was_said(quote: str, line: int) -> None:
    for kept in prove(analysis(answer(quote, line)), LINES).answers:
        assert 1 <= kept.line <= len(LINES)
        assert LINES[kept.line - 1].speaker is not Speaker.SYSTEM


def test_nothing_said_proves_nothing() -> None:
    assert prove(analysis(answer("yes", 1)), []).answers == []


@pytest.mark.parametrize(
    ("callback", "kept"),
    [
        (("after nine", "Call after nine, please"), "after nine"),
        (("after nine", "call me tomorrow after nine"), None),
        (("after nine", None), None),
        (("after nine", ""), None),
        (None, None),
    ],
)
def test_a_time_to_call_again_must_have_been_asked_for(
    callback: tuple[str, str | None] | None, kept: str | None
) -> None:
    assert prove(analysis(callback=callback), LINES).callback_when == kept


def test_only_the_recipient_can_ask_for_another_time() -> None:
    invented = ("half past seven", "half past seven, wonderful")
    assert prove(analysis(callback=invented), LINES).callback_when is None


@pytest.mark.parametrize("outcome", Verdict)
def test_every_verdict_has_an_outcome(outcome: Verdict) -> None:
    assert outcome in OUTCOMES


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (analysis(), CallOutcome.GOAL_MET),
        (analysis(outcome=Verdict.NOT_MET, goal_met=True), CallOutcome.GOAL_MET),
        (analysis(outcome=Verdict.GOAL_MET, goal_met=False), CallOutcome.INCONCLUSIVE),
        (analysis(outcome=Verdict.DECLINED, goal_met=False), CallOutcome.DECLINED),
        (analysis(outcome=Verdict.DO_NOT_CALL, goal_met=False), CallOutcome.DO_NOT_CALL),
        (analysis(do_not_call=True), CallOutcome.GOAL_MET),
        (analysis(goal_met=False, do_not_call=True), CallOutcome.DO_NOT_CALL),
        (None, CallOutcome.INCONCLUSIVE),
    ],
)
def test_contradictions_are_settled_by_the_goal(
    found: CallAnalysis | None, outcome: CallOutcome
) -> None:
    assert verdict(found) is outcome
