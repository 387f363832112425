from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.classify import features
from llm_audit.classify.characters import CLASS_OF_BYTE, COUNTS, FOLDED
from llm_audit.classify.features import Lexicon, clip, pack, scan
from llm_audit.classify.hashing import BASE, BUCKETS, MIX, PAIR, STEM_CHARACTERS, buckets_numpy, words

TABLE = np.random.default_rng(7).integers(-30_000, 30_000, (BUCKETS, 5)).astype(np.int16)
TEXT = st.text(max_size=60) | st.text(alphabet="aZ9 \n.?日é🙂b)A.", max_size=60)


def word_hash(word: str) -> int:
    """The definition, one byte at a time."""
    if not word.isascii():
        word = word[:STEM_CHARACTERS]
    h = sum(byte * pow(BASE, k, 1 << 64) for k, byte in enumerate(word.encode())) % (1 << 64)
    return (h ^ (h >> 32)) * MIX % (1 << 64)


def pair_hash(first: str, second: str) -> int:
    h = (word_hash(first) * PAIR + word_hash(second)) % (1 << 64)
    return (h ^ (h >> 32)) * MIX % (1 << 64)


def expected_buckets(said: list[str]) -> set[int]:
    return {word_hash(word) >> 48 for word in said} | {65_536 + (pair_hash(a, b) >> 48) for a, b in pairwise(said)}


def lexicon(*entries: int) -> Lexicon:
    keys = np.array(sorted(entries), np.uint64)
    return Lexicon(keys, np.arange(2 * len(keys), dtype=np.int16).reshape(-1, 2) - 3)


LEXICON = lexicon(
    word_hash("a"), word_hash("b"), word_hash("日"), word_hash("é"), pair_hash("日", "日"), word_hash("a0")
)


def found_buckets(text: str) -> set[int]:
    return set(buckets_numpy(*pack([text]))[1].tolist())


def test_the_hash_is_its_definition():
    assert found_buckets("Prove that 12 is even") == expected_buckets(["prove", "that", "00", "is", "even"])


def test_the_hash_of_a_version_never_changes():
    assert sorted(found_buckets("the cat")) == sorted(
        {word_hash("the") >> 48, word_hash("cat") >> 48, 65_536 + (pair_hash("the", "cat") >> 48)}
    )
    assert (word_hash("the") >> 48, word_hash("cat") >> 48) == (36_861, 11_169)


def test_ideographs_are_words_of_one_character():
    assert words("中文abc한 ñandú") == ["中", "文", "abc", "한", "ñandú"]
    assert found_buckets("中文abc") == expected_buckets(["中", "文", "abc"])


@settings(max_examples=100, deadline=None)
@given(TEXT)
def test_words_are_what_is_hashed(text):
    assert found_buckets(text) == expected_buckets(words(text))


def test_counts():
    text = "Pick one, please: 12 of 100?\nA. $5\nb) {x} \\alpha"
    counts = dict(zip(COUNTS, buckets_numpy(*pack([text]))[2][0].tolist(), strict=True))
    assert counts["newlines"] == 2
    assert counts["options"] == 2
    assert counts["numbers"] == 3
    assert counts["words"] == 11
    assert counts["question_marks"] == 1
    assert counts["braces"] == 2
    assert counts["backslashes"] == 1
    assert counts["currency"] == 1


@pytest.mark.parametrize("text", ["", " " * 1_000_000, "\ud800", "🙂🙂", "\x00", "a" * 100_000])
def test_any_text_is_scanned(text):
    found = scan([text], TABLE, LEXICON)
    assert found.sums.shape == (1, 5)
    assert found.counts.shape == (1, len(COUNTS))
    assert found.found.shape == (1, 2)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT, max_size=8))
def test_the_kernel_and_numpy_agree_bit_for_bit(texts):
    by_numpy = features.scan_numpy(*pack(texts), TABLE, LEXICON)
    by_default = scan(texts, TABLE, LEXICON)
    for name in ("sums", "counts", "found"):
        one, other = getattr(by_numpy, name), getattr(by_default, name)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


@settings(deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=6))
def test_a_text_does_not_depend_on_its_batch(texts):
    together = scan(texts, TABLE).sums
    assert np.array_equal(together, np.concatenate([scan([text], TABLE).sums for text in texts]))


def test_a_word_counts_once():
    assert np.array_equal(scan(["go"], TABLE).sums, TABLE[[word_hash("go") >> 48]].astype(np.int32))
    assert np.array_equal(
        scan(["go go go"], TABLE).sums[0],
        TABLE[word_hash("go") >> 48].astype(np.int32) + TABLE[65_536 + (pair_hash("go", "go") >> 48)],
    )


def test_words_of_a_lexicon_count_at_each_occurrence_and_by_their_full_hash():
    known = lexicon(word_hash("go"), pair_hash("go", "home"))
    of_word, of_pair = (known.evidence[known.keys == np.uint64(key)][0] for key in known_keys("go", "home"))
    found = scan(["go", "Go home, go", "gone", "home go"], TABLE, known).found
    assert found.tolist() == [of_word.tolist(), (2 * of_word + of_pair).tolist(), [0, 0], of_word.tolist()]


def known_keys(first: str, second: str) -> tuple[int, int]:
    return word_hash(first), pair_hash(first, second)


def test_inflected_words_with_letters_beyond_ascii_fall_together():
    assert found_buckets("доказать") == found_buckets("доказательство")
    assert found_buckets("groups") != found_buckets("groupies")


def test_clip_keeps_head_and_tail():
    text = "h" * 5000 + "t" * 5000
    assert clip(text) == "h" * 2048 + "\n" + "t" * 1024
    assert clip("short") == "short"


def test_the_kernel_refuses_buffers_that_do_not_fit():
    if not features.COMPILED:
        return
    from llm_audit.classify import _kernel

    starts = np.array([0, 99], np.int64)
    out = np.zeros((1, 5), np.int32), np.zeros((1, len(COUNTS)), np.int32), np.zeros((1, 2), np.int32)
    with pytest.raises(ValueError, match="do not fit"):
        _kernel.scan(b"abc\n", starts, CLASS_OF_BYTE, FOLDED, TABLE, LEXICON.keys, LEXICON.evidence, *out)
