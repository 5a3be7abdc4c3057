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
