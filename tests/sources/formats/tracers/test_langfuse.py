from tests.sources.formats.fixture_files import not_calls, requests, tokens

UI = "langfuse/ui_observations.jsonl"
BLOB = "langfuse/blob_observations.jsonl"


def test_generations_of_the_ui_add_up() -> None:
    found = requests(UI)
    assert [request.usage.input_tokens for request in found] == [417, 131, 502, 265, 85, 55, 60, 108, 39, 28, 13]
    assert [request.usage.output_tokens for request in found] == [53, 69, 14, 73, 29, 15, 15, 51, 6, 3, 81]
    assert not_calls(UI) == ["parent_span"] * 3


def test_prompts_of_several_frameworks() -> None:
    pydantic, *_, openai, _, langgraph, _, google, _, llamaindex = requests(UI)
    assert [message.role for message in pydantic.messages or []][:3] == ["system", "user", "assistant"]
    assert [message.role for message in openai.messages or []] == ["system", "user", "assistant", "tool"]
    assert langgraph.completion_calls == 'Web-Search({"query":"example"})'
    assert (google.provider, google.tools) == ("google", ("say_hello",))
    assert [message.text for message in llamaindex.messages or []] == ["What is Langfuse?"]


def test_a_downloaded_trace_lends_its_session_to_its_observations() -> None:
    (request,) = requests("langfuse/ui_trace_download.json")
    assert tokens(request) == (13, 0, None, None, 81)
    assert (request.user, request.conversation, request.app) == ("user_123", "session_abc", "llama-index-trace")
    assert (request.tags, request.latency_ms) == (("llama-index", "rag"), 2776.0)
    assert request.merge_key == requests(UI)[-1].merge_key  # the same observation, in both files
    assert not_calls("langfuse/ui_trace_download.json") == ["parent_span"]


def test_blob_exports_are_disjoint_unless_copied_from_openinference() -> None:
    openai, anthropic, copied = requests(BLOB)
    assert (tokens(openai), openai.usage.reasoning_tokens) == ((100, 900, None, None, 28), 8)  # 1028 in all
    assert tokens(anthropic) == (10, 400, 30, 60, 7)
    assert tokens(copied) == (100, 900, None, None, 20)  # 1020 = 1000 + 20: inclusive
    assert [openai.stated_cost_pico, anthropic.stated_cost_pico] == [1_575_000_000, None]
    assert (anthropic.status, openai.max_output_tokens, openai.environment) == ("error", 50, "prod")
    assert (openai.time_us, openai.latency_ms) == (1_780_062_379_963_000, 1037.0)  # no zone is UTC
    assert not_calls(BLOB) == ["parent_span", "not_a_model_call"]


def test_usage_details_under_the_names_of_each_sdk() -> None:
    audio, modalities, gemini, chat, _, _, repeated, lifetimes = requests("langfuse/usage_details.jsonl")
    assert tokens(audio) == (100, 20, None, None, 60)  # 250 = 100 + 30 audio + 20 cached + 50 + 40 audio + 10 reasoning
    assert (audio.usage.audio_input_tokens, audio.usage.audio_output_tokens) == (30, 40)
    assert (audio.usage.reasoning_tokens, audio.stated_cost_pico) == (10, 2_100_000_000)
    assert tokens(modalities) == (600, 400, None, None, 120)  # LangChain's: 1160 = 600 + 40 audio + 400 + 50 + 70
    assert tokens(gemini) == (60, 40, None, None, 120)  # 220 = 100 + 50 + 70: the cached tokens are part of the input
    assert tokens(chat) == (100, None, None, None, 50)
    assert tokens(repeated) == (100, 900, None, None, 20)  # one count under two names
    assert tokens(lifetimes) == (10, None, 30, 60, 20)
    assert lifetimes.usage.unread_counts == "novel_units"
    assert {found.usage.unexplained_tokens for found in (audio, modalities, gemini, chat, repeated)} == {None}


def test_the_total_that_langfuse_sums_up_itself_settles_nothing() -> None:
    *_, openai, anthropic, _, _ = requests("langfuse/usage_details.jsonl")
    assert tokens(openai) == (100, 900, None, None, 20)
    assert (tokens(anthropic), anthropic.usage.ambiguous_tokens) == ((1000, 900, None, None, 20), 900)


def test_observations_before_version_3() -> None:
    tokened, characters = requests("langfuse/version_2.json")
    assert (tokens(tokened), tokened.stated_cost_pico) == ((1200, None, None, None, 50), 3_500_000_000)
    assert tokens(characters) == (None, None, None, None, None)
    assert not_calls("langfuse/version_2.json") == ["parent_span"]


def test_rows_of_a_downloaded_sheet_lack_their_empty_cells() -> None:
    detailed, plain = requests("langfuse/observations.csv")
    assert (tokens(detailed), detailed.user, detailed.app) == ((36, 64, None, None, 20), "ann", "answer")
    assert tokens(plain) == (100, None, None, None, 20)
    assert not_calls("langfuse/observations.csv") == ["parent_span"]
