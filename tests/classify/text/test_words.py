import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.classify.text import patterns, words

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
        ("结论\uff1a", False),
        ("问题\uff1a 🙂", True),
    ],
)
def test_a_word_before_a_colon_is_found(text, found):
    assert words.labelled(("query", "question", "问题"), text) is found


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
    for arguments in ((("word",), b"word"), (("word",),), (["word"], "word"), ((b"word",), "word")):
        with pytest.raises(TypeError):
            _words.labelled(*arguments)
    with pytest.raises(ValueError, match="PyCapsule"):
        _words.in_ends(object(), 4, "word")
