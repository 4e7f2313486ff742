"""How often somebody may do something: a bucket of tokens each, in Redis, for all processes.

The generic cell rate algorithm (ITU-T I.371): all that is kept of a bucket is when it will be
full again. When Redis forgets, buckets are full again; when it is away, nobody is refused. What
guards passwords is counted in each process too, so that neither opens that door.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from opendeep_app.bus import Bus
from opendeep_app.errors import NotAllowed

log = structlog.get_logger()

PATIENCE_SECONDS = 0.25
PAUSE_SECONDS = 2.0
"""After Redis has failed, how long it is not asked."""
MOST_REMEMBERED = 10_000

#: Takes or gives back tokens; returns whether it did, how many microseconds until the bucket is
#: full, and how many until another try can succeed. TIME makes all processes share one clock.
SCRIPT = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local each, full, tokens = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local missing = math.max((tonumber(redis.call('GET', KEYS[1]) or '0')) - now, 0)
local after = math.max(missing + each * tokens, 0)
if tokens > 0 and after > full then
  return {0, missing, after - full}
end
if after > 0 then
  redis.call('SET', KEYS[1], string.format('%d', now + after), 'PX', math.ceil(after / 1000))
else
  redis.call('DEL', KEYS[1])
end
return {1, after, 0}
"""


@dataclass(frozen=True)
class Limit:
    """A bucket of `quota` tokens that takes `seconds` to fill; `guarded`: by each process too."""

    name: str
    quota: int
    seconds: float
    guarded: bool = False

    @property
    def each(self) -> float:
        """Seconds that one token takes to come back."""
        return self.seconds / self.quota


#: Wrong passwords for one address from one place, and for one address from anywhere.
PASSWORD = Limit("password", 10, 900, guarded=True)
PASSWORD_ANYWHERE = Limit("password-anywhere", 100, 3600, guarded=True)
#: Links that do not work, from one place.
SIGN_IN_LINK = Limit("sign-in-link", 60, 60, guarded=True)


@dataclass(frozen=True)
class Turn:
    """Whether it is granted, how many more would be, and the seconds until full and until retry."""

    granted: bool
    remaining: int
    full_in: float
    retry_in: float


class Limits:
    """One process's view of everybody's buckets."""

    def __init__(self, bus: Bus, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._monotonic = monotonic
        self._not_before = -math.inf
        self._guarded: dict[str, float] = {}

    async def take(self, limit: Limit, who: str, tokens: int = 1) -> Turn:
        """A turn of somebody's, if their bucket has one; negative `tokens` are given back."""
        key = f"{limit.name}:{hashlib.sha256(who.encode('utf-8', 'replace')).hexdigest()}"
        turns = [await self._take_shared(limit, key, tokens)]
        if limit.guarded:
            turns.append(self._take_here(limit, key, tokens))
        return min(turns, key=lambda turn: (turn.granted, turn.remaining, -turn.retry_in))

    async def check(self, limit: Limit, who: str) -> None:
        """Takes a turn; raises `NotAllowed` when there is none."""
        turn = await self.take(limit, who)
        if not turn.granted:
            minutes = math.ceil(turn.retry_in / 60)
            when = "a minute" if minutes == 1 else f"{minutes} minutes"
            raise NotAllowed(f"Too many attempts. Try again in {when}.")

    async def forgive(self, limit: Limit, who: str) -> None:
        """Gives a turn back: it was well used."""
        await self.take(limit, who, -1)

    async def _take_shared(self, limit: Limit, key: str, tokens: int) -> Turn:
        if self._monotonic() < self._not_before:
            return _open(limit)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                redis = self._bus.redis
                script = redis.register_script(SCRIPT)
                arguments = [round(limit.each * 1e6), round(limit.seconds * 1e6), tokens]
                granted, missing, retry = await script([f"opendeep:limit:{key}"], arguments)
        except (RedisError, OSError) as error:
            log.warning("limits_not_counted", limit=limit.name, error=type(error).__name__)
            self._not_before = self._monotonic() + PAUSE_SECONDS
            return _open(limit)
        return _turn(limit, bool(granted), missing / 1e6, retry / 1e6)

    def _take_here(self, limit: Limit, key: str, tokens: int) -> Turn:
        now = self._monotonic()
        if len(self._guarded) > MOST_REMEMBERED:
            self._guarded = {key: full for key, full in self._guarded.items() if full > now}
        missing = max(self._guarded.get(key, 0) - now, 0)
        after = max(missing + limit.each * tokens, 0)
        if tokens > 0 and after > limit.seconds:
            return _turn(limit, False, missing, after - limit.seconds)
        self._guarded[key] = now + after
        return _turn(limit, True, after, 0)


def _open(limit: Limit) -> Turn:
    return Turn(True, limit.quota, 0, 0)


def _turn(limit: Limit, granted: bool, missing: float, retry: float) -> Turn:
    # The tolerance keeps a microsecond's rounding from hiding a token.
    left = math.floor((limit.seconds - missing) / limit.each + 1e-3)
    return Turn(granted, max(left, 0), missing, retry)
