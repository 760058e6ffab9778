from itertools import chain, islice

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from attseg.data.feeding.samplers import StridedSampler, TrainSampler
from attseg.errors import UsageError


def stream(length, count, **options):
    """The first samples of a training stream, one after another."""
    batches = islice(TrainSampler(length, **options), count)
    return [sample for batch in batches for sample in batch]


@given(st.integers(1, 20), st.integers(1, 7), st.integers(0, 2**40))
def test_every_epoch_is_a_permutation(length, batch_size, seed):
    samples = stream(length, 4 * length, batch_size=batch_size, seed=seed)
    assert [position for _, position in samples] == list(range(4 * length * batch_size))
    for epoch in range(4):
        assert sorted(index for index, _ in samples[epoch * length : (epoch + 1) * length]) == list(range(length))


def test_order_depends_on_seed_and_epoch():
    orders = [
        tuple(index for index, _ in stream(50, 2, batch_size=50, seed=seed)[epoch * 50 :][:50])
        for seed in range(3)
        for epoch in range(2)
    ]
    assert len(set(orders)) == 6
    assert stream(50, 9, batch_size=7, seed=3) == stream(50, 9, batch_size=7, seed=3)


@given(st.integers(1, 20), st.integers(1, 3), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_processes_together_see_the_batches_of_one(length, parts, world):
    whole = list(islice(TrainSampler(length, batch_size=12 * parts, seed=1), 5))
    shares = [
        list(islice(TrainSampler(length, batch_size=12 * parts // world, seed=1, rank=rank, world=world), 5))
        for rank in range(world)
    ]
    assert [list(chain(*batch)) for batch in zip(*shares, strict=True)] == whole


@given(st.integers(1, 20), st.integers(1, 9), st.integers(0, 30), st.integers(0, 1))
def test_a_stream_goes_on_where_it_stopped(length, batch_size, start, rank):
    options = {"batch_size": batch_size, "seed": 5, "rank": rank, "world": 2}
    whole = list(islice(TrainSampler(length, **options), start + 4))
    assert list(islice(TrainSampler(length, start=start, **options), 4)) == whole[start:]


CHANCES = st.lists(st.integers(0, 9), min_size=1, max_size=20).map(np.array)


@given(CHANCES, st.integers(0, 2**40))
def test_each_round_gives_every_sample_its_share_up_to_rounding(chances, seed):
    assume(chances.sum() > 0)
    length = len(chances)
    shares = length * chances / chances.sum()
    drawn = stream(length, 3, batch_size=length, seed=seed, chances=chances.astype(float))
    for epoch in range(3):
        indices = [index for index, _ in drawn[epoch * length : (epoch + 1) * length]]
        times = np.bincount(indices, minlength=length)
        assert (np.abs(times - shares) < 1 + 1e-9).all()
        assert (times[chances == 0] == 0).all()


def test_on_average_every_sample_gets_exactly_its_share():
    chances = np.array([0.5, 3.0, 0.0, 0.1, 1.4])
    drawn = stream(5, 4000, batch_size=5, seed=0, chances=chances)
    times = np.bincount([index for index, _ in drawn], minlength=5) / 4000
    np.testing.assert_allclose(times, chances, atol=0.025)


@given(st.integers(1, 30), st.integers(0, 99))
def test_equal_chances_give_permutations(length, seed):
    drawn = stream(length, 2, batch_size=length, seed=seed, chances=np.full(length, 0.3))
    for epoch in range(2):
        assert sorted(index for index, _ in drawn[epoch * length : (epoch + 1) * length]) == list(range(length))


def test_the_order_of_unequal_chances_is_random():
    chances = np.arange(1.0, 41.0)
    orders = [stream(40, 1, batch_size=40, seed=seed, chances=chances) for seed in range(5)]
    assert len({tuple(order) for order in orders}) == 5
    assert all(order != sorted(order) for order in orders)


@given(CHANCES, st.integers(1, 3), st.integers(0, 20), st.sampled_from([1, 2, 3, 6]))
def test_chances_are_kept_by_several_processes_and_by_a_stream_that_goes_on(chances, parts, start, world):
    assume(chances.sum() > 0)
    options = {"seed": 1, "chances": chances.astype(float)}
    whole = list(islice(TrainSampler(len(chances), batch_size=6 * parts, **options), start + 3))[start:]
    shares = [
        list(
            islice(
                TrainSampler(
                    len(chances), batch_size=6 * parts // world, rank=rank, world=world, start=start, **options
                ),
                3,
            )
        )
        for rank in range(world)
    ]
    assert [list(chain(*batch)) for batch in zip(*shares, strict=True)] == whole


@pytest.mark.parametrize("chances", [[1.0, 1.0], [0.0, 0.0, 0.0], [1.0, -1.0, 1.0], [np.nan] * 3])
def test_chances_that_cannot_be_are_refused(chances):
    with pytest.raises(ValueError, match="for 3 samples"):
        TrainSampler(3, batch_size=1, seed=0, chances=np.array(chances))


def test_a_sampler_can_be_read_again():
    sampler = TrainSampler(5, batch_size=2, seed=0, start=3)
    assert list(islice(sampler, 6)) == list(islice(sampler, 6))


@given(st.integers(0, 30), st.integers(1, 8))
def test_strides_hold_every_sample_once(length, world):
    shares = [list(StridedSampler(length, rank, world)) for rank in range(world)]
    assert sorted(chain(*shares)) == list(range(length))
    assert [len(StridedSampler(length, rank, world)) for rank in range(world)] == [len(share) for share in shares]
    assert all(share == sorted(share) for share in shares)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"length": 0}, "the training split has no samples"),
        ({"batch_size": 0}, "batch_size is 0; at least 1"),
        ({"seed": -1}, "seed is -1; 0 or a positive"),
        ({"start": -2}, "start is -2; the number of batches already seen"),
        ({"rank": 2, "world": 2}, "rank 2 of 2 processes was given; ranks count from 0"),
        ({"rank": -1}, "rank -1 of 1 processes"),
    ],
)
def test_streams_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        TrainSampler(**{"length": 3, "batch_size": 1, "seed": 0} | arguments)


def test_strides_of_a_rank_that_does_not_exist_are_refused():
    with pytest.raises(UsageError, match="rank 3 of 2 processes"):
        StridedSampler(5, 3, 2)
