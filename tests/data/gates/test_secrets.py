"""Keys and passwords: known forms, weak forms by entropy, and what stands for them in examples."""

from __future__ import annotations

import pytest

from backend.data.gates.secrets import entropy, secrets

RANDOM = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("key AKIAIOSFODNN7EXAMPLE here", "AWS"),
        (f"ghp_{RANDOM}", "GitHub"),
        (f"glpat-{RANDOM[:20]}", "GitLab"),
        (f"xoxb-{RANDOM[:24]}", "Slack"),
        (f"sk-proj-{RANDOM}", "OpenAI"),
        (f"sk-ant-{RANDOM}", "Anthropic"),
        (f"AIza{RANDOM[:35]}", "Google"),
        (f"hf_{RANDOM[:34]}", "Hugging Face"),
        (f"sk_live_{RANDOM[:24]}", "Stripe"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA", "private key"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P", "JWT"),
        ("mysql://root:hunter22x@10.0.0.5/db", "connection string"),
        ("password=Tr0ub4dor&3", "password"),
        ("la contraseña es Verano2024x", "password"),
        (f"api_key: '{RANDOM}'", "access token"),
        (f"Authorization: Bearer {RANDOM}", "access token"),
    ],
)
def test_a_secret_is_found_with_whose_it_is(text: str, kind: str) -> None:
    assert [found.kind for found in secrets(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        *("I forgot my password, what now?", "password: required", "password=<your password>", "the password is wrong"),
        *(
            "restablecer la contraseña",
            "la clave es la paciencia",
            "token: the smallest unit of a text",
            "secret garden",
        ),
        *("https://example.com/a:b@c", "sk-learn and scikit-learn", "api key: xxxxxxxxxxxxxxxxxxxx", "max_tokens=1024"),
        "bearer of good news in the village",
    ],
)
def test_words_about_secrets_are_none(text: str) -> None:
    assert secrets(text) == []


def test_entropy_is_in_bits_a_character() -> None:
    assert entropy("aaaa") == 0 and entropy("abcd") == 2
