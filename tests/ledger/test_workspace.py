import warnings

from llm_audit.ledger.workspace import Workspace


def test_the_folder_goes_with_its_holder_and_without_a_word() -> None:
    holder = Workspace()
    path = holder.path
    (path / "file").write_text("x")
    assert path.is_dir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del holder
    assert not path.exists()
