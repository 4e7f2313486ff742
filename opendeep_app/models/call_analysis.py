"""What the analysis of a call says: the structured output asked of the language model."""

from enum import StrEnum

from pydantic import BaseModel, Field


class Verdict(StrEnum):
    """How an answered call went, in the analyst's words."""

    GOAL_MET = "goal_met"
    NOT_MET = "not_met"
    VOICEMAIL = "voicemail"
    HUNG_UP_EARLY = "hung_up_early"
    DECLINED = "declined"
    CALLBACK_REQUESTED = "callback_requested"
    DO_NOT_CALL = "do_not_call"
    WRONG_NUMBER = "wrong_number"
    INCONCLUSIVE = "inconclusive"


class ExtractedAnswer(BaseModel):
    """A fact learnt on the call and the transcript line that proves it."""

    field: str = Field(description="What was learnt, in two or three words.")
    value: str = Field(description="The fact itself.")
    quote: str = Field(description="The words it was said in, copied exactly.")
    line: int = Field(description="The number of the transcript line with the quote.")


class CallAnalysis(BaseModel):
    """The structured output asked of the language model."""

    outcome: Verdict
    goal_met: bool
    summary: str = Field(description="Two or three plain sentences for the person who delegated.")
    answers: list[ExtractedAnswer]
    do_not_call: bool = Field(description="Did the recipient ask never to be called again?")
    callback_when: str | None = Field(description="When they asked to be called instead, if so.")
    callback_quote: str | None = Field(description="The words in which they asked for it.")
