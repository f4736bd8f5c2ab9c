"""Keys go to the partitions where Java's (and aiokafka's) default partitioner puts them."""

import pytest
from aiokafka.partitioner import DefaultPartitioner, murmur2
from hypothesis import example, given
from hypothesis import strategies as st

from sendwatch.partitions import partition_of, partitions_of

COUNTS = st.integers(1, 1000)
MORE = [b"more"] * 40  # so many that they are hashed together


def by_aiokafka(key: bytes, count: int) -> int:
    partition: int = DefaultPartitioner()(key, list(range(count)), [])
    return partition


@given(st.binary(max_size=600), COUNTS)
def test_one_key_goes_where_aiokafka_puts_it(key: bytes, count: int) -> None:
    """The plain form equals aiokafka's own partitioner for any key."""
    assert partition_of(key, count) == by_aiokafka(key, count)


@given(st.lists(st.binary(max_size=140), max_size=60), COUNTS)
@example([], 3)
@example([b""], 3)
@example([b"", b"a", b"ab", b"abc", b"abcd", b"abcde"], 7)
@example([b"\xff" * length for length in range(20)], 997)
@example([b"a", b"b" * 512, b"c" * 513, b"", b"d" * 4000], 12)
def test_a_batch_goes_where_each_key_goes(keys: list[bytes], count: int) -> None:
    """The batch form equals aiokafka's partitioner for keys of any mixed lengths, in their order; few, and many."""
    for batch in (keys, keys + MORE):
        assert partitions_of(batch, count) == [by_aiokafka(key, count) for key in batch]


@given(st.lists(st.from_regex(r"\A(1[0-9]{10}|00[1-9][0-9]{6,14})\Z"), min_size=1, max_size=200))
def test_a_batch_of_phone_numbers_goes_where_each_goes(numbers: list[str]) -> None:
    """Keys as they really come: most of one length, some not."""
    keys = [number.encode() for number in numbers]
    assert partitions_of(keys, 12) == [by_aiokafka(key, 12) for key in keys]


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_hashes_are_those_of_kafkas_own_test(key: bytes, signed: int) -> None:
    """The known values of Kafka's UtilsTest: a hash beyond 31 bits loses its sign bit, not its sign."""
    assert murmur2(key) == signed & 0xFFFFFFFF
    positive = signed & 0x7FFFFFFF
    for count in (1, 2, 12, 97, 2**31 - 1):
        assert partition_of(key, count) == positive % count
        assert partitions_of([key], count) == [positive % count]
        assert partitions_of([key, *MORE], count)[0] == positive % count
