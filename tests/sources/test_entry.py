from llm_audit.sources.entry import Reason
from llm_audit.vocabulary import REJECTED


def test_every_reason_for_a_rejection_has_words() -> None:
    assert sorted(REJECTED) == sorted(Reason)
