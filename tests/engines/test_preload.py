import subprocess
import sys


def test_processes_that_read_logs_do_without_polars_and_pandas() -> None:
    code = (
        "import sys, llm_audit.engines.preload, pyarrow; pyarrow.array([1]); "
        "from llm_audit.engines.context import IngestConfig; "
        "IngestConfig().load_context(); "
        "print(sorted({'polars', 'pandas', 'tiktoken', 'genai_prices'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
