"""Calls per second, shared by every worker.

The generic cell rate algorithm (ITU-T I.371) in one Redis script: each turn is given the
earliest moment that keeps the rate. Twilio queues what comes faster (twilio.com/docs/voice,
"calls per second"); pacing here keeps the order and the ring times ours.
"""

import asyncio
from weakref import WeakKeyDictionary

from redis.exceptions import RedisError

from opendeep_app.bus import Bus

KEY = "opendeep:dial-turn"

#: Returns how many microseconds to wait and what the next turn is; TIME makes all workers share
#: one clock. A worker brings the next turn that it knows of, so that a Redis that has forgotten
#: everything does not give out the same turns again.
SCRIPT = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local turn = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now, tonumber(ARGV[2]))
local following = string.format('%d', turn + ARGV[1])
redis.call('SET', KEYS[1], following, 'PX', math.ceil((turn - now) / 1000) + 60000)
return {turn - now, following}
"""


#: The turn after the last that each bus was given: Redis' time in microseconds, as text.
_following: WeakKeyDictionary[Bus, bytes | str] = WeakKeyDictionary()


async def wait_for_turn(bus: Bus, calls_per_second: float) -> None:
    """Returns when the next call may be dialled; without Redis each worker paces itself."""
    interval = 1 / calls_per_second
    try:
        redis = bus.redis
        script = redis.register_script(SCRIPT)
        known = [round(interval * 1_000_000), _following.get(bus, "0")]
        microseconds, _following[bus] = await script([KEY], known)
        delay = float(microseconds) / 1_000_000
    except (RedisError, OSError):
        delay = interval
    await asyncio.sleep(delay)
