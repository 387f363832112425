import pytest

from llm_audit.sources.records.bedrock import model_of_arn


@pytest.mark.parametrize(
    ("arn", "model"),
    [
        ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0", "meta.llama3-8b-instruct-v1:0"),
        ("arn:aws:bedrock:us-east-1:1:provisioned-model/abc", "provisioned-model/abc"),
    ],
)
def test_models_in_arns(arn: str, model: str) -> None:
    assert model_of_arn(arn) == model
