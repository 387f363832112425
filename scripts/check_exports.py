"""Check the exports of `llm-audit policy export` with the code of the systems they configure.

Run as ``python scripts/check_exports.py``. It makes a throwaway environment with LiteLLM, whose router loads every
exported configuration and routes an easy and a hard prompt by it, and unpacks RouteLLM's wheel without what it
depends on, whose controller takes the exported arguments and model names. Bedrock's request is checked by the tests,
with botocore's own service model.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import types
import zipfile
from pathlib import Path
from typing import Any

LITELLM, ROUTELLM = "litellm==1.110.2", "routellm==0.2.0"
FAMILIES = ("claude", "deepseek", "gemini", "glm", "gpt", "grok", "kimi", "mistral", "nova", "qwen")
EASY = "hi"
HARD = "Think carefully, step by step: prove that the distributed algorithm is correct, and weigh the options."


def main() -> None:
    """Write the exports, create the environment, and run this file in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = exports()
        (folder / "cases.json").write_text(json.dumps(cases))
        subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
        python = folder / "env/bin/python"
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", LITELLM, "pyyaml"], check=True)
        subprocess.run([*pip, "download", "--no-deps", "-d", folder, ROUTELLM], check=True)
        for wheel in folder.glob("routellm-*.whl"):
            zipfile.ZipFile(wheel).extractall(folder / "routellm")
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # else it asks the network for prices
        subprocess.run([python, "-W", "ignore", __file__, folder], check=True, env=environment)


def exports() -> dict[str, list[dict[str, Any]]]:
    """Return the exported texts by system, with the models for the easy and the hard prompt."""
    from llm_audit.catalog import Catalog, ladders
    from llm_audit.policy import load, parse
    from llm_audit.policy.file.export import Target, export

    catalog, default = Catalog.load(), load("small-by-default")
    known = ladders(catalog.frame)
    routers = [
        {"text": export(default, Target.LITELLM, ladder=known[family], catalog=catalog), "ends": ends(known[family])}
        for family in FAMILIES
    ]
    pair = 'decision = "strong_wins"\n{}\n[ladders]\np = ["gpt-4o-mini", "gpt-4o"]'
    policies = [parse(pair.format(by), where=by) for by in ("threshold = 0.11593", "threshold = 1e-05")]
    controllers = [
        {"text": export(policy, Target.ROUTELLM, ladder=next(iter(policy.ladders.values())), catalog=catalog)}
        for policy in [load("routellm"), *policies]
    ]
    return {"litellm": routers, "routellm": controllers}


def ends(ladder: list[str]) -> list[str]:
    """Return the first and the last model of a ladder."""
    return [ladder[0], ladder[-1]]


def check_litellm(case: dict[str, Any]) -> str:
    """Load a proxy configuration into LiteLLM's router and route by it."""
    import litellm
    import yaml  # type: ignore[import-untyped]

    models = yaml.safe_load(case["text"])["model_list"]
    for model in models[:-1]:
        litellm.get_llm_provider(model["litellm_params"]["model"])  # raises where the provider is unknown
        model["litellm_params"]["api_key"] = "none"
    router, name = litellm.Router(model_list=models), models[-1]["model_name"]
    routed = []
    for text in (EASY, HARD):
        asked = [{"role": "user", "content": text}]
        found = asyncio.run(router.async_pre_routing_hook(model=name, request_kwargs={}, messages=asked))
        routed.append(found.model)
    assert routed == case["ends"], routed
    return " and ".join(routed)


def check_routellm(case: dict[str, Any]) -> str:
    """Give RouteLLM's controller the exported arguments and let it parse the model name."""
    from routellm.controller import Controller

    document = json.loads(case["text"])
    controller = Controller(**document["controller"])
    if "calibrate_threshold" in document:
        assert 0 <= document["calibrate_threshold"]["strong_model_pct"] <= 1
        return f"share {document['calibrate_threshold']['strong_model_pct']}"
    router, threshold = controller._parse_model_name(document["completion"]["model"])  # noqa: SLF001
    assert {"router": router, "threshold": threshold} == document["route"]
    weak, strong = (document["controller"][f"{which}_model"] for which in ("weak", "strong"))
    assert controller.route("x", router, threshold) == (strong if threshold <= _Router.SCORE else weak)
    return f"{router} at {threshold}"


class _Router:
    """A stand-in for RouteLLM's matrix factorisation, which needs the network for embeddings."""

    SCORE = 0.1

    def __init__(self, **_config: str) -> None:
        pass

    def route(self, _prompt: str, threshold: float, pair: Any) -> str:
        """Decide as ``Router.route`` of RouteLLM does, by a fixed win rate."""
        return str(pair.strong if threshold <= self.SCORE else pair.weak)


def inside(folder: Path) -> None:
    """Run the checks in the throwaway environment."""
    sys.path.insert(0, str(folder / "routellm"))
    routers = types.ModuleType("routellm.routers.routers")
    routers.__dict__["ROUTER_CLS"] = {"mf": _Router}
    pandas = types.ModuleType("pandas")
    pandas.__dict__["Series"] = list
    sys.modules |= {"pandas": pandas, "routellm.routers.routers": routers}
    cases = json.loads((folder / "cases.json").read_text())
    for name, check in (("litellm", check_litellm), ("routellm", check_routellm)):
        for case in cases[name]:
            print(f"{name}: {check(case)}")


if __name__ == "__main__":
    inside(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
