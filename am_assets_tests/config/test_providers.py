"""What is read of litellm's tables without importing it is what litellm says; a model without a price is not free."""

import os
import subprocess
import sys

import pytest

from am_assets.config.endpoints import Endpoint
from am_assets.config.providers import KEYS, facts, listed_models, listed_prices, missing_keys


@pytest.fixture
def keyless(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_AUTH_TOKEN"))]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.mark.parametrize("provider", KEYS)
def test_any_one_key_of_a_provider_suffices_here_and_for_litellm(provider: str, keyless: pytest.MonkeyPatch) -> None:
    import litellm

    model = f"{provider}/x"
    assert set(missing_keys(model)) <= set(litellm.validate_environment(model)["missing_keys"])
    for name in KEYS[provider]:
        keyless.setenv(name, "")
        assert missing_keys(model) == KEYS[provider][:1]
        keyless.setenv(name, "k")
        assert missing_keys(model) == litellm.validate_environment(model)["missing_keys"] == []
        keyless.delenv(name)


def test_the_keys_of_other_providers_are_those_that_litellm_names(keyless: pytest.MonkeyPatch) -> None:
    assert missing_keys("azure/x") == ["AZURE_API_BASE", "AZURE_API_VERSION", "AZURE_API_KEY"]
    assert missing_keys("gpt-4.1-mini") == ["OPENAI_API_KEY"]


def test_prices_are_litellms_wherever_it_has_them_and_thinking_costs_what_it_costs() -> None:
    import litellm

    of_these = [name for name, entry in listed_models().items() if entry.get("litellm_provider") in KEYS]
    for name in [name for name in of_these if listed_models()[name].get("mode") == "chat"][::5]:
        if (prices := listed_prices(name)) and not listed_models()[name].get("output_cost_per_reasoning_token"):
            said = litellm.get_model_info(name)
            assert prices == (said["input_cost_per_token"], said["output_cost_per_token"]), name
    assert listed_prices("dashscope/qwen-turbo") == (5e-08, 5e-07)  # 2e-07 without thinking


def test_a_model_is_found_with_its_provider_before_it_and_without() -> None:
    assert facts("openai/gpt-4.1-mini") == facts("gpt-4.1-mini") != {}
    assert facts("deepseek/gpt-4.1-mini") == facts("openai/nobody-has-it") == {}


@pytest.mark.parametrize("model", ["dashscope/qwen-plus-latest", "dashscope/qwen3-30b-a3b", "openai/nobody-has-it"])
def test_a_model_whose_price_the_table_lacks_or_has_by_length_is_not_free(model: str) -> None:
    assert Endpoint().prices(model) is None
    assert Endpoint(input_price=0, output_price=0).prices(model) == (0, 0)


def test_neither_prices_nor_keys_of_listed_models_import_litellm() -> None:
    code = (
        "import sys; from am_assets.config.providers import listed_prices, missing_keys;"
        "[(listed_prices(name), missing_keys(name)) for name in ('deepseek/deepseek-reasoner', 'openai/gpt-4.1')];"
        "print('litellm' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
