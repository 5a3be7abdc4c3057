"""An event loop that never waits: when nothing is ready, its clock jumps to the next timer.

`run(main)` calls `main` with the `Hours` of such a loop: the clocks and the sleep of a client (`outside`), and the
clock of a world (`micros`) that shows the same time. What would wait for ever is an error that names who waits.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from marketcli.models import SECOND, Micros
from marketcli.net.client import Outside

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

START: Micros = 1_795_219_200 * SECOND  # 2026-11-21T00:00:00Z
BEGUN = 1_000.0  # what the monotonic clock shows then
ROUNDS = 1_000_000  # of the loop at one moment: by then somebody is turning in a circle
GRACE = 60.0  # seconds in which tasks that are ended after an error may clean up


class Stuck(RuntimeError):
    """Nothing will ever happen again, or everything for ever."""


class Jumps:
    """A selector that does not wait: it moves the clock by as much as it was to wait."""

    def __init__(self, real: selectors.BaseSelector, *, at_most: float) -> None:
        self.real = real
        self.passed: Micros = 0
        self.at_most = at_most
        self.rounds = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def select(self, timeout: float | None = None) -> Any:
        """What is ready on real files, after the jump."""
        ready = self.real.select(0)
        if ready:
            return ready
        if timeout is None:
            raise self.stuck("Nothing is left to wait for, and these wait")
        if timeout > 0:
            self.passed, self.rounds = self.passed + max(1, round(timeout * SECOND)), 0
        self.rounds += 1
        if self.rounds > ROUNDS:
            raise self.stuck("No time passes any more; these take turns")
        if self.passed > self.at_most * SECOND:
            raise self.stuck(f"It is not over after {self.at_most:g} seconds; these wait")
        return ready

    def stuck(self, what: str) -> Stuck:
        """The error, with those it is about; they may clean up."""
        self.rounds, self.at_most = 0, self.passed / SECOND + GRACE
        return Stuck(f"{what}:\n{waiting()}")


def waiting() -> str:
    """The tasks of the loop, and where each stands."""
    lines = []
    for task in asyncio.all_tasks(asyncio.get_running_loop()):
        frames = task.get_stack(limit=1)
        place = f"{frames[-1].f_code.co_qualname}, line {frames[-1].f_lineno}" if frames else "nowhere"
        lines.append(f"  {task.get_name()}: {place}")
    return "\n".join(sorted(lines))


class Loop(asyncio.SelectorEventLoop):
    """A loop whose time is virtual; what is meant for another thread is done at once, in this one."""

    def __init__(self, *, at_most: float) -> None:
        self.jumps = Jumps(selectors.DefaultSelector(), at_most=at_most)
        super().__init__(self.jumps)  # type: ignore[arg-type]
        self._clock_resolution = 1 / SECOND  # the clock shows whole microseconds, so that sums of floats do no harm

    def time(self) -> float:
        """Seconds on the virtual monotonic clock."""
        return BEGUN + self.jumps.passed / SECOND

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """The call's result, in a future that is done."""
        del executor
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is the caller's
            done.set_exception(error)
        return done


@dataclass
class Hours:
    """The clocks of a virtual loop; `ahead` is what the wall clock was set by, in seconds."""

    loop: Loop
    chance: random.Random
    ahead: float = 0.0

    def passed(self) -> float:
        """Seconds since the beginning."""
        return self.loop.jumps.passed / SECOND

    def micros(self) -> Micros:
        """The time of the world."""
        return START + self.loop.jumps.passed

    def wall(self) -> float:
        """The time on this machine, in epoch seconds."""
        return START / SECOND + self.passed() + self.ahead

    def outside(self) -> Outside:
        """What a client takes from outside."""
        return Outside(
            wall=self.wall,
            monotonic=self.loop.time,
            sleep=asyncio.sleep,
            random=self.chance.random,
            boot=lambda: "one",
        )


def run(main: Callable[[Hours], Coroutine[Any, Any, T]], *, seed: int = 7, at_most: float = 14 * 86_400.0) -> T:
    """What `main` returns; `at_most` is how many virtual seconds it may take. Raises `Stuck`."""
    loop = Loop(at_most=at_most)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(Hours(loop, random.Random(seed))))
