"""Small blocks become larger ones, and lose neither a sample nor a place."""

from dubcast.worker.pcm_batch import PcmBatch

BLOCK = 1024
MS = 1_000_000


def pcm(number: int) -> bytes:
    return bytes([number]) * (4 * BLOCK)


def pts(number: int) -> int:
    return round(number * BLOCK / 48 * 1e3) * 1000


def test_blocks_that_follow_each_other_are_joined() -> None:
    batch = PcmBatch()
    came = [batch.add(pts(n), pcm(n)) for n in range(5)]
    assert came == [[], [], [], [(0, pcm(0) + pcm(1) + pcm(2) + pcm(3))], []]
    assert batch.flush() == [(pts(4), pcm(4))]
    assert batch.flush() == []


def test_rounding_to_milliseconds_is_no_gap() -> None:
    batch = PcmBatch()
    came = [batch.add(round(pts(n) / MS) * MS, pcm(n)) for n in range(4)]
    assert [len(block) for done in came for _, block in done] == [4 * 4 * BLOCK]


def test_a_gap_ends_a_batch() -> None:
    batch = PcmBatch()
    assert batch.add(pts(0), pcm(0)) == []
    assert batch.add(pts(1) + 5 * MS, pcm(1)) == [(0, pcm(0))]
    assert batch.flush() == [(pts(1) + 5 * MS, pcm(1))]


def test_a_block_that_is_large_already_passes() -> None:
    assert PcmBatch().add(7, bytes(4 * 4800)) == [(7, bytes(4 * 4800))]
