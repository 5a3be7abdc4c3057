"""Numbers of the network layer (reliability.md 3.2)."""

from __future__ import annotations

CONNECTIONS = 16  # per host
CONNECT_SECONDS = 5.0
UNREACHABLE_SECONDS = 8.0  # DNS, refused and unreachable share this, retries included
READ_SECONDS = 20.0  # between bytes
REQUEST_SECONDS = 60.0  # over the whole request
SLOW_AFTER_SECONDS = 10.0
SLOW_BYTES_PER_SECOND = 1_024
BODY_BYTES = 64 * 1024 * 1024  # decompressed
TRIES = 5
BODY_TRIES = 3  # for answers that are cut or no JSON
DECODE_TRIES = 2  # for answers with a field of the wrong type
BACKOFF_SECONDS = 0.5
BACKOFF_CAP_SECONDS = 30.0
UNTOLD_WAIT_SECONDS = 1.0  # first wait after a 429 that names none
UNTOLD_CAP_SECONDS = 60.0
MAX_WAIT_SECONDS = 300.0  # a longer wait is left to the user
BUDGET_SHARE = 0.9  # of an exchange's limit
BUDGET_SLOTS = 60
CHECK_SECONDS = 1.0  # how often who waits for a budget looks whether another process was banned
WAKE_SECONDS = 0.05  # the shortest time between two looks at a budget
CLOCK_JUMP_SECONDS = 5.0  # more than clocks drift apart between two looks
LOCK_SECONDS = 5.0  # how long another process may hold a budget's file; it needs a tenth of a millisecond
UNTOLD_BAN_SECONDS = 120.0  # the shortest ban there is, for one that does not say how long it lasts
BREAKER_FAILURES = 5  # in a row, until a host is left alone
BREAKER_LASTING_SECONDS = 8.0  # all the rests between the tries of one request together are shorter
BREAKER_SECONDS = 30.0
HANDSHAKE_SECONDS = 5.0  # beyond connecting
PING_SECONDS = 15.0
PONG_SECONDS = 10.0
CLOSE_SECONDS = 0.5
FRAME_BYTES = 8 * 1024 * 1024  # decompressed
FRAMES_WAITING = 64  # in the library, before it stops to read
