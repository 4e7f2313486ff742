"""What the practice model reads in its instructions: the marked blocks of the brief."""

import re
from dataclasses import dataclass

from opendeep_app.practice.understanding import content_words, options_in, overlap, sentences

SURE_OF_FACT = 0.5
SURE_OF_SENTENCE = 0.6
"""How much of a question's meaning a fact, or a sentence of the context, must share with it."""


@dataclass(frozen=True)
class Brief:
    """A session's instructions."""

    instructions: str

    @property
    def goal(self) -> str:
        """What the call is for, without a full stop."""
        return self._block("goal").rstrip(".") or "a short question"

    @property
    def opening(self) -> str:
        """The first words, with the purpose if it is given apart."""
        opening = self._block("opening") or f"Hello, {self.introduction}"
        return f"{opening} {self.purpose}".strip()

    @property
    def purpose(self) -> str:
        """The sentence that says why the agent calls; empty if the opening says it."""
        return self._block("purpose")

    @property
    def introduction(self) -> str:
        """Who calls, for whom and about what."""
        principal = self._block("principal") or "my principal"
        return f"I am an AI assistant calling on behalf of {principal} about this: {self.goal}."

    def answer_to(self, question: str) -> str | None:
        """What the brief answers to a question, if it does."""
        facts = [
            (overlap(question, label), answer.strip())
            for label, mark, answer in (
                line.removeprefix("- ").partition(": ")
                for line in self._block("facts").splitlines()
            )
            if mark
        ]
        score, answer = max(facts, default=(0.0, ""))
        if score > SURE_OF_FACT:
            return answer
        background = f"{self.goal}.\n{self._block('context')}"
        words = content_words(background)
        fitting = [
            option
            for option in options_in(question)
            if content_words(option) and content_words(option) <= words
        ]
        if len(fitting) == 1:
            return fitting[0]
        scored = ((overlap(question, text), text) for text in sentences(background))
        score, sentence = max(scored, default=(0.0, ""))
        return sentence if score > SURE_OF_SENTENCE else None

    def _block(self, tag: str) -> str:
        match = re.search(rf"<{tag}>(.*?)</{tag}>", self.instructions, re.DOTALL)
        return match.group(1).strip() if match else ""
