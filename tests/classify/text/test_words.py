import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.classify.text.asks import short_way

from llm_audit.classify.text import patterns, words
from llm_audit.sources.entry import Message

GROUPS = (patterns.CHORE_WORDS, patterns.CHORE_SUBJECTS)
WORDS = [word for group in GROUPS for word in group]
EDGE = 40
# Pieces that make words, halves of words and joins of them likely.
HALVES = [half for word in WORDS for half in (word[:-1], word[1:])]
PIECES = st.sampled_from([*WORDS, *HALVES, " ", "\n", "\u017f", "🙂"])
TEXTS = st.lists(PIECES | st.text(max_size=30), max_size=12).map("".join)


@settings(max_examples=500)
@given(TEXTS, st.booleans())
def test_the_compiled_search_and_the_python_form_agree(text, upper):
    text = text.upper() if upper else text
    assert words.searcher(GROUPS, EDGE)(text) is words.in_ends(GROUPS, EDGE, text)


LABELS = st.sampled_from(
    [
        *patterns.QUESTION_WORDS,
        "QUE\u017fTION",
        "P\u0130TANIE",
        "ВОПРОС",
        "the ",
        "user's ",
        "#",
        "*",
        " ",
        "\n",
        ":",
        "\uff1a",
    ]
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(LABELS | st.text(max_size=3), max_size=12).map("".join))
def test_no_question_goes_without_a_word_before_a_colon(text):
    for compiled in {False, words.COMPILED}:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(words, "COMPILED", compiled)
            assert words.labelled(patterns.QUESTION_WORDS, text) or not patterns.QUESTION.search(text)


@pytest.mark.skipif(not words.COMPILED, reason="built without a C compiler")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", False),
        (":", False),
        ("else: return", False),
        ("Query:", True),
        ("a question * \n:", True),
        ("query.:", False),
        ("uery:", False),
        ("a subquery: ", False),
        ("my_query:", False),
        ("#query:", True),
        ("a\u00e9query:", False),
        ("\u2014query:", True),
        ("结论\uff1a", False),
        ("问题\uff1a 🙂", True),
    ],
)
def test_a_word_before_a_colon_is_found(text, found):
    assert words.labelled(("query", "question", "问题"), text) is found


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize(
    ("pattern", "heads"),
    [
        (patterns.REQUEST, patterns.REQUEST_WORDS),
        (patterns.REWORK, patterns.REWORK_HEADS),
        (patterns.ASSENT, patterns.ASSENT_HEADS),
        (patterns.REFERENCE, patterns.REFERENCE_HEADS),
        (patterns.PLAN, patterns.PLAN_HEADS),
    ],
    ids=["request", "rework", "assent", "reference", "plan"],
)
@given(data=st.data())
def test_what_a_pattern_matches_begins_with_one_of_its_heads(pattern, heads, data):
    text = data.draw(st.from_regex(re.compile(rf"\A(?:{pattern.pattern})", re.IGNORECASE)))
    assert pattern.match(text)
    assert words.beginner(heads)(text) or (pattern is patterns.REWORK and not text.isascii())


@settings(max_examples=40, deadline=None)
@given(st.from_regex(re.compile(rf"\A(?:{patterns.HARNESS.pattern})", re.IGNORECASE)))
def test_the_tag_of_a_harness_begins_with_one_of_its_heads(text):
    assert words.beginner(patterns.HARNESS_HEADS)(text)


@pytest.mark.skipif(not words.COMPILED, reason="built without a C compiler")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", False),
        ("re", False),
        ("Rea", True),
        ("  *ReaD it", True),
        ("_read", False),
        ("a read", False),
        ("r\u017fad", True),
        ("\u212aead", True),
        ("...", False),
        ("\u3000read", True),
    ],
)
def test_a_text_begins_with_a_word_whatever_its_case(text, found):
    assert words.beginner(("rea", "i want"))(text) is found


@pytest.mark.skipif(not words.COMPILED, reason="built without a C compiler")
def test_a_repeated_system_prompt_is_searched_once_for_each_of_its_texts():
    short = short_way()
    texts = [f"{word} {'-' * size} chat" for size in range(40) for word in ("title", "tatle", "t\xeftle", "t\u0131tle")]
    for _ in range(3):
        for text in texts:
            plain = short([Message("system", text), Message("user", "Why?")])
            ends = words.ends(text, 20).split("\n")
            assert (plain is None) is any(words.in_ends((("title",), ("chat",)), 20, end) for end in ends)


@pytest.mark.skipif(not words.COMPILED, reason="built without a C compiler")
@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("title chat", False),
        ("title. chat", True),
        ("title\nchat", True),
        ("Why? chat title.", False),
        ("title. chat \u2014 title", False),
        ("title. \u2014 chat", True),
        ("title. chat \u212a", False),  # a letter that stands for one of ASCII
        ("title. chat \U0001f642 \u017f", False),
        ("title" + "-" * 40 + "chat", True),  # at one end each
        ("-" * 40 + "title chat", False),
    ],
)
def test_words_of_a_chore_stand_in_one_clause(text, is_plain):
    assert (short_way()([Message("user", text)]) is not None) is is_plain
    assert (short_way()([Message("system", text), Message("user", "Why?")]) is not None) is is_plain


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", False),
        ("A Title for this CHAT", True),
        ("titlechat", True),
        ("titl e chat", False),
        ("title" + "." * 200 + "chat", True),
        ("." * 100 + "title chat" + "." * 100, False),
        ("." * 38 + "title" + "." * 200 + "chat", False),  # cut by the edge
        ("é title 会話 chat", True),
        ("🙂 title 🙂 chat", True),
        ("t\u0131tle chat", False),
    ],
)
def test_words_are_found_at_the_ends_in_any_case(text, found, compiled, monkeypatch):
    monkeypatch.setattr(words, "COMPILED", compiled and words.COMPILED)
    assert words.searcher(GROUPS, EDGE)(text) is found


def test_the_words_of_chores_have_no_letter_that_one_beyond_ascii_becomes_in_lower_case():
    beyond = {chr(code).lower() for code in range(0x80, 0x110000)}
    letters = {character for text in beyond for character in text if character.isascii()}
    assert letters == {"i", "k"}  # of U+0130, before a combining dot, and of the sign for kelvin
    assert not any("k" in word or word.endswith("i") for word in WORDS)


@pytest.mark.skipif(not words.COMPILED, reason="built without a C compiler")
def test_the_compiled_search_refuses_what_it_cannot_hold():
    from llm_audit.classify import _words

    for groups in ((("abc",),), (("é" * 4,),), (("a" * 33,),), (("word",) * 65,), ((1,),)):
        with pytest.raises((ValueError, TypeError)):
            _words.prepare(groups)
    with pytest.raises(TypeError):
        _words.prepare([])
    prepared = _words.prepare((("word",),))
    for arguments in ((prepared, 4, b"word"), (prepared, 4), (prepared, "4", "word")):
        with pytest.raises(TypeError):
            _words.in_ends(*arguments)
    for heads in (("",), ("é",), ("a" * 33,), ("word",) * 65, (1,), ["word"]):
        with pytest.raises((ValueError, TypeError)):
            _words.prepare_heads(heads)
    for arguments in ((_words.prepare_heads(("a",)), b"a"), (_words.prepare_heads(("a",)),)):
        with pytest.raises(TypeError):
            _words.begins(*arguments)
    heads = (_words.prepare((("word",),)), *(_words.prepare_heads(("a",)),) * 8)
    sizes, labels, turns = (1, 1, 1, 1, 1), ("a",), [Message("user", "b")]
    for plan in (
        (heads, sizes, labels), (heads[:3], sizes, labels, labels), (heads, sizes[:4], labels, labels), [heads],
        (heads, ("1",) * 5, labels, labels), (heads, sizes, ["a"], labels), (heads, sizes, labels, (b"a",)),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            _words.plain_ask(plan, turns)
    plan = (heads, sizes, labels, labels)
    for arguments in ((plan,), (plan, []), (plan, tuple(turns))):
        with pytest.raises(TypeError):
            _words.plain_ask(*arguments)
    with pytest.raises(ValueError, match="PyCapsule"):
        _words.plain_ask(((object(),) * 9, *plan[1:]), turns)
    assert _words.plain_ask(plan, turns) == "b"
    for arguments in (
        (("word",), b"word"), (("word",),), (["word"], "word"), ((b"word",), "word"), (("word",) * 65, "word"),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            _words.labelled(*arguments)
    with pytest.raises(ValueError, match="PyCapsule"):
        _words.in_ends(object(), 4, "word")
