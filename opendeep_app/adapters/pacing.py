"""Calls per second, shared by every worker.

The generic cell rate algorithm (ITU-T I.371) in one Redis script: each turn is given the
earliest moment that keeps the rate. Twilio queues what comes faster (twilio.com/docs/voice,
"calls per second"); pacing here keeps the order and the ring times ours.
"""

import asyncio

from redis.exceptions import RedisError

from opendeep_app.bus import Bus

KEY = "opendeep:dial-turn"

#: Returns how many microseconds to wait; TIME makes all workers share one clock.
SCRIPT = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local turn = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local kept = math.ceil((turn - now) / 1000) + 60000
redis.call('SET', KEYS[1], string.format('%d', turn + ARGV[1]), 'PX', kept)
return turn - now
"""


async def wait_for_turn(bus: Bus, calls_per_second: float) -> None:
    """Returns when the next call may be dialled; without Redis each worker paces itself."""
    interval = 1 / calls_per_second
    try:
        redis = await bus.redis()
        turn = redis.register_script(SCRIPT)
        delay = float(await turn([KEY], [round(interval * 1_000_000)])) / 1_000_000
    except (RedisError, OSError):
        delay = interval
    await asyncio.sleep(delay)
