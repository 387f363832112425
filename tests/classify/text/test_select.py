import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.classify.text.asks import short_way

from llm_audit.classify.text import patterns, words
from llm_audit.classify.text import select as module
from llm_audit.classify.text.context import without_context
from llm_audit.classify.text.select import SUMMARY_ASK, TITLE_ASK, select
from llm_audit.classify.text.words import ends, in_ends
from llm_audit.sources.entry import Message
from llm_audit.vocabulary import Abstention, Judged, Operation, Step


def user(text, **extra):
    return Message(role="user", text=text, **extra)


def assistant(text, **extra):
    return Message(role="assistant", text=text, **extra)


def system(text):
    return Message(role="system", text=text)


def test_the_latest_human_ask_is_judged_and_the_system_prompt_is_not():
    found = select(
        [
            system("You must prove theorems. " * 400),
            user("Old ask"),
            assistant("Done."),
            user("What time is it in Oslo?"),
        ]
    )
    assert found.text == "What time is it in Oslo?"
    assert (found.judged, found.abstention, found.step) == (Judged.SCORED, None, Step.ASK)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"messages": None}, Abstention.NO_TEXT),
        ({"messages": []}, Abstention.NO_TEXT),
        ({"messages": [user("")]}, Abstention.NO_TEXT),
        ({"messages": [user("  \n ")]}, Abstention.NO_TEXT),
        ({"messages": [user("hidden")], "redacted": True}, Abstention.REDACTED),
        ({"messages": [user("", images=1)]}, Abstention.NON_TEXT),
        ({"messages": [user("text")], "operation": Operation.EMBEDDING}, Abstention.NOT_CHAT),
        ({"messages": [user("yes")]}, Abstention.NO_SIGNAL),
    ],
)
def test_without_a_signal_it_abstains(arguments, reason):
    messages = arguments.pop("messages")
    found = select(messages, **arguments)
    assert (found.judged, found.abstention, found.text) == (Judged.ABSTAINED, reason, "")


def test_harness_text_is_stripped():
    text = "<system-reminder>\nProve Fermat's last theorem.\n</system-reminder>\nrename the variable x to count"
    assert select([user(text)]).text == "rename the variable x to count"
    assert select([user("<environment_context>cwd: /x</environment_context>list the files")]).text == "list the files"


def test_a_harness_message_alone_is_passed_over():
    found = select(
        [user("Fix the flaky test"), assistant("ok"), user("<system-reminder>Todo list empty</system-reminder>")]
    )
    assert found.text == "Fix the flaky test"


def test_an_unclosed_block_does_not_leak():
    assert select([user("sum this up\n<document>" + "theorem " * 50)]).text == "sum this up"


def test_long_code_fences_and_quotes_are_context():
    code = "```python\n" + "x = integrate(proof)\n" * 60 + "```"
    assert select([user("Add a docstring to this function:\n" + code)]).text.startswith(
        "Add a docstring to this function:"
    )
    assert "integrate" not in select([user("Add a docstring to this function:\n" + code)]).text
    assert select([user(code)]).text == code
    assert select([user("> Let G be a group\n> with kernel N\nreply with thanks")]).text == "reply with thanks"


def test_a_pasted_novel_is_not_the_ask():
    novel = "\n\n".join(
        "It was the best of times, it was the worst of times, and the theorem was proved. " * 5 for _ in range(40)
    )
    assert select([user("Please summarise this chapter:\n\n" + novel)]).text == "Please summarise this chapter:"
    assert select([user(novel + "\n\nWhat is the name of the narrator?")]).text == "What is the name of the narrator?"


PASTED = "The council moved the market to Saturday, since the square is being rebuilt on weekdays. " * 3


@pytest.mark.parametrize(
    "ask",
    [
        "Write a headline of at most eight words for this article:",
        "Label this message with one of billing, sales, technical.",
        "Fasse den folgenden Text in zwei Sätzen zusammen.",
        "Résume ce texte en une phrase.",
        "Переведи текст на английский.",
        "请把下面的文字翻译成英文。",
        "次の文章を一文で要約してください。",
    ],
)
def test_a_text_to_rework_is_not_the_ask(ask):
    assert select([user(f"{ask}\n\n{PASTED}")]).text == ask
    more = "Please explain your choice."
    assert select([user(f"{ask}\n\n{PASTED}\n\n{more}")]).text == f"{ask}\n{more}"
    short = f"{ask}\n\nThe market moves."
    assert select([user(short)]).text == short


def test_a_problem_after_its_instruction_is_the_ask():
    for instruction in ("Solve this problem:", "Review this clause:", "Write a function for the task below."):
        text = f"{instruction}\n\n{PASTED}".strip()
        assert select([user(text)]).text == text


@pytest.mark.parametrize(
    "text", ["yes, do it", "continue", "Yes please", "fix that", "and for the second one?", "ok go ahead", "try again"]
)
def test_a_follow_up_inherits_from_the_ask_before(text):
    ask = "Prove that every finite integral domain is a field."
    found = select([user(ask), assistant("Here is a sketch."), user(text)])
    assert found.judged is Judged.INHERITED
    assert found.text.startswith(ask)


def test_a_chain_of_follow_ups_reaches_the_ask():
    found = select(
        [user("Draft the merger agreement."), assistant("Done"), user("continue"), assistant("Done"), user("yes")]
    )
    assert found.text.startswith("Draft the merger agreement.")


def test_a_yes_that_approves_a_migration_is_judged_by_the_migration():
    proposal = "I looked around.\n\nShall I migrate the production database to the new schema without downtime?"
    found = select([user("hi"), assistant(proposal), user("yes")])
    assert found.judged is Judged.INHERITED
    assert "migrate the production database" in found.text


@pytest.mark.parametrize(
    "text",
    [
        "hi",
        "Why is the sky blue?",
        "How do magnets work?",
        "So what is 2+2?",
        "And now write a poem about spring rain in the hills",
    ],
)
def test_an_ask_that_stands_alone_is_not_inherited(text):
    messages = [user("Prove the four colour theorem."), assistant("…"), user(text)]
    if text.startswith("And now"):
        messages[-1] = user(text + " with seven stanzas, each of them about another month of the year.")
    assert select(messages).judged is Judged.SCORED


@pytest.mark.parametrize(
    "messages",
    [
        [system("Summarize this coding conversation in under 50 characters."), user("prove the Riemann hypothesis")],
        [user("Generate a concise title for this conversation:\n\nUser: quantum field theory on curved manifolds")],
        [
            system("Analyze if this message indicates a new conversation topic. Return isNewTopic."),
            user("Derive the Navier-Stokes equations"),
        ],
    ],
)
def test_title_calls_are_housekeeping_whatever_they_quote(messages):
    found = select(messages)
    assert (found.text, found.step) == (TITLE_ASK, Step.HOUSEKEEPING)


def test_a_session_that_began_with_a_title_goes_on_to_be_judged():
    title = "Generate a title for this conversation"
    assert select([user(title), assistant("Proofs"), user("Prove Zorn's lemma")]).text == "Prove Zorn's lemma"


def test_a_compaction_call_is_a_summary():
    found = select(
        [user("Your task is to create a detailed summary of the conversation so far, paying attention to proofs.")]
    )
    assert (found.text, found.step) == (SUMMARY_ASK, Step.SUMMARISE)


@pytest.mark.parametrize(
    ("calls", "step"),
    [
        ('{"name":"Read"}', Step.EXPLORE),
        ('{"name":"Edit"}', Step.IMPLEMENT),
        ("Bash: pytest -q", Step.VERIFY),
        ("frobnicate", Step.UNKNOWN),
    ],
)
def test_a_tool_loop_step_is_judged_by_the_ask_that_began_it(calls, step):
    found = select(
        [
            user("Make the parser faster"),
            assistant("", calls=calls, call_id="1"),
            Message(role="tool", text="theorem " * 99, call_id="1"),
        ],
        tools=("Read", "Edit", "Bash"),
    )
    assert (found.text, found.judged, found.step) == ("Make the parser faster", Judged.SCORED, step)


WORDS_OF_STEPS = [
    "Edit",
    "READ_FILE",
    "pytest",
    "lint",
    "search_all",
    "ls",
    "Ma\u212ae te\u017ft",
    "write",
    "npm run test",
    "é",
    "x",
]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS_OF_STEPS) | st.text(max_size=4), max_size=5), st.sampled_from(["", " ", "_", "."])
)
def test_the_step_of_calls_is_that_of_the_first_pattern(calls, between):
    text = between.join(calls)
    found = next((step for step, pattern in patterns.STEPS if pattern.search(text)), Step.UNKNOWN)
    assert module._step_of(text) is found


def test_a_plan_with_tools_is_a_planning_step():
    assert select([user("Write a plan for the migration")], tools=("Read",)).step is Step.PLAN


def by_patterns_alone(text):
    """What the whole ends of a text are, by the patterns and without any quick test."""
    edges = ends(text, 700)
    if not in_ends((patterns.CHORE_WORDS, patterns.CHORE_SUBJECTS), 700, text):
        return None
    if patterns.SUMMARY.search(edges):
        return Step.SUMMARISE
    return Step.HOUSEKEEPING if patterns.TITLE.search(edges) else None


PHRASES = st.sampled_from(
    ["Write a title", "5-10 word", "isNewTopic", "title generator", "new conversation topic", "Summarize this session",
     "create a summary of the chat", "conversation", "short", "tags for the thread", "under 50 characters", "coding",
     "summarise the dialogue under 5 words",
     ". ", "\n", " ", ", ", "\u017fession", "t\u0131tle", "\u212a", "\u00e9", "\u201c", "x" * 30, "x" * 690]
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(PHRASES, max_size=10).map("".join))
def test_looking_at_likely_lines_alone_finds_the_chores_that_the_patterns_find(text):
    found = select([user(text)]).step
    wanted = by_patterns_alone(text)
    assert (found if found in (Step.SUMMARISE, Step.HOUSEKEEPING) else None) is wanted


@pytest.mark.parametrize(
    ("paragraph", "asks"),
    [("Is it?", True), ("as follows:\u00a0", True), ("很好吗\uff1f ", True), ("? no", False), ("", False)],
)
def test_a_short_paragraph_asks_by_its_end(paragraph, asks):
    text = f"{paragraph}\n\n{'word ' * 800}\n\nThe end."
    assert without_context(text) == (paragraph if asks else text)


def test_the_letters_that_patterns_take_for_one_of_ascii_are_known():
    letter = re.compile("[a-z]", re.IGNORECASE)
    found = [character for character in map(chr, range(0x80, 0x110000)) if letter.match(character)]
    assert found == list(patterns.ODD_LETTERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Use only the context.\n\nContext:\n[1] Cost: 12.\n[2] Closed Mondays.\n\nQuestion: When is it closed?",
            "Use only the context.\n\nContext:\nQuestion: When is it closed?",
        ),
        (
            "Antworte nur mit dem Kontext.\n\nKontext: Die Garantie beträgt zwei Jahre.\n\nFrage: Wie lange gilt sie?",
            "Antworte nur mit dem Kontext.\n\nKontext:\nFrage: Wie lange gilt sie?",
        ),
        ("<passages>\nA long policy.\n</passages>\nWhat about members?", "<passages>\nWhat about members?"),
        ("Question: is this a document?\nNo context here.", "Question: is this a document?\nNo context here."),
    ],
)
def test_a_question_about_documents_is_judged_without_them(text, expected):
    assert select([Message("user", text)]).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Q: 2+2?\nA: 4\n\nQ: 3+3?\nA: 6\n\nQ: Prove that 7 is prime.\nA:", "Q: Prove that 7 is prime.\nA:"),
        (
            "Label each review.\n\nReview: Great!\nLabel: good\n\nReview: Broke.\nLabel: bad\n\nReview: It is fine.",
            "Label each review.\n\nReview: It is fine.",
        ),
        (
            "Example 1:\nInput: chat\nOutput: cat\n\nExample 2:\nInput: chien\nOutput: dog\n\nInput: loup\nOutput:",
            "Example 1:\nInput: loup\nOutput:",
        ),
        ("User: hi\nAssistant: hello\nUser: Design a rate limiter.", "User: Design a rate limiter."),
        ("Frage: Wie geht es?\nAntwort: Gut.\nFrage: Warum?\nAntwort:", "Frage: Warum?\nAntwort:"),
        ("输入\uff1a猫\n输出\uff1acat\n输入\uff1a狼\n输出\uff1a", "输入\uff1a狼\n输出\uff1a"),
    ],
)
def test_examples_before_the_ask_are_left_out(text, expected):
    assert without_context(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Q: 2+2?\nA: 4",
        "Q: Who?\nA: Me.\nQ: Why?\nA: I was asked.",  # a transcript; nothing is left to answer
        "Two sum.\nInput: [1, 2], 3\nOutput: [0, 1]\nInput: [3, 3], 6\nOutput: [0, 1]",
        "Question: one?\nQuestion: two?\nQuestion: three?",
        "Output: a table\nInput: my notes\nText: the notes are below",
    ],
)
def test_what_holds_no_example_is_left_alone(text):
    assert without_context(text) == text


def test_examples_as_turns_of_a_chat_are_not_the_ask():
    turns = [
        Message("user", "2+2?"),
        Message("assistant", "4"),
        Message("user", "Prove that every prime above 3 is odd."),
    ]
    assert select(turns).text == "Prove that every prime above 3 is odd."


MARKS = st.sampled_from(
    [
        "Summarise the text below.\n\n",
        "<context>", "</context>", "<", ">", "\n> ", "```", "\n", ":", "\uff1a", "Question:", "Context:\n", "Q: ",
        "A: ", "Input: ", "Output: ", "# AGENTS.md", "<system-reminder>", "title", "summarise", "conversation",
        "Why?\n\n", "yes", "```py\n" + "x = y\n" * 120,
        "x " * 45, "\u3000", "é\n" * 50, "word " * 700, "\u017fystem",
        "<\u017fystem-reminder>", "please ", "next", "And for Spain?", "extract ", "<p>", "</p>", "\n\n", "\n\n",
        "Rewrite this.\n\n", "x " * 120,
    ]
)  # fmt: skip
TURNS = st.lists(
    st.builds(
        Message,
        st.sampled_from(["user", "user", "system", "assistant", "tool"]),
        st.lists(MARKS | st.text(max_size=5), max_size=8).map("".join),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=500, deadline=None)
@given(TURNS, st.sampled_from([(), ("read",)]))
def test_the_short_way_selects_what_the_long_way_does(turns, tools):
    found = select(turns, tools=tools)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "plain_ask", lambda _: None)
        assert select(turns, tools=tools) == found


@pytest.mark.skipif(not words.COMPILED, reason="built without a C compiler")
@pytest.mark.parametrize("more", ["", "\n\nAnd what would you change about it, in your own words?"])
def test_the_short_way_leaves_out_a_pasted_text_too(monkeypatch: pytest.MonkeyPatch, more: str):
    opening = "Summarise the ticket below in one line for the duty roster, then list what is missing to act on it."
    messages = [user(f"{opening}\n\n{'The page stays blank since the release of last week. ' * 8}{more}")]
    short = select(messages)
    monkeypatch.setattr(module, "plain_ask", lambda _: None)
    assert short == select(messages)
    assert short.text.startswith(opening)
    assert "blank" not in short.text


def test_the_short_way_is_for_plain_asks():
    short = short_way()
    assert short([system("Help."), user("  Why?\n")]) == "Why?"
    assert short([user("Fix it")]) == ("Fix it", False)  # may refer to what was said before
    assert short([user("OK then?")]) == ("OK then?", False)
    assert short([user("Fix that now")]) == "Fix that now"
    assert short([user("Rework it, please:\n\nAll is well.")]) == "Rework it, please:"
    assert short([user("Please rework it:\n\nAll is well.\n\nWhy so?")]) == "Please rework it:\nWhy so?"
    assert short([user("Review it:\n\nAll is well.")]) == ("Review it:\n\nAll is well.", False)
    assert short([user("Rework \xe9t\xe9:\n\nAll is well.")]) == ("Rework \xe9t\xe9:\n\nAll is well.", False)
    assert short([user("Rework it, please:\n\nAll is w\xe9ll.")]) == "Rework it, please:"
    assert short([user("What of it?\n\nAll is well.")]) == "What of it?\n\nAll is well."
    assert short([user("Rework it.\n\nWell.")]) == "Rework it.\n\nWell."  # too short to be a document
    assert short([user(f"What of it?\n\n{'All. ' * 12}\n\nBut why?")]) == "What of it?\nBut why?"  # long
    assert short([user(f"{'All. ' * 12}\n\nWhy, then")]) == "Why, then"
    assert short([user(f"{'All. ' * 12}\n\nWhy\u2019s that")]) == (f"{'All. ' * 12}\n\nWhy\u2019s that", False)
    assert short([user(f"{'All. ' * 12}\n\nEnd.")]) == f"{'All. ' * 12}\n\nEnd."
    assert short([user("All is well.\nb: c\ninput is d")]) == "All is well.\nb: c\ninput is d"
    assert short([user("What is wrong here?\n```\nall = 1")]) == "What is wrong here?\n```\nall = 1"  # short
    fence = f"```\n{'x ' * 20}> y </c>"
    assert short([user(f"What is wrong here?\n{fence}")]) == "What is wrong here?\n``` ```"
    assert short([user(f"What is wr\xf6ng here?\n{fence}```\n")]) == "What is wr\xf6ng here?\n``` ```"
    assert short([user(f"What is {fence}``` and {fence} ```here?")]) == "What is ``` ``` and ``` ```here?"
    for text in (
        "> a\nb",
        "a\n> b",
        "Input:\nb: c",
        "Question: a\nb",
        "a </c>",
        f"Fix this a </c>{fence}",
        f"Fix {fence}",
    ):
        assert short([user(text)]) == (text, True)
    for turns in ([user("a"), assistant("b")], [user("<b>")], [user(" ")], [user("# A")], [user("title chat")]):
        assert short(turns) is None
    assert short([system("title chat"), user("a")]) is None
    assert short([assistant("title chat"), user("a < b <i>")]) == "a < b <i>"
    for wrong in ([], (), [None], [user(None)], [system(None), user("a")]):
        with pytest.raises((TypeError, AttributeError)):
            short(wrong)
