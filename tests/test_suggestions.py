from llm_audit.suggestions import did_you_mean, similar_names, suggest


def test_the_most_similar_name_is_offered():
    assert did_you_mean("polcy", ("prices", "policy")) == " Did you mean 'policy'?"
    assert did_you_mean("zebra", ("prices", "policy")) == ""
    assert did_you_mean("any", {}) == ""


def test_several_names_are_offered_the_most_similar_first():
    names = similar_names("gpt-4", ["gpt-4o", "gpt-4", "claude"], limit=3, min_similarity=0.75)
    assert names == ["gpt-4", "gpt-4o"]
    assert suggest(names) == " Did you mean 'gpt-4' or 'gpt-4o'?"
