"""Would a smaller model have sufficed? Difficulty and category from a prompt's text."""

from llm_audit.classify.model import Classifier, Judgement

__all__ = ["Classifier", "Judgement"]
