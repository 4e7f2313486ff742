"""A person (or machine) at the far end of the line, acting out a persona's script.

They know nothing but what they hear: the caller's words come to them through the ear of their
`Line`, and they answer only by making sound on it.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from opendeep_app.practice import scripts as p
from opendeep_app.practice import sound
from opendeep_app.practice.keypad import Keypad
from opendeep_app.practice.line import Line
from opendeep_app.practice.understanding import (
    Kind,
    content_words,
    kind_of,
    kind_of_turn,
    question_in,
    sentences,
)

MOST_HASTE = 5.0
"""Patience shrinks so many times at most, however fast the clock: the caller's computer does not
think faster for it."""
PICK_UP_SECONDS = 0.8
PUT_DOWN_SECONDS = 2.5
LONGEST_CONNECTION = 3.0
"""Wall-clock seconds after which people speak although nobody seems to be on the line yet."""
LONG_SILENCE = 15.0
"""Seconds after which a person who waits asks whether anybody is still there."""
MOST_REMINDERS = 3
GO_AHEAD = "Yes, go ahead."
MOST_MISUNDERSTANDINGS = 3

_EMPTY_TALK = {Kind.HOLD, Kind.PRESENCE, Kind.GREETING, Kind.NOTHING}
_T = TypeVar("_T")


class _HungUpError(Exception):
    """Ends the script early: the person puts the phone down."""


class Recipient:
    """Acts out a script on a line; the call is over when `run` returns."""

    def __init__(self, script: tuple[p.Step, ...], line: Line, speed: float) -> None:
        self._script = script
        self._line = line
        self._speed = speed
        self._misunderstood = 0
        self.said: list[str] = []
        """What the person began to say, in order."""
        self._records_from: int | None = None

    @property
    def recorded(self) -> list[str]:
        """What a voicemail has recorded: everything understood after its beep."""
        if self._records_from is None:
            return []
        return [text for text in self._line.heard[self._records_from :] if text]

    async def run(self) -> None:
        """Plays the script to its end, where the person hangs up."""
        try:
            await self._put_through()
            for step in self._script:
                await self._act(step)
            await self._rest(PUT_DOWN_SECONDS)
        except _HungUpError:
            pass
        self._line.hush()

    async def _put_through(self) -> None:
        """Waits until the caller is on the line, so that no first word is lost on nobody."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_CONNECTION):
                await self._line.connected.wait()
        await self._rest(PICK_UP_SECONDS)

    async def _act(self, step: p.Step) -> None:
        match step:
            case p.Listen():
                await self._listen(step)
            case p.Say(text):
                await self._say(text)
            case p.Announce(text):
                await self._speak(text)
            case p.Attend(patience):
                await self._patiently(self._speech, patience)
            case p.Wait(seconds):
                await self._rest(seconds)
            case p.Ask():
                await self._ask(step)
            case p.Menu():
                await self._menu(step)
            case p.BargeIn(text):
                await self._until_speech(p.Listen())
                await self._speak(text)
                await self._turn(LONG_SILENCE)
            case p.Slowly(parts, pause):
                for part in parts:
                    await self._say(part)
                    await self._rest(pause)
            case p.Beep(seconds):
                await self._line.speak(sound.beep())
                self._records_from = len(self._line.heard)
                await self._rest(seconds)
            case p.Music(seconds):
                await self._line.speak(sound.hold_music(seconds * 1000))
                self._forget()
            case p.CutOff(text):
                self.said.append(text)
                audio = sound.spoken(text)
                await self._line.speak(audio[: len(audio) // 2])
                raise _HungUpError
            case p.Farewell(text):
                await self._farewell(text)

    async def _listen(self, step: p.Listen) -> None:
        for _ in range(MOST_REMINDERS):
            text = await self._turn(step.patience)
            if text is not None:
                if kind_of_turn(text) is Kind.GOODBYE:
                    await self._farewell_now("Goodbye.")
                if kind_of(sentences(text)[-1]) is not Kind.APPROACH:
                    return
                await self._say(GO_AHEAD)
                continue
            await self._say(step.greeting)
        if await self._turn(LONG_SILENCE) is None:
            raise _HungUpError

    async def _ask(self, step: p.Ask) -> None:
        if self._has_been_told(step):
            return
        await self._say(step.question)
        loop = asyncio.get_running_loop()
        asked, waiting, reminders = loop.time(), False, 0
        while True:
            if step.patience is not None and loop.time() - asked > self._wall(step.patience):
                await self._say("I'm sorry, I can't wait any longer.")
                raise _HungUpError
            patience = LONG_SILENCE if step.patience is None else min(LONG_SILENCE, step.patience)
            text = await self._turn(patience)
            if text is None:
                reminders += 1
                if step.patience is None and reminders <= MOST_REMINDERS:
                    await self._say("Are you still there?")
                elif step.patience is None and not waiting:
                    raise _HungUpError
            elif is_answer(text):
                return
            elif kind_of_turn(text) is Kind.REPEAT:
                await self._say(step.question)
            elif any(kind_of(part) is Kind.GOODBYE for part in sentences(text)):
                await self._farewell_now("All right. Goodbye.")
            elif kind_of_turn(text) is Kind.HOLD and not waiting:
                waiting = True
                await self._say("Sure, take your time.")

    def _has_been_told(self, step: p.Ask) -> bool:
        """Whether the caller came with the answer, or repeated the question to answer it."""
        heard = " ".join(self._line.heard)
        known = re.search(step.known, heard, re.IGNORECASE) if step.known else None
        return known is not None or question_in(step.question) in heard

    async def _menu(self, step: p.Menu) -> None:
        self._line.keypad = Keypad()
        try:
            await self._offer(step)
        finally:
            self._line.keypad = None

    async def _offer(self, step: p.Menu) -> None:
        for _ in range(3):
            await self._speak(step.prompt)
            pressed = await self._digits(8)
            await self._put_through()
            if step.key in pressed:
                return
            await self._speak("Sorry, that is not a valid choice.")
        raise _HungUpError

    async def _farewell(self, text: str) -> None:
        for _ in range(MOST_REMINDERS):
            heard = await self._turn(LONG_SILENCE)
            if heard is None:
                break
            kinds = {kind_of(part) for part in sentences(heard)}
            if Kind.GOODBYE in kinds:
                await self._farewell_now(text)
            if Kind.REPEAT in kinds and self.said:
                await self._say(self.said[-1])
            elif Kind.QUESTION in kinds:
                await self._say("Yes, that's right.")
        await self._say(text)
        raise _HungUpError

    async def _farewell_now(self, text: str) -> None:
        """Says goodbye and leaves the caller a moment to hang up first."""
        await self._say(text)
        await self._rest(3)
        raise _HungUpError

    async def _say(self, text: str) -> None:
        """Speaks once the caller is quiet."""
        while self._line.ear.speaking:
            await self._event()
        await self._speak(text)

    async def _speak(self, text: str) -> None:
        self.said.append(text)
        await self._line.speak(sound.spoken(text))

    async def _turn(self, patience: float) -> str | None:
        """The caller's next turn; `None` when they said nothing for so long.

        What cannot be understood is answered as a person would, a few times.
        """
        while True:
            stopped = await self._patiently(self._speech, patience)
            if stopped is None:
                return None
            if stopped.text:
                return stopped.text
            self._misunderstood += 1
            if self._misunderstood > MOST_MISUNDERSTANDINGS:
                raise _HungUpError
            await self._say("Sorry, I didn't catch that.")

    async def _until_speech(self, step: p.Listen) -> None:
        """Waits for the caller to begin, greeting into the silence."""
        for _ in range(MOST_REMINDERS):
            if self._line.ear.speaking:
                return
            if await self._patiently(self._event, step.patience) is not None:
                return
            await self._say(step.greeting)

    async def _speech(self) -> sound.SpeechStopped:
        while True:
            event = await self._event()
            if isinstance(event, sound.SpeechStopped):
                return event

    async def _digits(self, patience: float) -> str:
        async def pressed() -> str:
            while True:
                event = await self._event()
                if isinstance(event, str):
                    return event

        return await self._patiently(pressed, patience) or ""

    async def _event(self) -> sound.SpeechStarted | sound.SpeechStopped | str:
        return await self._line.noticed.get()

    def _forget(self) -> None:
        while not self._line.noticed.empty():
            self._line.noticed.get_nowait()

    async def _patiently(self, wait: Callable[[], Awaitable[_T]], patience: float) -> _T | None:
        """What comes within so many seconds of the caller's silence, or `None`."""
        while True:
            try:
                async with asyncio.timeout(self._wall(patience)):
                    return await wait()
            except TimeoutError:
                if not self._line.ear.speaking:
                    return None

    def _wall(self, patience: float) -> float:
        return patience / min(self._speed, MOST_HASTE)

    async def _rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


def is_answer(text: str) -> bool:
    """Whether the caller gave an answer, and not only a sign of life or a goodbye."""
    parts = [part for part in sentences(text) if content_words(part)]
    kinds = [kind_of(part) for part in parts]
    if Kind.GOODBYE in kinds or Kind.REPEAT in kinds:
        return False
    return any(kind not in _EMPTY_TALK for kind in kinds)
