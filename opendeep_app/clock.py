"""The clock, injected everywhere so that tests can move time instead of waiting for it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time, aware and in UTC."""
    return datetime.now(UTC)


def uptime() -> float:
    """Seconds that only go forward, through changes of the clock and sleep of the machine.

    Linux' CLOCK_MONOTONIC stands still while the machine sleeps (clock_gettime(2)).
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
