import threading
import time

import pytest

from attseg.ahead import ahead


@pytest.mark.parametrize("by", [1, 2, 5])
def test_the_order_is_kept_and_the_work_only_a_little_ahead(by):
    started, taken = [], []
    lead = []
    for value in ahead(lambda item: started.append(item) or item * item, iter(range(20)), by=by):
        taken.append(value)
        lead.append(len(started) - len(taken))
        time.sleep(0.001)
    assert taken == [item * item for item in range(20)]
    assert max(lead) <= by + 1


def test_another_thread_works_while_the_caller_is_busy():
    threads = set()
    for _ in ahead(lambda item: threads.add(threading.get_ident()), range(3)):
        pass
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_what_the_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda item: 1 // item, [1, 0, 1]))


def test_what_was_begun_is_finished_when_the_items_fail():
    done = []

    def items():
        yield from (1, 2, 3)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda item: time.sleep(0.01) or done.append(item), items()))
    assert done == [1, 2, 3]
