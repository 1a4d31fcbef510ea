import itertools
import threading
import time

import pytest

from pipelines.rendering.stream import Consumer, ReadAhead


def threads():
    return [t for t in threading.enumerate() if t.name in {"read-ahead", "consumer"}]


def counting(limit=None):
    """An endless source and how many of its items were taken."""
    taken = []

    def source():
        for index in itertools.count() if limit is None else range(limit):
            taken.append(index)
            yield index

    return source(), taken


def run_chain(source, consume, *, interrupted_at=None):
    """Hand every item on, as a renderer does."""
    with ReadAhead(source, ahead=4) as items, Consumer(consume, ahead=4) as consumer:
        for item in items:
            consumer.put(item)
            if item == interrupted_at:
                raise KeyboardInterrupt


def test_items_come_out_in_order_and_once():
    source, _ = counting(1000)
    with ReadAhead(source, ahead=3) as items:
        assert list(items) == list(range(1000))
        assert list(items) == []
    with ReadAhead(iter([1, 2]), ahead=1) as items:  # no generator, nothing to close
        assert list(items) == [1, 2]


def test_a_long_stream_is_read_only_a_few_items_ahead():
    source, taken = counting()
    with ReadAhead(source, ahead=3) as items:
        for index in range(2000):
            assert next(items) == index
            assert len(taken) <= index + 1 + 3 + 1  # yielded, queued, waiting for room
    assert threads() == []


def test_a_slow_consumer_holds_the_producer_back():
    consumed = []

    def consume(item):
        time.sleep(0.001)
        consumed.append(item)

    with Consumer(consume, ahead=2) as consumer:
        for index in range(50):
            consumer.put(index)
            assert index - len(consumed) <= 3  # queued, and one in work
    assert consumed == list(range(50))


def test_leaving_the_block_waits_for_the_last_item():
    consumed = []
    with Consumer(lambda item: (time.sleep(0.01), consumed.append(item)), ahead=8) as consumer:
        for index in range(8):
            consumer.put(index)
    assert consumed == list(range(8))
    assert threads() == []


def test_an_error_of_the_source_surfaces_unchanged_after_the_items_before_it():
    error = ValueError("the disc is cracked")

    def source():
        yield 1
        yield 2
        raise error

    with ReadAhead(source(), ahead=4) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(ValueError, match="cracked") as caught:
            next(items)
        assert caught.value is error
    assert threads() == []


def test_an_error_of_the_consumer_surfaces_unchanged_at_a_later_item():
    error = OSError(28, "No space left on device")
    source, taken = counting()

    def consume(item):
        if item == 5:
            raise error

    with pytest.raises(OSError, match="No space") as caught:
        run_chain(source, consume)
    assert caught.value is error
    assert len(taken) < 20
    assert threads() == []


def test_an_error_at_the_last_item_surfaces_when_the_block_is_left():
    def consume(item):
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"), Consumer(consume, ahead=4) as consumer:
        consumer.put(0)


def test_an_error_between_them_stops_both_and_keeps_what_is_queued():
    source, _ = counting()
    consumed = []

    def consume(item):
        time.sleep(0.02)
        consumed.append(item)

    with pytest.raises(KeyboardInterrupt):
        run_chain(source, consume, interrupted_at=4)
    assert consumed == [0, 1, 2, 3, 4]
    assert threads() == []


def test_a_source_that_is_not_read_to_its_end_is_closed():
    closed = []

    def source():
        try:
            yield from itertools.count()
        finally:
            closed.append(threading.current_thread().name)

    with ReadAhead(source(), ahead=2) as items:
        next(items)
    assert closed == ["read-ahead"]


def test_a_source_that_is_stuck_is_left_behind():
    is_over = threading.Event()

    def source():
        yield 0
        is_over.wait(60)  # as a pipe into which nobody writes

    with ReadAhead(source(), ahead=2, patience=0.05) as items:
        assert next(items) == 0
    (left,) = threads()
    is_over.set()
    left.join(10)
    assert threads() == []
