"""Saved endpoints: services that answer over HTTP, with what they cost and what their terms allow, and presets to begin with.

A key is never part of it: the keyring of the operating system keeps it (`key_kept`), or `key_env` names the environment
variable that holds it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

from backend.core.errors import Problem
from backend.core.schemas import View

ApiProtocol = Literal["openai", "azure", "anthropic"]
"""The protocol: OpenAI's chat completions, the same with Azure's header and version, Anthropic's messages."""
PresetName = Literal[
    "azure_foundry",
    "azure_ml",
    "deepseek",
    "openai",
    "anthropic",
    "vllm",
    "ollama",
    "foundry_local",
    "lm_studio",
    "other",
]
YesNoUnknown = Literal["unknown", "yes", "no"]


class Preset(View):
    """What is usual for a kind of service. `logprobs`: whether it usually gives log-probabilities, None where that depends
    on the model; `batch`: whether it has a batch API (backend.providers.batches);
    `terms` in plain words, with the page that says so in `terms_url`, where one was found."""

    title: str
    url: str
    protocol: ApiProtocol = "openai"
    key_env: str = ""
    api_version: str = ""
    logprobs: bool | None = None
    batch: bool = False
    terms: str
    terms_url: str = ""


_OWN = "Runs on your own hardware: the served model's license applies. Check it."

PRESETS: dict[PresetName, Preset] = {
    "azure_foundry": Preset(
        title="Azure AI Foundry",
        url="https://RESOURCE.openai.azure.com/openai/deployments/DEPLOYMENT",
        protocol="azure",
        key_env="AZURE_OPENAI_API_KEY",
        api_version="2024-10-21",
        terms="Terms depend on the deployed model. Check Azure's and the model's terms.",
        terms_url="https://learn.microsoft.com/azure/ai-services/openai/reference",
    ),
    "azure_ml": Preset(
        title="Azure Machine Learning",
        url="https://ENDPOINT.REGION.inference.ml.azure.com/v1",
        key_env="AZURE_ML_API_KEY",
        terms="The deployed model's license applies. Check it.",
    ),
    "deepseek": Preset(
        title="DeepSeek",
        url="https://api.deepseek.com/v1",
        key_env="DEEPSEEK_API_KEY",
        terms="DeepSeek allows distillation of its open models; hosted services and some models "
        "may differ. Check the terms.",
        terms_url="https://deepseeklicense.github.io",
    ),
    "openai": Preset(
        title="OpenAI",
        url="https://api.openai.com/v1",
        key_env="OPENAI_API_KEY",
        batch=True,
        terms="The terms forbid using answers to develop models that compete with OpenAI. Check "
        "whether this applies to you.",
        terms_url="https://openai.com/policies/terms-of-use/",
    ),
    "anthropic": Preset(
        title="Anthropic-compatible gateway",
        url="https://api.anthropic.com/v1",
        protocol="anthropic",
        key_env="ANTHROPIC_API_KEY",
        batch=True,
        logprobs=False,
        terms="The terms forbid training models that compete with Anthropic's; specialized tools "
        "such as classifiers are allowed. Check the terms.",
        terms_url="https://support.claude.com/en/articles/12326764-can-i-use-my-outputs-to-train-an-ai-model",
    ),
    "vllm": Preset(title="vLLM", url="http://localhost:8000/v1", logprobs=True, terms=_OWN),
    "ollama": Preset(title="Ollama", url="http://localhost:11434/v1", terms=_OWN),
    "foundry_local": Preset(title="Foundry Local", url="http://localhost:PORT/v1", terms=_OWN),
    "lm_studio": Preset(title="LM Studio", url="http://localhost:1234/v1", terms=_OWN),
    "other": Preset(title="Another OpenAI-compatible service", url="https://HOST/v1", terms="Check the terms."),
}


class SavedEndpoint(View):
    """One endpoint under a name. Prices in USD per million tokens, None where nobody has entered one (0: free)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        title="Name",
        description="Your name for it, such as `deepseek-chat`: letters, digits, dots, dashes and underscores.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=60,
    )
    preset: PresetName = Field("other", title="Service", description="Type of service.")
    url: str = Field(
        title="Address",
        description="Base URL, such as `https://host/v1`. Replace the words in capitals.",
        max_length=500,
    )
    model: str = Field(
        title="Model",
        description="Model name at the service (at Azure, the deployment name).",
        max_length=200,
    )
    key_env: str = Field(
        "",
        title="Key variable",
        description="Environment variable with the access key, such as `OPENAI_API_KEY`. Used if the "
        "keyring has no key.",
        pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$",
        max_length=100,
    )
    api_version: str = Field(
        "",
        title="API version",
        description="Only for Azure addresses that need one, such as `2024-10-21`.",
        pattern=r"^[A-Za-z0-9.-]*$",
        max_length=40,
    )
    input_price: float | None = Field(
        None,
        title="Input price (USD per million tokens)",
        description="From the provider's price list; 0 if free. A budget needs both prices.",
        ge=0,
        le=10_000,
    )
    output_price: float | None = Field(
        None,
        title="Output price (USD per million tokens)",
        description="From the provider's price list; 0 if free. A budget needs both prices.",
        ge=0,
        le=10_000,
    )
    context: int = Field(
        0,
        title="Context length (tokens)",
        description="Maximum context length. 0: unknown.",
        ge=0,
        le=100_000_000,
    )
    requests_per_minute: int = Field(
        0,
        title="Requests per minute",
        description="Maximum requests per minute. 0 means no limit.",
        ge=0,
        le=1_000_000,
    )
    tokens_per_minute: int = Field(
        0,
        title="Tokens per minute",
        description="Maximum tokens read and written per minute. 0 means no limit.",
        ge=0,
        le=1_000_000_000,
    )
    headers: dict[str, str] = Field(
        {},
        title="Extra headers",
        description="Sent with each request, one per line, such as `X-Team: support`. Write a secret as "
        "`${NAME_API_KEY}`, the endpoint's own key as `${key}`.",
    )
    body: dict[str, Any] = Field(
        {},
        title="Extra body fields",
        description="A JSON object whose fields are added to each request, such as `reasoning_effort`.",
    )
    terms: str = Field(
        "", title="License and terms", description="Notes on the terms, with an optional link.", max_length=2000
    )
    forbids_distillation: YesNoUnknown = Field(
        "unknown",
        title="Terms forbid distillation",
        description="Whether the terms forbid training other models on its answers. If so, the teacher form warns.",
    )

    @field_validator("url", "model", "terms")
    @classmethod
    def _stripped(cls, value: str) -> str:
        return value.strip()

    @property
    def protocol(self) -> ApiProtocol:
        return PRESETS[self.preset].protocol

    @property
    def priced(self) -> bool:
        return self.input_price is not None and self.output_price is not None


class EndpointTestResult(View):
    """What one short question to an endpoint showed. `seconds`: the whole request; `tokens_per_s`: tokens of the answer over
    that time, None when it counts none; `context` in tokens, None when `/models` doesn't tell; `streams`, `seed`: whether it
    streams and takes a seed, None in tests of older versions; `left_out`: parameters that it does not take; `reasoning`:
    whether reasoning came before the answer and was split off."""

    seconds: float
    tokens_per_s: float | None
    logprobs: bool
    context: int | None
    answer: str
    streams: bool | None = None
    seed: bool | None = None
    left_out: list[str] = []
    reasoning: bool = False


class EndpointView(SavedEndpoint):
    """A saved endpoint with its last trial. `key_kept`: its key was typed and lies in the keyring; it comes before the
    variable."""

    trial: EndpointTestResult | None = None
    key_kept: bool = False


def check_placeholders(url: str) -> list[Problem]:
    """A preset's address whose words in capitals still stand there."""
    words = ("RESOURCE", "DEPLOYMENT", "ENDPOINT.", "REGION", ":PORT", "//HOST")
    left = [word.strip("./:") for word in words if word in url]
    args = {"words": ", ".join(left)}
    return [Problem(code="endpoints.unfilled", args=args, field="url")] if left else []
