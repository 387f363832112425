"""Patterns that tell an ask from what surrounds it. English, like the texts the classifier is trained on.

They describe what public agents and chat front ends send; each is anchored or bounded, so none can run away on long
input.
"""

from __future__ import annotations

import re
from typing import Final

from llm_audit.vocabulary import Step

HARNESS: Final = re.compile(
    r"<(system[-_]reminder|environment[-_](?:details|context)|user[-_]instructions|command-(?:name|message|args)"
    r"|local-command-\w+|ide_\w+|attached[-_]files?|documents?|document_content|file(?:_contents?)?|context|search_results"
    r"|tool_result|INSTRUCTIONS|quote)\b[^>]{0,200}>.*?(?:</\1>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
"""Blocks that a harness, a retriever or a front end wraps around the ask; one left open runs to the end."""

HARNESS_HEADS: Final = (
    "system", "environment", "user", "command-", "local-command-", "ide_", "attached", "document", "file", "context",
    "search_results", "tool_result", "instructions", "quote",
)  # fmt: skip
"""Every tag of these blocks begins with one of them."""

QUOTE: Final = re.compile(r"^>.*$\n?", re.MULTILINE)

CHORE_WORDS: Final = ("title", "summar", "topic", "follow-up", "tags", "5-10 word", "under 50")
CHORE_SUBJECTS: Final = (
    "conversation", "chat", "session", "thread", "dialogue", "message", "coding", "newtopic", "title gen",
)  # fmt: skip
"""Without a word of each of these, neither of the next two patterns can match."""

ODD_LETTERS: Final = "\u0130\u0131\u017f\u212a"
"""Letters beyond ASCII that a pattern without regard to case takes for one of ASCII."""

TITLE: Final = re.compile(
    r"\b(?:generate|write|create|give|provide|suggest|come up with|produce|summari[sz]e)\b[^.\n]{0,80}"
    r"\b(?:title|5-10 word|under 50 characters|follow-up questions?|tags)\b[^.\n]{0,60}"
    r"\b(?:conversation|chat|session|thread|dialogue|messages?|coding|chat history)\b"
    r"|\b(?:conversation|chat|session|thread)\b[^.\n]{0,60}\b(?:title)\b[^.\n]{0,40}\b(?:words?|characters|concise|short)\b"
    r"|\bsummari[sz]e [^.\n]{0,40}\b(?:conversation|chat|session)\b[^.\n]{0,20}"
    r"\b(?:under|within|at most) \d+ (?:characters|words)\b"
    r"|isNewTopic|\btitle generator\b|\bnew conversation topic\b",
    re.IGNORECASE,
)
"""Calls that name or tag a conversation for its interface."""

SUMMARY: Final = re.compile(
    r"\b(?:create|write|provide|produce|generate)\b[^.\n]{0,40}\bsummary of (?:the|this|our) "
    r"(?:conversation|chat|session|dialogue)\b"
    r"|\bsummari[sz]e (?:the|this|our) (?:conversation|chat|session|dialogue)\b",
    re.IGNORECASE,
)
"""Calls that compact a conversation."""

_ASSENT: Final = (
    r"(?:yes|yep|yeah|yup|no|nope|ok(?:ay)?|sure|right|correct|exactly|agreed|approved?|confirm(?:ed)?|proceed|continue"
    r"|resume|go(?: ahead| on| for it)?|do (?:it|that|so|this|both|all)|keep going|carry on|next|(?:try )?again|retry"
    r"|same"
    r"|more|both|all of (?:them|it)|(?:the )?(?:first|second|third|last|other) one|option \w+|lgtm|ship it|sounds good"
    r"|looks good|why(?: not)?|how(?: so| come)?|and|then|with it|what else)\b[\s,.!?…-]*"
)
ASSENT: Final = re.compile(
    rf"(?:please[\s,]*)?{_ASSENT}(?:{_ASSENT}|(?:please|now|perfect|great|thanks?|thank you)\b[\s,.!?…-]*)*",
    re.IGNORECASE,
)
"""An assent, or a word that means nothing without the turns before."""

ASSENT_HEADS: Final = (
    "please", "yes", "yep", "yeah", "yup", "no", "next", "ok", "sure", "right", "correct", "exactly", "agreed",
    "approve", "confirm", "proceed", "continue", "resume", "go", "do ", "keep going", "carry on", "try ", "again",
    "retry", "same", "more", "both", "all of ", "the ", "first", "second", "third", "last", "other one", "option ",
    "lgtm", "ship it", "sounds good", "looks good", "why", "how", "and", "then", "with it", "what else",
)  # fmt: skip
"""Such a text begins with one of these."""

REFERENCE: Final = re.compile(
    r"(?:and|but|what about|how about|same (?:for|with))\b.*"
    r"|(?=.*\b(?:it|that|this|them|those|these|one|ones|above|again|previous|earlier|instead)\b)"
    r"(?:yes|no|ok(?:ay)?|so|then|also|or|now|why|how|please|can|could|make|fix|explain|rewrite|redo|shorten|expand|revert"
    r"|undo|change|run|test|translate|simplify|elaborate|do|try|use|add|remove|put|move|show|give|is|are|does|did)\b.*",
    re.IGNORECASE,
)
"""A short ask about something earlier: "it", "the second one", "and for Spain?"."""

REFERENCE_HEADS: Final = (
    "and", "but", "what about", "how", "same", "yes", "no", "ok", "so", "then", "also", "or", "why", "please", "can",
    "could", "make", "fix", "explain", "re", "shorten", "expand", "undo", "change", "run", "test", "translate",
    "simplify", "elaborate", "do", "try", "use", "add", "put", "move", "show", "give", "is", "are", "did",
)  # fmt: skip
"""Such a short ask begins with one of these."""

REQUEST_WORDS: Final = (
    "please", "can", "could", "would", "will", "what", "which", "who", "why", "when", "where", "how", "is", "are", "do",
    "does", "did", "should", "i need", "i want", "summarise", "summarize", "explain", "translate", "write", "list",
    "find", "extract", "analyse", "analyze", "review", "compare", "describe", "identify", "rewrite", "edit", "answer",
    "tell", "give", "read", "using", "based", "create", "make", "fix", "debug", "refactor", "implement", "convert",
    "classify", "prove", "solve", "compute",
)  # fmt: skip

REQUEST: Final = re.compile(rf"\W*(?:{'|'.join(REQUEST_WORDS)})\b", re.IGNORECASE)
"""The beginning of a paragraph that asks for something."""

POLITE_WORDS: Final = ("please ", "bitte ", "can you ", "could you ")
REWORK_WORDS: Final = (
    "summarise", "summarize", "translate", "shorten", "condense", "proofread", "rewrite", "rephrase", "paraphrase",
    "tag", "label", "classify", "categorise", "categorize", "extract",
)  # fmt: skip

REWORK: Final = re.compile(
    rf"\W*(?:{'|'.join(POLITE_WORDS)})?(?:{'|'.join(REWORK_WORDS)}"
    r"|(?:write|give|find|suggest)(?: me| this \w+)? an? (?:\w+ )?(?:headline|title|subject|summary|abstract)"
    r"|correct the|fass\w*\b.{0,40}zusammen|übersetz|extrahier|klassifizier|kürze|korrigier"
    "|résum|tradui|extrai|classe|corrig|reformul|raccourci|resum|traduc|traduz|extrae|clasific|classific|acort|encurt"
    "|riassum|estra|correg|riformul|vat .{0,40}samen|vertaal|herschrijf|streść|przetłumacz|wyodrębnij|sklasyfikuj"
    "|popraw|переведи|резюмируй|изложи|извлеки|классифицируй|исправь|сократи|لخص|ترجم|استخرج|صن[ّ]?ف|صحح"
    r"|[^\n]{0,40}(?:总结|概括|翻译|提取|分类|改写|要約|翻訳|抽出|分類|校正|요약|번역|추출|분류|교정"
    r"|सारांश|अनुवाद|वर्गीकृत))",
    re.IGNORECASE,
)
"""The beginning of a paragraph that asks to rework the text after it: to summarise, translate, label, correct it."""

REWORK_HEADS: Final = (
    "please ", "bitte ", "can you ", "could you ", "summari", "translate", "shorten", "condense", "proofread", "re",
    "paraphrase", "tag", "label", "classif", "categori", "extra", "cor", "fass", "klassifizier", "kor",
    *(f"{verb} {after}" for verb in ("write", "give", "find", "suggest") for after in ("a", "me a", "this ")),
    "tradu", "classe", "raccourci", "clasific", "acort", "encurt", "riassum", "estra",
    "riformul", "vat ", "vertaal", "herschrijf", "stre", "prze", "wyod", "sklasyfikuj", "popraw",
)  # fmt: skip
"""Such a paragraph begins with one of these, but for marks before it, or holds a letter beyond ASCII."""

ASKING_MARKS: Final = ("?", "\uff1f", ":")
"""The ends of such paragraphs."""

QUESTION_WORDS: Final = (
    "question", "query", "q", "frage", "pregunta", "pergunta", "domanda", "vraag", "pytanie", "вопрос", "问题", "質問",
    "질문", "प्रश्न", "السؤال",
)  # fmt: skip

QUESTION: Final = re.compile(
    rf"^[#*\s]*(?:the |user |user's |customer )?(?:{'|'.join(QUESTION_WORDS)})[*\s]*[:\uff1a]",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that puts the question, after the documents that it is about."""

DOCUMENTS: Final = re.compile(
    r"^[#*\s]*(?:(?:the |relevant |retrieved )?(?:context|documents?|passages?|sources?|excerpts?|search results?"
    "|extract|kontext|contexte|contexto|contesto|kontekst|контекст|上下文|文脈|문맥|संदर्भ|السياق)\\b[^\\n]{0,30}[:\uff1a]"
    r"|\[(?:doc(?:ument)? ?)?\d+\])",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that begins a document."""

EXAMPLE_WORDS: Final = (
    "q", "question", "input", "text", "review", "sentence", "ticket", "email", "user", "frage", "eingabe", "entrée",
    "entrada", "pregunta", "pergunta", "domanda", "вопрос", "ввод", "输入", "问题", "入力", "質問", "입력", "질문",
)  # fmt: skip

EXAMPLE_ASK: Final = re.compile(
    rf"[#*\s]*(?:example \d+\W{{1,3}})?(?:{'|'.join(EXAMPLE_WORDS)})[*\s]*[:\uff1a]", re.IGNORECASE
)
"""The label of what an example puts in, or of the ask that follows the examples."""

EXAMPLE_ANSWER: Final = re.compile(
    r"[#*\s]*(?:a|answer|output|label|class|category|sentiment|response|assistant|translation|summary|antwort"
    "|ausgabe|réponse|sortie|respuesta|salida|resposta|saída|risposta|ответ|вывод|输出|答案|出力"
    "|回答|출력|답변)[*\\s]*[:\uff1a]",
    re.IGNORECASE,
)
"""The label of an example's answer."""

TAGGED: Final = re.compile(
    r"<(context|documents?|passages?|sources?|search_results|retrieved\w*)\b[^>]*>.*?</\1>", re.IGNORECASE | re.DOTALL
)
"""Documents between tags."""

PLAN: Final = re.compile(
    r"\W*(?:(?:make|write|draft|create|propose|give me|outline) an? [^.\n]{0,40}\bplan\b|plan\b)", re.IGNORECASE
)

PLAN_HEADS: Final = ("make a", "write a", "draft a", "create a", "propose a", "give me a", "outline a", "plan")
"""An ask for a plan begins with one of these, after what is no part of a word."""

STEPS: Final = (
    (
        Step.VERIFY,
        re.compile(
            r"\b(?:pytest|npm (?:run )?test|cargo test|go test|make test|run_tests?|lint|mypy|tsc)\b", re.IGNORECASE
        ),
    ),
    (
        Step.IMPLEMENT,
        re.compile(r"\b(?:edit|multi_?edit|write|apply_patch|str_replace\w*|create_file|write_file)\b", re.IGNORECASE),
    ),
    (
        Step.EXPLORE,
        re.compile(
            r"\b(?:read|grep|glob|ls|find|cat|search\w*|list_\w+|read_file|view|fetch|web_?search|get_\w+)\b",
            re.IGNORECASE,
        ),
    ),
)
"""Steps by the tools that are called; the first that matches counts."""

STEPS_IN_LOWER_CASE: Final = tuple(
    (step, words, re.compile(pattern.pattern, re.ASCII))
    for (step, pattern), words in zip(
        STEPS,
        (
            ("test", "lint", "mypy", "tsc"),
            ("edit", "write", "apply_patch", "str_replace", "create_file"),
            ("read", "grep", "glob", "ls", "find", "cat", "search", "list_", "view", "fetch", "get_"),
        ),
        strict=True,
    )
)
"""The same for ASCII in lower case, each with the words of which one is in whatever matches."""
