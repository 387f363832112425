# ruff: noqa: E501  (a rule reads best on one line)
"""Prompts written for this project, with a kind and a level, for kinds of task that no per-prompt table covers.

The public tables ask closed questions: mathematics, exams, trivia, code. What people ask an assistant every day, to
write, edit, extract, explain, play a part, is missing from them, and without it a classifier takes a poem for trivia.
Each template is filled with subjects in a fixed rotation; levels are logits on the scale of ``irt`` and deliberately
coarse. They teach the difference between kinds of task, never that between two prompts of one kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class Anchor(NamedTuple):
    """A prompt with the rule that made it, its kind and its level in logits."""

    rule: str
    prompt: str
    kind: str
    level: float


_SLOT: Final = re.compile(r"\{(\w+)\}")

SUBJECTS: Final = tuple(
    """the sea|an old lighthouse|remote work|a local bakery|renewable energy|the history of jazz|a lost dog|electric cars
a trip to Portugal|climate change|our new mobile app|a software release|a robot who learns to paint|online privacy
a school garden|space exploration|the Roman Empire|a detective in Cairo|healthy breakfasts|a wedding|the stock market
machine learning|a city library|mental health at work|a dragon and a knight|the French Revolution|coffee farming
public transport|a job interview|the water cycle|social media|a haunted house|photosynthesis|cyber security|minimalism
a football match|the immune system|urban planning|a grandmother's recipe|quantum computing|friendship|inflation
a product launch|deforestation|the human heart|a customer complaint|volcanoes|the printing press|a birthday party
vaccines|a mountain hike|blockchain|parenting|the Silk Road|a jazz club in winter|antibiotics|a charity run|plate tectonics
freelancing|the solar system|a rainy afternoon|supply chains|Shakespeare|a new manager|gravity|street food in Bangkok
housing prices|the Cold War|a chess champion|black holes|customer loyalty|evolution|a missed flight|nutrition labels
the Great Depression|artificial intelligence in hospitals|a marathon|DNA|tax returns|a travelling circus|ocean currents
user onboarding|an apology to a friend|the Renaissance|battery recycling|a night train|time management|whales
a quarterly report|the industrial revolution|meditation|a broken promise|wind turbines|a museum visit|credit scores
the periodic table|a school play|noise in cities|a lonely astronaut|data protection|bees|the Apollo programme""".replace(
        "\n", "|"
    ).split("|")
)

THINGS: Final = tuple(
    """a list of integers|a string|a CSV file|a binary tree|a linked list|user records|log lines|JSON documents|dates|emails
a matrix|a directory of text files|a graph|a REST API|a SQL table of orders|a priority queue|HTML pages|a shopping cart
temperature readings|a web form|image files|a dictionary of word counts|two sorted arrays|a stack|bank transactions
a chat server|a calendar|a cache|sensor data|a to-do list|a tic-tac-toe board|prime numbers|time zones|XML feeds""".replace(
        "\n", "|"
    ).split("|")
)

_W, _I, _K, _C, _R, _M = "writing", "instruction", "explanation", "code", "reasoning", "math"
_MED, _LAW, _SQL, _CHAT = "medicine", "law", "data", "chat"

TEMPLATES: Final[tuple[tuple[str, float, str], ...]] = (
    (_W, -3.4, "Write a short poem about {s}."),
    (_W, -3.2, "Write a newsletter article about {s}. Keep the tone warm."),
    (_W, -3.0, "I need 500 words on {s} for our magazine, lively and easy to read."),
    (_W, -3.2, "Tell me a bedtime story about {s}."),
    (_W, -3.0, "Write the last chapter of a thriller in which {s} turns out to matter."),
    (_W, -3.3, "Write a polite email to my landlord that mentions {s}."),
    (_W, -2.8, "Write an opinion piece for a newspaper that argues against {s}."),
    (_W, -3.4, "Give me a dozen slogans for a campaign about {s}."),
    (_W, -3.2, "Write an Instagram caption and some hashtags for a photo of {s}."),
    (_W, -2.9, "Act as a stand-up comedian and do two minutes on {s}."),
    (_W, -2.9, "You are a grumpy medieval innkeeper. Stay in character. A guest asks you about {s}."),
    (_W, -2.9, "Let's role-play: you are my mentor, I am nervous about {s}. You start."),
    (_W, -2.9, "From now on answer like a famous chef would. What do you make of {s}?"),
    (_W, -3.0, "Write a scene for two actors who quarrel over {s}."),
    (_W, -2.4, "Write a villanelle on {s} without using the letter e."),
    (_W, -3.1, "Write a rap about {s} with a hook."),
    (_W, -3.1, "Write a toast for a retirement party with a joke about {s}."),
    (_W, -3.2, "Improve my CV's summary; I have worked with {s} for six years."),
    (_W, -3.0, "Make this product description of {s} sound exciting."),
    (_W, -3.0, "Write a fairy tale set around {s} with a surprising moral."),
    (_I, -3.6, "How do you say 'we talked about {s} yesterday' in German?"),
    (_I, -3.6, "Translate the following to French: {s} is in the news again."),
    (_I, -3.4, "tl;dr of the text below on {s}, please"),
    (_I, -3.4, "Fix the spelling: i thnik {s} is realy intresting becuase it hepls"),
    (_I, -3.0, "Make the paragraph on {s} shorter and less formal."),
    (_I, -2.8, "Pull every phone number and address out of the message about {s} and give me JSON."),
    (_I, -2.8, "Label each of these support tickets about {s} as bug, question or praise."),
    (_I, -3.2, "Give me tags for a post on {s}, separated by commas."),
    (_I, -3.2, "Turn my notes on {s} into bullet points."),
    (_I, -4.2, "remind me to read about {s} tomorrow"),
    (_I, -4.0, "play something about {s}"),
    (_I, -3.6, "Write a short title for this conversation about {s}."),
    (_I, -3.4, "Summarise this conversation about {s}."),
    (_I, -3.0, "Convert the table on {s} to markdown with three columns."),
    (_I, -2.8, "Which people, firms and places does the article on {s} mention? Group them by kind."),
    (_I, -2.6, "Fill the template with the fields from the record on {s} and leave unknown ones empty."),
    (_I, -2.8, "Sort the items on {s} into these groups: urgent, soon, later. Output one line for each item."),
    (_CHAT, -4.4, "thanks, that was helpful about {s}"),
    (_K, -3.0, "Explain {s} to a ten year old."),
    (_K, -3.0, "What is {s}? A short overview will do."),
    (_K, -2.9, "Pros and cons of {s}?"),
    (_K, -2.7, "How did {s} change everyday life, and for whom?"),
    (_K, -2.8, "How does {s} differ from what came before it?"),
    (_K, -3.0, "How does {s} work?"),
    (_K, -3.0, "Tell me something surprising about {s}."),
    (_K, -2.8, "Make a worksheet on {s} for fourteen year olds."),
    (_K, -2.8, "Which podcasts and books on {s} are worth my time?"),
    (_K, -2.7, "A short history of {s}, please."),
    (_K, -2.9, "Why do people care about {s}?"),
    (_K, -3.0, "I'm new to {s}. Where do I start?"),
    (_K, -2.6, "What are common misconceptions about {s}? Explain what experts say instead."),
    (_C, -2.0, "Write a Python script that loads {t} and prints a summary."),
    (_C, -1.8, "Write a Java class that compares two versions of {t} and reports the differences."),
    (_C, -1.6, "Implement an iterator over {t} in C++ that never copies an element."),
    (_C, -1.4, "My code for {t} throws an exception. What is wrong?\n\n```\ndef f(x):\n    return x[0]\n```"),
    (_SQL, -2.0, "Write a SQL query over {t} that returns the top customers by month."),
    (_C, -0.9, "Implement a thread-safe cache for {t} with expiry in Rust, with tests for the race conditions."),
    (_C, -1.2, "Refactor the module that handles {t} to use dependency injection and explain the trade-offs."),
    (_C, -2.2, "Make a small web page with a form for {t}."),
    (_C, -2.0, "How do I parse {t} in JavaScript?"),
    (_C, -1.5, "Write unit tests for a class that validates {t}."),
    (_C, -1.0, "The Kubernetes deployment that serves {t} restarts in a loop. What is the root cause?"),
    (_C, 0.9, "Prove that this lock-free algorithm over {t} is linearizable and implement it with atomics."),
    (_R, -1.6, "Three people each know something about {s}. Only one tells the truth. Who is it? Explain step by step."),
    (_R, -1.5, "Everyone who likes {s} likes tea. Some who like tea are old. Does it follow that some old people like {s}?"),
    (_R, -1.4, "Five friends sit in a row and talk about {s}. Anna sits next to Ben, Carl is last. Who may be first?"),
    (_R, -0.8, "Find a strategy for {s} under a limited budget, conflicting goals and uncertain demand; justify each step."),
    (_MED, -0.8, "A patient with several conditions takes three medicines. Given {s}, what is the diagnosis and management plan?"),
    (_LAW, -0.5, "Analyse the legal liability of each party in a contract dispute over {s} and cite the governing principles."),
    (_R, 0.5, "Plan the migration of our production database for {s} with no downtime, and a rollback for every step."),
    (_R, -1.2, "What assumptions does the following argument about {s} make, and where is its flaw?"),
    (_R, -1.5, "If the meeting on {s} is two days after the day before tomorrow, on what day is it? Today is Friday."),
    (_M, -2.2, "Tickets for {s} cost 15 euros, members pay two thirds. 12 members and 8 guests came. What was taken in total?"),
    (_M, -1.6, "A bag holds 5 red and 7 blue balls from {s}. Two are drawn. How likely is it that both are red?"),
    (_M, -1.8, "Solve 3x + 7 = 22 and explain each step as if it were about {s}."),
    (_M, -0.5, "Find all real solutions of x^4 - 5x^2 + 4 = 0 and the area between the curve and the axis."),
    (_M, 0.8, "Let G be a finite group and H a normal subgroup. Prove or disprove that the quotient is abelian."),
    (_M, 0.8, "Prove that there are infinitely many primes of the form 4k + 3."),
    (_M, 1.0, "Show that the sequence converges and find its limit; justify every exchange of limits."),
    (_M, -1.5, "Evaluate the integral of x times e to the x from 0 to 1."),
    (_M, -2.0, "Differentiate sin(3x) / x and simplify."),
)  # fmt: skip


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.replace("\n", "|").split("|"))


SLOTS: Final = {
    "s": SUBJECTS,
    "t": THINGS,
    "make": _list(
        "Write|Compose|Draft|Create|Craft|Come up with|Generate|Please write|Can you write|Help me write|I need|Produce|Prepare"
    ),
    "how": _list(
        "short|funny|moving|vivid|persuasive|professional|friendly|catchy|descriptive|thoughtful|witty|dramatic|warm|formal"
    ),
    "piece": _list(
        """poem|story|short story|essay|blog post|article|email|letter|speech|script|dialogue|song|headline|slogan|review|memo
paragraph|description|biography|cover letter|press release|caption|tweet|newsletter|outline|proposal|fable|monologue|diary entry"""
    ),
    "limit": _list(
        "|Keep it under 200 words.|Use simple language.|Make it engaging.|Be concise.|Two paragraphs at most.|Include a title.|Avoid clichés."
    ),
    "play": _list("Act as|Pretend to be|You are|Imagine you are|Take the role of|I want you to be|Speak like|Play"),
    "persona": _list(
        """a travel agent|a strict editor|a medieval knight|a career coach|my personal trainer|a famous singer|a sommelier
an interviewer|a detective|a science teacher|a superhero|a philosopher|a news anchor|a cat|a grandfather|a film critic|a nurse
a sales person|a motivational speaker|a historian|an alien visitor|a marriage counsellor|a fortune teller|a chess coach"""
    ),
    "then": _list(
        """What do you say about {s}?|Tell me how you feel about {s}.|My first question is about {s}.|Stay in character.|Advise me on {s}.
Convince me to care about {s}.|Describe your day.|How would you explain {s}?|We talk about {s}; you begin."""
    ),
    "wish": _list(
        """It is meant for {persona}.|Mention {s} and what follows from it.|The tone should be {how}.|Start with something {how}.
I have to hand it in tomorrow.|Avoid lists.|End with a question to the reader.|My readers know little about {s}.|Refer to {s}.
Give it a {how} title.|The main character has never heard of {s}.|Do not mention {s}.|Use at least one quotation."""
    ),
    "detail": _list(
        """I have read about {s} but I still find it confusing.|Compare it with {s}.|Say which of it is still disputed.|Why should I care?
Illustrate it with {s}.|I am preparing a talk about it for {persona}.|What role did {s} play in it?|Give sources where you can.
Point out what most people get wrong.|Which trends do you expect?|Suggest how I could learn more.|What would {persona} say about it?"""
    ),
    "rule": _list(
        """Keep the original order.|Leave out anything about {s}.|If something is missing, write n/a.|Do not add comments.|Use lower case.
Answer only with the result.|Treat {s} and {s} as the same.|Sort by date.|The text was written by {persona}.|Separate fields by a semicolon."""
    ),
    "do": _list("Extract|List|Identify|Find|Collect|Pick out|Highlight|Count|Get|Return"),
    "item": _list(
        "names|dates|prices|keywords|email addresses|action items|main points|product names|numbers|places|authors|errors|titles|quotes"
    ),
    "source": _list(
        "the text below|this paragraph|the following article|these notes|the review|this transcript|the passage|the email|the table|the list"
    ),
    "as": _list(
        "as JSON|as a table|as CSV|in bullet points|one per line|as a numbered list|in alphabetical order|in markdown|as a Python list"
    ),
    "edit": _list(
        "Rewrite|Paraphrase|Proofread|Shorten|Correct|Simplify|Summarize|Translate|Reformat|Edit|Condense|Polish"
    ),
    "tell": _list(
        "Explain|Describe|Discuss|Tell me about|Give an overview of|Outline|What do you know about|Introduce|Walk me through|Talk about"
    ),
    "depth": _list(
        "|Give examples.|What are the key points?|Why does it matter?|List the main ideas.|How did it develop?|Include causes and effects.|Keep it simple."
    ),
    "lang": _list("Python|JavaScript|TypeScript|Java|C++|C#|Go|Rust|PHP|Ruby|Kotlin|SQL|Bash|Swift|R"),
    "build": _list("Write|Implement|Create|Develop|Build|Give me|Code|Show me|I need|Design"),
    "unit": _list(
        "a function|a program|a script|a class|a method|an algorithm|a command line tool|an API endpoint|a small app|a module|unit tests"
    ),
    "op": _list(
        "sorts|filters|parses|validates|reverses|merges|counts|searches|compresses|displays|stores|deduplicates|serialises|traverses|updates"
    ),
    "drug": _list(
        """warfarin|heparin|metformin|lithium|digoxin|insulin|amiodarone|methotrexate|apixaban|morphine|prednisone|phenytoin
vancomycin|clozapine|furosemide|rifampicin"""
    ),
    "sign": _list(
        """chest pain|melena|confusion|a seizure|jaundice|haematuria|syncope|fever and neck stiffness|bradycardia|hypotension
a rising creatinine|hyperkalaemia|a swollen calf|sudden loss of vision|vomiting blood|a petechial rash|stridor"""
    ),
    "claim": _list(
        """every bounded sequence has a convergent subsequence|the sum of two compact sets is compact|no integer is both even and odd
the ring has no zero divisors|the series diverges|every tree has two leaves|the function is uniformly continuous
the set of algebraic numbers is countable|every group of prime order is cyclic|the graph is not planar|n divides the product
the operator is self-adjoint|the determinant vanishes|such a prime always exists|the kernel is an ideal"""
    ),
    "area": _list(
        "number theory|measure theory|group theory|topology|graph theory|real analysis|linear algebra|combinatorics"
    ),
    "system": _list(
        """consensus protocol|distributed lock|query planner|garbage collector|rate limiter|payment ledger|scheduler|search index
replicated log|compiler pass|event store|memory allocator|stream processor|feature store"""
    ),
    "need": _list(
        """under network partitions|with exactly-once semantics|across three regions|without a single point of failure
at a million requests a second|with zero downtime|for regulated data|with bounded memory|and analyse its failure modes"""
    ),
    "name": _list("Anna|Omar|Li|Sofia|Kofi|Maria|Tom|Priya|Jonas|Yuki|Fatima|Diego"),
    "kin": _list("brothers|sisters|cousins|friends|colleagues|neighbours|children|classmates"),
    "rel": _list("taller than|older than|to the left of|faster than|heavier than|richer than|behind|north of"),
}
"""Fillings of the slots of ``RULES``. A filling may have slots of its own."""

RULES: Final[tuple[tuple[str, float, str], ...]] = (
    (_W, -3.1, "{make} a {how} {piece} about {s}. {limit}"),
    (_W, -3.0, "{make} a {piece} on {s} for {persona}. {limit}"),
    (_W, -2.9, "{play} {persona}. {then}"),
    (_W, -3.0, "{make} a {how} {piece} that starts with a question about {s}."),
    (_I, -2.9, "{do} the {item} from {source} {as}."),
    (_I, -3.2, "{edit} {source}. {limit}"),
    (_I, -3.0, "{do} all {item} in {source} about {s} {as}."),
    (_I, -2.9, "Assign each line of {source} to one of these groups: {item}, {item}, other. Answer {as}."),
    (_K, -2.9, "{tell} {s}. {depth}"),
    (_K, -2.8, "{tell} the relation between {s} and {s}. {depth}"),
    (_K, -2.9, "What are some good ideas about {s}? {depth}"),
    (_K, -2.9, "How did {s} influence {s}? {depth}"),
    (_W, -3.0, "{make} a {how} {piece} about {s}. {wish} {wish} {wish} {limit}"),
    (_W, -2.8, "{play} {persona}. {wish} {then} {then} {limit}"),
    (_W, -2.8, "From now on you are {persona}. I will tell you about {s} and you react in character. {then} {wish} {wish}"),
    (_W, -2.9, "{make} a {piece} of several paragraphs about {s} and {s}. {wish} {wish} {wish} {wish} {limit}"),
    (_I, -2.8, "{edit} {source}. {rule} {rule}\n\nWe spoke about {s}. Then {persona} came in and told us about {s}. It was {how}."),
    (_I, -2.7, "{do} the {item} and the {item} from {source} {as}. {rule} {rule}\n1. {s}, {how}\n2. {s}, {how}\n3. {s}, {how}"),
    (_I, -2.8, "Decide for each of these whether it is {how} or {how}. {rule}\n- {s}\n- {s}\n- {s}\n- {s}"),
    (_K, -2.7, "{tell} {s}. {detail} {detail} {depth}"),
    (_K, -2.6, "{tell} {s} and its connection with {s}. {detail} {detail} {detail} {depth}"),
    (_K, -2.7, "What are the causes of {s}, and how do they affect {s}? {detail} {detail}"),
    (_C, -1.4, "{build} {unit} in {lang} that {op} {t} and then {op} {t}. It should run on a server and log errors. Add comments."),
    (_C, -1.7, "{build} {unit} in {lang} that {op} {t}."),
    (_C, -1.6, "{build} {unit} that {op} {t} without extra memory. Use {lang}."),
    (_C, -1.5, "Why does my {lang} code that {op} {t} fail? Find the bug."),
    (_R, -1.5, "{name} and {name} are {kin}. One always lies. Who said that {s} is boring? Explain your reasoning."),
    (_R, -1.5, "{name} is {rel} {name}. {name} is {rel} {name}. Who is last? Think step by step."),
    (_R, -1.4, "If {name} is {rel} {name} and nobody is {rel} {name}, what can be concluded?"),
    (_MED, -0.6, "{sign} on {drug}. What is the management?"),
    (_MED, -0.6, "Patient on {drug} and {drug}, now {sign} and {sign}: next step?"),
    (_MED, -0.7, "Is {drug} safe with {drug} after {sign}?"),
    (_MED, -0.6, "{sign}, {sign}, history of {sign}; differential diagnosis and plan?"),
    (_M, 0.8, "Prove that {claim}."),
    (_M, 0.9, "Prove or disprove: {claim}. Use only elementary {area}."),
    (_M, 0.8, "Let X be given as in {area}. Show that {claim} and that {claim}."),
    (_R, 0.6, "Design a {system} {need} and justify the trade-offs."),
    (_C, 0.7, "Implement a {system} in {lang} {need}; prove its invariants and test the edge cases."),
    (_M, -1.9, "{name} buys 4 books at $12 and sells {t} for $30. How much does {name} have left?"),
    (_M, -1.7, "What is the probability that {name} draws two aces? Show your work."),
)  # fmt: skip
PER_RULE: Final = 150

SMALL_TALK: Final = tuple(
    """hi|hello|hey|hi there|good morning|thanks|thank you|thanks a lot|bye|see you|ok|cool|nice|great, thanks|how are you?
what's up|good night|you're welcome|never mind|stop|help|test|testing|ping|hello?|who are you?|what can you do?
tell me a joke|what time is it?|sorry|no problem|perfect, thank you|lol|hmm|yes|no""".replace("\n", "|").split("|")
)
PER_TEMPLATE: Final = 40


def anchors() -> Iterator[Anchor]:
    """Yield every anchor, always in the same order."""
    for row, (kind, level, template) in enumerate(TEMPLATES):
        slotted = "{" in template and "{\n" not in template
        for turn in range(PER_TEMPLATE if slotted else 1):
            yield Anchor(f"template {row}", _fill(template, 41 * row + turn), kind, level)
    for row, (kind, level, rule) in enumerate(RULES):
        for turn in range(PER_RULE):
            yield Anchor(f"rule {row}", _fill(rule, 1009 * row + turn).strip(), kind, level)
    for text in SMALL_TALK:
        yield Anchor("small talk", text, _CHAT, -5.0)


def _fill(template: str, turn: int) -> str:
    """Fill the slots one by one, each from a different place of its list, so that pairs keep changing."""
    position = 0
    while (found := _SLOT.search(template)) is not None:
        choices = SLOTS[found.group(1)]
        position += 1
        choice = choices[(turn * (2 * position + 1) + turn // len(choices) + 5 * position) % len(choices)]
        template = template[: found.start()] + choice + template[found.end() :]
    return template
