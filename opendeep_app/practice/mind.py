"""The practice model's mind: a competent voice agent made of rules.

`reply` is a pure function of what a model would be given: the session's instructions, its tools
and the conversation so far. It never sees a persona or a call.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opendeep_app.practice import functions, understanding
from opendeep_app.practice.brief import Brief
from opendeep_app.practice.turns import (
    Called,
    FunctionCall,
    Heard,
    Idle,
    Item,
    Reply,
    Returned,
    Said,
    Told,
)
from opendeep_app.practice.understanding import Kind, kind_of_turn, overlap, question_in, sentences

ONE_MOMENT = "One moment, let me check."
STILL_CHECKING = (
    "I'm still checking that for you.",
    "Thank you for your patience, I'm still checking.",
    "It takes a little longer, please bear with me.",
)
PLEASE_REPEAT = "Sorry, I didn't catch that. Could you say that again, please?"
CAN_YOU_HELP = "Could you help me with that?"
ANYBODY_THERE = "Hello, are you still there?"
WHICH_TIME = "On which day and at what time may we call again?"
ENDING = "I'm sorry, I have to end the call now. Goodbye."
NO_ANSWER = "I'm sorry, I don't have that information right now. We will call you again. Goodbye."
BEFORE_PURPOSE = frozenset({Kind.CALL_LATER, Kind.REFUSAL, Kind.REPEAT, Kind.HOLD, Kind.GOODBYE})
"""What is answered before the agent says why it calls."""
LONGEST_FUMBLE = 3
"""How often the agent asks again before it gives up."""

_PROHIBITION = re.compile(r"\b(do not|don't|never|without|unless|before)\b", re.IGNORECASE)
_GOODBYE = re.compile(r"goodbye|end_call|end the call|hang up|wrap up", re.IGNORECASE)
_ANSWER = re.compile(r"\banswer(?:ed|s)?\b[^:\n]*:\s*(.+)", re.IGNORECASE)
_QUOTED = re.compile(r"\bsay\b[^\"“\n]*[\"“](.+?)[\"”]\s*$", re.IGNORECASE | re.MULTILINE)
_OFFERED_WORDS = re.compile(r"\bthese words: (.+)", re.IGNORECASE)
_IN_TIME = re.compile(r"replied|answer|in time", re.IGNORECASE)
_NOTE = re.compile(r"<note>(.*?)</note>", re.DOTALL)
_WAITING = re.compile(r"still|check|wait|patien|moment|company", re.IGNORECASE)


def reply(
    instructions: str,
    tools: Mapping[str, functions.Schema],
    items: Sequence[Item],
    request: str = "",
) -> Reply:
    """The agent's next turn; empty when there is nothing to say.

    `request` holds the instructions of this one response, if it was asked for with any.
    """
    return _Thought(Brief(instructions), tools, items).reply(request)


@dataclass
class _Thought:
    brief: Brief
    tools: Mapping[str, functions.Schema]
    items: Sequence[Item]
    called: dict[str, Called] = field(init=False)

    def __post_init__(self) -> None:
        self.called = {item.call_id: item for item in self.items if isinstance(item, Called)}

    def reply(self, request: str) -> Reply:
        if any(call.name == "end_call" for call in self.called.values()):
            return Reply()
        if request:
            return self._told(request)
        match self._trigger():
            case Told(text) if self.introduced:
                return self._told(text)
            case Returned(call_id, output):
                return self._returned(call_id, output)
            case Idle() | Heard() if answer := self._undelivered():
                return self._deliver(answer)
            case Idle():
                return self._idle()
            case Heard():
                return self._heard(self._unanswered())
            case _ if not self.introduced:
                return Reply(self.brief.opening)
            case _:
                return Reply()

    def _trigger(self) -> Item | None:
        """What the turn answers: the last thing that was not the agent's own doing."""
        return next(
            (item for item in reversed(self.items) if not isinstance(item, Said | Called)), None
        )

    def _unanswered(self) -> str:
        """Everything the recipient said since the agent last finished a sentence or acted."""
        heard: list[str] = []
        for item in reversed(self.items):
            if isinstance(item, Called) or (isinstance(item, Said) and item.whole):
                break
            if isinstance(item, Heard):
                heard.append(item.text)
        return " ".join(text for text in reversed(heard) if text)

    @property
    def introduced(self) -> bool:
        return any(isinstance(item, Said) and item.whole for item in self.items)

    @property
    def explained(self) -> bool:
        """Whether the recipient has heard why the agent calls."""
        if not self.brief.purpose:
            return True
        return any(
            isinstance(item, Said) and item.whole and self.brief.goal in item.text
            for item in self.items
        )

    # The creator's answer

    def _open_question(self) -> Called | None:
        """The question to the creator that has no answer yet."""
        asked = [call for call in self.called.values() if call.name == "request_user_info"]
        if not asked:
            return None
        last = asked[-1]
        after = self.items[self.items.index(last) :]
        for item in after:
            if (
                isinstance(item, Returned)
                and item.call_id == last.call_id
                and functions.answer(item.output) is not None
            ):
                return None
            if isinstance(item, Told) and (
                _ANSWER.search(item.text) or _orders(item.text, _GOODBYE)
            ):
                return None
        return last

    def _undelivered(self) -> str | None:
        """An answer of the creator's that the recipient has not heard, because they spoke."""
        for item in reversed(self.items):
            if isinstance(item, Said) and item.whole:
                return None
            if isinstance(item, Returned):
                call = self.called.get(item.call_id)
                if call is not None and call.name == "request_user_info":
                    return functions.answer(item.output)
        return None

    def _deliver(self, answer: str) -> Reply:
        return Reply(f"Thank you for waiting. The answer is: {answer.strip().rstrip('.')}.")

    # One kind of trigger each

    def _told(self, text: str) -> Reply:
        if note := _NOTE.search(text):
            return Reply(f"One more thing: {note.group(1).strip().rstrip('.')}.")
        if quoted := _QUOTED.search(text):
            return Reply(quoted.group(1))
        if _orders(text, _GOODBYE):
            return self._part(text)
        if answer := _ANSWER.search(text):
            return self._deliver(answer.group(1).strip('"“” '))
        if not self.introduced:
            return Reply(self.brief.opening)
        return Reply(self._still_checking() if _WAITING.search(text) else CAN_YOU_HELP)

    def _part(self, text: str) -> Reply:
        """The goodbye that a system message asks for, in the words it offers if it does."""
        unanswered = _IN_TIME.search(text) is not None
        offered = _OFFERED_WORDS.search(text)
        words = offered.group(1).strip() if offered else NO_ANSWER if unanswered else ENDING
        speech = words if _GOODBYE.search(words) else f"{words} Goodbye."
        reason = "The question was not answered in time" if unanswered else "The call had to end"
        return self._end(speech, reason, "not_met")

    def _still_checking(self) -> str:
        said = sum(isinstance(item, Said) and item.text in STILL_CHECKING for item in self.items)
        return STILL_CHECKING[said % len(STILL_CHECKING)]

    def _returned(self, call_id: str, output: str) -> Reply:
        call = self.called.get(call_id)
        match call.name if call else "":
            case "request_user_info":
                answer = functions.answer(output)
                if answer:
                    return self._deliver(answer)
                if answer == "":
                    return self._end(NO_ANSWER, "The question was not answered in time", "not_met")
            case "reschedule_call" if functions.failed(output):
                return Reply(WHICH_TIME)
            case "reschedule_call":
                return self._end("", "The recipient asked to be called later", "callback_requested")
            case "do_not_call":
                return self._end("", "The recipient asked not to be called again", "do_not_call")
        return Reply()

    def _idle(self) -> Reply:
        if self._open_question():
            return Reply(self._still_checking())
        if sum(isinstance(item, Idle) for item in self.items) > LONGEST_FUMBLE:
            return self._end(
                "I can't hear you, so I will end the call. Goodbye.", "Nobody spoke", "inconclusive"
            )
        return Reply(ANYBODY_THERE if self.introduced else self.brief.opening)

    def _heard(self, text: str) -> Reply:
        kind = kind_of_turn(text)
        match kind:
            case Kind.NOTHING:
                return self._fumble(PLEASE_REPEAT)
            case Kind.DO_NOT_CALL:
                return self._never_again(text)
            case Kind.WRONG_NUMBER:
                return self._end("I'm sorry for the mistake. Goodbye.", text, "wrong_number")
            case Kind.VOICEMAIL:
                return self._voicemail(text)
            case Kind.MENU:
                return self._menu(text)
            case Kind.SCREENING | Kind.IDENTITY | Kind.PURPOSE:
                return Reply(self.brief.introduction[0].upper() + self.brief.introduction[1:])
            case _ if not self.introduced:
                return Reply(self.brief.opening)
            case _ if not self.explained and kind not in BEFORE_PURPOSE:
                return Reply(self.brief.purpose)
            case Kind.HOSTILE:
                return Reply(f"I can't help with that. I am calling about this: {self.brief.goal}.")
            case Kind.CALL_LATER:
                return self._later(text)
            case Kind.REFUSAL:
                return self._end(
                    "I understand, thank you for your time. Goodbye.", text, "declined"
                )
            case Kind.REPEAT:
                return Reply(self._last_said())
            case Kind.QUESTION:
                return self._question(text)
            case Kind.GOODBYE:
                return self._end("Goodbye.", "The recipient said goodbye", "not_met")
        if self._open_question():
            present = "Yes, I'm still here. " if kind in (Kind.PRESENCE, Kind.GREETING) else ""
            return Reply(f"{present}I'm just checking that for you." if present else "Thank you.")
        match kind:
            case Kind.AGREEMENT:
                return self._agreed(text)
            case Kind.HOLD:
                patient = "take your time" in text.lower()
                return Reply("" if patient else "Of course, I'll wait.")
            case Kind.PRESENCE:
                return Reply(f"Yes, I'm here. {CAN_YOU_HELP}")
        return self._fumble(CAN_YOU_HELP)

    def _question(self, text: str) -> Reply:
        question = question_in(text)
        known = self.brief.answer_to(question)
        if known:
            return Reply(f"The answer is: {known.rstrip('.')}.")
        arguments = {
            "question": question,
            "recipient_message": NO_ANSWER,
            "suggestions": understanding.options_in(text),
        }
        if not arguments["suggestions"]:
            del arguments["suggestions"]
        ask = self._call("request_user_info", arguments)
        return Reply(ONE_MOMENT, ask) if ask else Reply("I'm sorry, I don't know that.")

    def _agreed(self, text: str) -> Reply:
        """They said yes: that is also the answer to whatever was to be found out."""
        noted = tuple(
            call
            for wanted in functions.choices(self.tools.get("record_answer", {}), "field")
            for call in self._call("record_answer", {"field": wanted, "value": text, "quote": text})
        )
        speech = "Wonderful, thank you very much. Goodbye."
        end = self._end(speech, f"They said: {text}", "goal_met")
        return Reply(speech, noted + end.calls)

    def _later(self, text: str) -> Reply:
        when = understanding.when_in(text) or "later"
        later = self._call("reschedule_call", {"when": when, "reason": text})
        speech = f"Of course, we will call again {when}. Goodbye."
        return Reply(speech, later) if later else self._end(speech, text, "callback_requested")

    def _never_again(self, text: str) -> Reply:
        speech = "I'm sorry for the disturbance. We will not call you again. Goodbye."
        noted = self._call("do_not_call", {"reason": text, "quote": text})
        return Reply(speech, noted) if noted else self._end(speech, text, "do_not_call")

    def _voicemail(self, text: str) -> Reply:
        full = "full" in text.lower()
        message = f"Hello, {self.brief.introduction} We will try again later. Goodbye."
        return self._end("" if full else message, "A voicemail answered", "voicemail")

    def _menu(self, text: str) -> Reply:
        choices = understanding.menu_choices(text)
        pressed = sum(call.name == "send_dtmf" for call in self.called.values())
        if not choices or pressed >= LONGEST_FUMBLE:
            return self._end("", "The phone menu led nowhere", "inconclusive")
        person = re.compile(r"operator|reception|speak|someone|anything else|other", re.IGNORECASE)
        key, _ = max(
            choices,
            key=lambda each: (
                overlap(each[1], self.brief.goal),
                bool(person.search(each[1])),
                -choices.index(each),
            ),
        )
        return Reply("", self._call("send_dtmf", {"digits": key}))

    def _fumble(self, speech: str) -> Reply:
        said = sum(isinstance(item, Said) and item.text == speech for item in self.items)
        if said >= LONGEST_FUMBLE:
            return self._end(
                "I'm sorry, I will try again another time. Goodbye.",
                "We did not understand each other",
                "inconclusive",
            )
        return Reply(speech)

    def _last_said(self) -> str:
        return next(
            (item.text for item in reversed(self.items) if isinstance(item, Said) and item.text),
            self.brief.opening,
        )

    # Functions

    def _end(self, speech: str, reason: str, outcome: str) -> Reply:
        return Reply(speech, self._call("end_call", {"reason": reason, "outcome": outcome}))

    def _call(self, name: str, arguments: dict[str, Any]) -> tuple[FunctionCall, ...]:
        """A call that fits the function's declared parameters; nothing if it is not declared."""
        if name not in self.tools:
            return ()
        return (FunctionCall(name, functions.fitted(self.tools[name], arguments)),)


def _orders(text: str, what: re.Pattern[str]) -> bool:
    """Whether a system message asks for something, as opposed to forbidding it."""
    return any(what.search(part) and not _PROHIBITION.search(part) for part in sentences(text))
