"""Waiting for one of two things, and ending what runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable


async def either(running: asyncio.Task[None], other: Awaitable[Any]) -> Any:
    """What `other` gives, unless the connection ends before: then its error is raised."""
    waiting = asyncio.ensure_future(other)
    try:
        await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
        if running.done() and not waiting.done():
            running.result()
        return await waiting
    finally:
        waiting.cancel()


async def ended(task: asyncio.Task[None]) -> None:
    """End a task, whatever it says."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
