"""A chain of stages, each in its own thread, with small bounded queues between them.

decode -> `ReadAhead` -> generate (in the calling thread) -> `Consumer` -> encode

Whatever a stage raises comes out in the calling thread, unchanged, and leaving either block stops
its thread. Memory holds `ahead` items per queue and no more, however long the stream is.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator
from queue import Empty, Queue
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

Item = TypeVar("Item")

_JOIN_SECONDS = 0.02
_PATIENCE_SECONDS = 5.0


class _End(NamedTuple):
    """The last thing in a queue."""

    error: BaseException | None = None


class ReadAhead(Generic[Item]):
    """Runs an iterator in a thread, a few items ahead of whoever iterates over this."""

    def __init__(
        self, source: Iterator[Item], *, ahead: int, patience: float = _PATIENCE_SECONDS
    ) -> None:
        """Begin at the start of the block.

        Args:
            source: read in the thread, and closed there.
            ahead: items that wait at most.
            patience: seconds that the end of the block waits for the thread. One that is stuck, as
                in reading from a pipe into which nobody writes any more, is left behind.
        """
        self._source = source
        self._patience = patience
        self._queue: Queue[Item | _End] = Queue(ahead)
        self._stop = Event()
        self._has_ended = False
        self._thread = Thread(target=self._work, name="read-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        if self._has_ended:
            raise StopIteration
        item = self._queue.get()
        if not isinstance(item, _End):
            return item
        self._has_ended = True
        if item.error is not None:
            raise item.error
        raise StopIteration

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._has_ended = True
        deadline = monotonic() + self._patience
        while self._thread.is_alive() and monotonic() < deadline:  # it may be waiting for room
            with contextlib.suppress(Empty):
                self._queue.get_nowait()
            self._thread.join(_JOIN_SECONDS)

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._source:
                self._queue.put(item)
                if self._stop.is_set():
                    break
            if isinstance(self._source, Generator):
                self._source.close()  # here, where it ran: it may hold a file open
        except BaseException as raised:
            error = raised
        self._queue.put(_End(error))


class Consumer(Generic[Item]):
    """Hands items to a function that runs in a thread.

    Leaving the block, also by an error, waits until those that were queued are done.
    """

    def __init__(self, consume: Callable[[Item], None], *, ahead: int) -> None:
        self._consume = consume
        self._queue: Queue[Item | _End] = Queue(ahead)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._work, name="consumer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def put(self, item: Item) -> None:
        """Queue an item, waiting for room; raise what the function raised on an earlier one."""
        if self._error is not None:
            raise self._error
        self._queue.put(item)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._queue.put(_End())
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def _work(self) -> None:
        while not isinstance(item := self._queue.get(), _End):
            if self._error is not None:  # go on reading, so that `put` never waits in vain
                continue
            try:
                self._consume(item)
            except BaseException as error:
                self._error = error
