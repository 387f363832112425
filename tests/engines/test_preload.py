import json
import subprocess
import sys
from pathlib import Path

LOG = [
    {"timestamp": f"2026-09-01T10:00:0{k}Z", "model": "gpt-4o", "prompt": prompt, "input_tokens": 9, "output_tokens": 2}
    for k, prompt in enumerate(["Why is the sky blue?"] * 4 + ["yes", "Why is the sea salt?"])
]
CODE = """
import sys, llm_audit.engines.preload
from pathlib import Path
from llm_audit.engines import worker
from llm_audit.engines.context import IngestConfig
from llm_audit.sources.files.find import find
from llm_audit.sources.split import Shard

path = Path(sys.argv[1])
source = find([path], spool=path.parent).sources[0]
bundle = (Shard(source, 0, path.stat().st_size),)
part = worker.process(
    worker.Task(bundle=bundle, config=IngestConfig(), run="", work_key="", target=path.with_suffix(".part"))
)
unused = {"polars", "pandas", "tiktoken", "genai_prices", "pyarrow.compute"}
print(part.rows, sorted(unused & sys.modules.keys()))
"""


def test_processes_that_read_logs_load_no_library_that_they_do_without(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(map(json.dumps, LOG)) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(log)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "6 []"
