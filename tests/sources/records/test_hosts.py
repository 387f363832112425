from llm_audit.sources.records.hosts import provider_of, region_of


def test_hosts() -> None:
    assert provider_of("acme.openai.azure.com") == "azure"
    assert provider_of("europe-west4-aiplatform.googleapis.com") == "google"
    assert provider_of("notapi.openai.com.example") is None
    assert region_of("bedrock-runtime.eu-central-1.amazonaws.com") == "eu-central-1"
    assert region_of("api.openai.com") is None
