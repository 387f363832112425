"""Difficulty, category and stakes of a prompt from its text: would a smaller model have sufficed?"""

from llm_audit.classify.model import Classifier, Judgement

__all__ = ["Classifier", "Judgement"]
