"""How often the provider is asked for money, by all workers together: never above a ceiling.

The provider refuses what comes faster (HTTP 429), and shoppers who pay at that moment would be
refused with it. Whoever wants to ask takes the next free place in a row that Redis keeps: places
are evenly spaced (GCRA without a burst), and one script takes one, so there is one row however many
take from it. Whoever has a place sleeps until it comes.
"""

import time
from functools import cache

from redis.commands.core import Script
from redis.exceptions import RedisError

from kernel.config import config
from kernel.queue import bell
from payments.errors import NoAnswer

_ROW = "jibei:ceiling:charges"
_KEPT = 0.94
"""Of the ceiling so much is used: who wakes late must not lift the next second above it."""
_LATE_S, _PLACES = 0.03, 10
"""Who wakes later than this lets its place go and takes another, but not for ever."""
_AHEAD_S = 1.0
"""Nobody takes a place further ahead, so that a Redis that forgot the row forgets little."""

_TAKE = """
local at = redis.call('TIME')
local now = at[1] * 1000000 + at[2]
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
if free - now > tonumber(ARGV[2]) then return -1 end
redis.call('SET', KEYS[1], string.format('%.0f', free + ARGV[1]), 'PX', 60000)
return free - now
"""
"""Takes the next place; answers in how many microseconds it is, or -1 if that is too far ahead."""


def wait() -> None:
    """Wait until the provider may be asked once.

    Raises:
        NoAnswer: Redis is silent. Nobody knows then how often others ask, so charges wait.
    """
    for _ in range(_PLACES):
        place = _next_place()
        time.sleep(max(0.0, place - time.monotonic()))
        if time.monotonic() - place <= _LATE_S:
            return


def _next_place() -> float:
    """Take a place; answer its moment, by the monotonic clock."""
    apart_us = round(1_000_000 / (config().charges_a_second * _KEPT))
    while (in_us := _take(apart_us)) < 0:
        time.sleep(_AHEAD_S / 4)
    return time.monotonic() + in_us / 1_000_000


def _take(apart_us: int) -> int:
    try:
        return int(_script()(keys=[_ROW], args=[apart_us, round(_AHEAD_S * 1_000_000)]))
    except RedisError as silence:
        raise NoAnswer from silence


@cache
def _script() -> Script:
    return bell().register_script(_TAKE)
