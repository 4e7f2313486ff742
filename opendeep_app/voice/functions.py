"""What the agent can do besides talking: its functions, their arguments, and how they are declared."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Arguments(BaseModel):
    """Base of all arguments: what is not declared is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class RequestUserInfo(Arguments):
    """Ask the person on whose behalf you call for something you do not know. Say first that you
    will check; go on talking with the recipient while you wait. Never guess the answer."""

    question: str = Field(min_length=1, max_length=1000, description="The question, in full.")
    timeout_seconds: float = Field(
        default=10, ge=1, le=600, description="How long the recipient can wait at least."
    )
    recipient_message: str = Field(
        default="",
        max_length=1000,
        description="What to tell the recipient if no answer comes in time.",
    )
    suggestions: list[str] = Field(
        default_factory=list, max_length=6, description="Likely answers, a few words each."
    )


class Outcome(StrEnum):
    """How the agent thinks the call went; the analysis has the last word."""

    GOAL_MET = "goal_met"
    NOT_MET = "not_met"
    DECLINED = "declined"
    CALLBACK_REQUESTED = "callback_requested"
    DO_NOT_CALL = "do_not_call"
    WRONG_NUMBER = "wrong_number"
    VOICEMAIL = "voicemail"
    INCONCLUSIVE = "inconclusive"


class EndCall(Arguments):
    """Hang up. Say goodbye first; the line is cut after your goodbye was heard."""

    reason: str = Field(min_length=1, max_length=500, description="Why the call ends.")
    outcome: Outcome = Field(description="How it went.")


class SendDtmf(Arguments):
    """Press keys in a phone menu."""

    digits: str = Field(
        pattern=r"^[0-9*#w]{1,32}$", description="0-9, * and #; w waits half a second."
    )


class RescheduleCall(Arguments):
    """The recipient wants to be called at another time. Repeat the time to them, then end the call."""

    when: str = Field(
        min_length=1, max_length=200, description="When, in their words or as ISO 8601."
    )
    reason: str = Field(default="", max_length=500, description="Why, in their words.")


class RecordAnswer(Arguments):
    """Note an answer to something you were asked to find out. Correct it by noting it again."""

    field: str = Field(min_length=1, max_length=80, description="What it answers, as listed.")
    value: str = Field(min_length=1, max_length=2000, description="The answer, in short.")
    quote: str = Field(
        min_length=1, max_length=1000, description="The recipient's own words, copied exactly."
    )


class DoNotCall(Arguments):
    """The recipient asks never to be called again. Apologise and promise it; then say goodbye and
    call end_call. No further call will ever be made to them."""

    reason: str = Field(min_length=1, max_length=500, description="What they said.")


FUNCTIONS: dict[str, type[Arguments]] = {
    "request_user_info": RequestUserInfo,
    "end_call": EndCall,
    "send_dtmf": SendDtmf,
    "reschedule_call": RescheduleCall,
    "record_answer": RecordAnswer,
    "do_not_call": DoNotCall,
}


class BadArguments(ValueError):
    """The model's arguments are unusable; the text tells the model what to change."""


def parse(name: str, arguments: str) -> Arguments:
    """The arguments of a call that the model made; raises `BadArguments`."""
    kind = FUNCTIONS.get(name)
    if kind is None:
        raise BadArguments(f"There is no function {name}. Use one of: {', '.join(FUNCTIONS)}.")
    try:
        return kind.model_validate_json(arguments or "{}")
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'arguments'}: {problem['msg']}"
            for problem in error.errors()[:3]
        )
        raise BadArguments(f"Call {name} again with other arguments. {problems}") from None


def declarations(fields: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The functions as the Realtime API wants them declared.

    `fields` names what the task asks to find out; without any, there is nothing to record.
    """
    declared = {
        name: _schema(kind)
        for name, kind in FUNCTIONS.items()
        if fields or kind is not RecordAnswer
    }
    if fields:
        declared["record_answer"]["properties"]["field"]["enum"] = list(fields)
    return [
        {
            "type": "function",
            "name": name,
            "description": " ".join((FUNCTIONS[name].__doc__ or "").split()),
            "parameters": schema,
        }
        for name, schema in declared.items()
    ]


def _schema(kind: type[Arguments]) -> dict[str, Any]:
    schema = kind.model_json_schema()
    definitions = schema.pop("$defs", {})
    properties = {
        name: _inlined(value, definitions) for name, value in schema["properties"].items()
    }
    return {
        "type": "object",
        "properties": properties,
        "required": schema.get("required", []),
        "additionalProperties": False,
    }


def _inlined(value: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    reference = value.pop("$ref", "").rpartition("/")[2]
    merged = {**definitions.get(reference, {}), **value}
    merged.pop("title", None)
    return merged
