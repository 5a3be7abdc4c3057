"""Numbers of live feeds (reliability.md 3.2)."""

from __future__ import annotations

ACK_SECONDS = 10.0
ACK_TRIES = 3  # connections on which an acknowledgement never came, until the feed gives up
SILENCE_CADENCES = 3
SILENCE_SECONDS = 10.0  # the shortest silence that means anything
LOOK_SECONDS = 0.5  # how often a connection is looked at
STALL_SECONDS = 2.0  # a look that comes so late says that this program stood still, not the exchange
BACKOFF_SECONDS = 0.5
BACKOFF_CAP_SECONDS = 30.0
APART_SECONDS = 0.125  # between two connections to one exchange
LIFE_SHARE = 23 / 24  # of a connection's life, after which another one takes over
OVERLAP_SECONDS = 2.0  # two connections deliver the same before the older one is closed
BEHIND_SECONDS = 2.0  # from which on it is told that the last data were late when all ended
GARBAGE = 5  # unreadable frames in a minute that end a connection
GARBAGE_SECONDS = 60.0
TOGETHER = 32  # frames read before others get their turn
ORDER_SECONDS = 1.0  # how long a jump of ids may be only disorder
HELD = 4_096  # trades that wait for an earlier one
KNOWN_IDS = 16_384  # of an instrument, to tell what came twice
KNOWN_IDS_OF_MANY = 1_024  # the same where a whole market is watched
KNOWN_FRAMES = 1_024
SETTLE_SECONDS = 2.0  # after which a closed candle is final, and a trade listed
REPAIRS = 4  # of one exchange at the same time
REPAIR_TRIES = 3
QUEUE = 32_768  # events that wait for who reads
BATCH = 2_048  # events fetched at once
ORDER_OPEN_SECONDS = 0.3  # how long fills of an order may still come
CLOSING_SECONDS = 5.0  # after the end of a candle, in which an exchange that says so says that it is closed
TICK_SECONDS = 0.25  # how often a feed looks for what waited long enough
REPAIR_MOST = 50  # instruments that are asked for one by one after a loss; of more, only jumps of ids are filled
HOLES = 256  # of an instrument; beyond that, those that are filled or given up are forgotten
AUDIT_SECONDS = 10.0  # how often trades are compared with REST where their ids do not prove that none is missing
QUIET_SECONDS = 30.0  # of silence after which REST is asked whether there were trades, each time twice as long
QUIET_CAP_SECONDS = 600.0
AUDIT_ROWS = 500  # newest trades that REST must have for that, where it has no past ones
