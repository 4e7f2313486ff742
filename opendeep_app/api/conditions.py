"""Conditional reads (RFC 9110, section 13): what has not changed is not sent again."""

import hashlib
from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response


class NotModified(Exception):
    """The client has this state already."""

    def __init__(self, tag: str) -> None:
        self.tag = tag


class Condition:
    """What a read depends on.

    Tags are weak: they are made from the state that an answer is built from, not from its bytes.
    """

    def __init__(
        self,
        response: Response,
        if_none_match: Annotated[
            str | None,
            Header(max_length=2000, description="`ETag` of an earlier answer; 304 if it holds."),
        ] = None,
    ) -> None:
        self._response = response
        self._known = if_none_match

    @property
    def given(self) -> bool:
        """Whether the client has an earlier answer, so that an early look may pay."""
        return self._known is not None

    def check(self, *state: object) -> None:
        """Tags the answer with the state; raises `NotModified` when the client has it."""
        digest = hashlib.blake2b(repr(state).encode("utf-8", "replace"), digest_size=12)
        tag = f'W/"{digest.hexdigest()}"'
        known = [each.strip().removeprefix("W/") for each in (self._known or "").split(",")]
        if "*" in known or tag.removeprefix("W/") in known:
            raise NotModified(tag)
        self._response.headers.update(_headers(tag))


Conditional = Annotated[Condition, Depends()]


async def not_modified(request: Request, error: Exception) -> Response:
    """The answer without a body."""
    assert isinstance(error, NotModified)
    return Response(status_code=304, headers=_headers(error.tag))


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "private, no-cache"}
