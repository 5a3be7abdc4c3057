"""Running the asynchronous parts from ordinary code."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class Abandoning(ThreadPoolExecutor):
    """Threads nobody waits for: a name look-up cannot be cancelled and may hang long after its deadline."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function in a thread of its own that dies with the process."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it is handed on, whatever it is
                future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return future


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also from inside a running loop (a notebook), where it gets a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return start(main)
    with ThreadPoolExecutor(max_workers=1) as apart:
        return apart.submit(start, main).result()


def start(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(Abandoning())
        return runner.run(main)
