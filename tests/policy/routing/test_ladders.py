"""Which models of a ladder dominate which."""

from datetime import date

from llm_audit.catalog import Catalog, ladders
from llm_audit.policy import dominators, read_models, undominated


def test_the_undominated_models_are_those_without_a_dominator():
    frame = Catalog.load().frame
    models, ladder = read_models(frame), ladders(frame)["llama"]
    day = (date(2026, 9, 1) - date(1970, 1, 1)).days
    found = dominators(models, ladder, day=day)
    assert [model for model, others in found.items() if not others] == undominated(models, ladder, day=day)
    dominated = {model: others for model, others in found.items() if others}
    assert dominated
    at = models.index()
    for model, others in dominated.items():
        assert all(models.price[at[other]] <= models.price[at[model]] for other in others)
        assert all((models.ability[at[other]] >= models.ability[at[model]]).all() for other in others)
