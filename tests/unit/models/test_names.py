# mypy: disable-error-code="arg-type, attr-defined"
from __future__ import annotations

import pytest

from graphkit.errors import InvalidModelError, ModelAuthenticationError
from graphkit.models import init_chat_model, init_model

KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "XAI_API_KEY", "OLLAMA_HOST")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


def access(model):
    return model.provider.clients._access


@pytest.mark.parametrize(
    "name, variable",
    [
        ("anthropic:c", "ANTHROPIC_API_KEY"),
        ("openai:g", "OPENAI_API_KEY"),
        ("google:g", "GEMINI_API_KEY"),
        ("google:g", "GOOGLE_API_KEY"),
        ("xai:g", "XAI_API_KEY"),
    ],
)
def test_the_key_comes_from_the_environment(name, variable, monkeypatch):
    with pytest.raises(ModelAuthenticationError, match=variable):
        init_model(name)
    monkeypatch.setenv(variable, "from-environment")

    model = init_model(name)

    assert model.name == name
    assert access(model).api_key == "from-environment"
    assert access(init_model(name, api_key="given")).api_key == "given"


def test_an_empty_key_is_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", " ")

    with pytest.raises(ModelAuthenticationError):
        init_model("openai:g")


@pytest.mark.parametrize(
    "name, url",
    [
        ("google:g", "https://generativelanguage.googleapis.com/v1beta/openai/"),
        ("xai:g", "https://api.x.ai/v1"),
        ("ollama:llama3.2:3b", "http://127.0.0.1:11434/v1"),
        ("anthropic:c", None),
        ("openai:g", None),
    ],
)
def test_every_provider_has_its_endpoint(name, url):
    assert access(init_model(name, api_key="k")).base_url == url
    assert access(init_model(name, api_key="k", base_url="http://127.0.0.1:1/x")).base_url == "http://127.0.0.1:1/x"


@pytest.mark.parametrize(
    "host, url",
    [
        ("box", "http://box:11434/v1"),
        ("box:80", "http://box:80/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:9", "http://127.0.0.1:9/v1"),
        ("http://box", "http://box:11434/v1"),
        ("https://box/", "https://box:443/v1"),
        ("https://box/ollama", "https://box:443/ollama/v1"),
        (" ", "http://127.0.0.1:11434/v1"),
    ],
)
def test_ollama_is_where_its_host_says(host, url, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", host)

    assert access(init_model("ollama:llama3.2")).base_url == url


@pytest.mark.parametrize(
    "name, hint",
    [
        ("antropic:claude", "Did you mean 'anthropic'?"),
        ("claude-sonnet-5", "provider:model"),
        ("anthropic:", 'Say which: "anthropic:..."'),
        ("", "provider:model"),
    ],
)
def test_a_name_that_does_not_exist_gets_the_nearest(name, hint):
    with pytest.raises(InvalidModelError) as caught:
        init_model(name, api_key="k")

    assert hint in str(caught.value)


@pytest.mark.parametrize(
    "name, options, complaint",
    [
        ("openai-compatible:m", {}, "base_url"),
        ("openai-compatible:m", {"base_url": "127.0.0.1:8080"}, "no http or https URL"),
        ("openai:m", {"timeout": 0}, "timeout"),
        ("openai:m", {"timeout": float("nan")}, "timeout"),
        ("openai:m", {"max_token": 1}, "max_tokens"),
        ("anthropic:m", {"temperature": 1}, "extra_body"),
        ("anthropic:m", {"api": "chat"}, "no api='chat'"),
        ("xai:m", {"api": "responses"}, "no api='responses'"),
        ("openai:m", {"api": "completions"}, "no api='completions'"),
    ],
)
def test_an_option_that_does_not_exist_is_named(name, options, complaint):
    with pytest.raises(InvalidModelError, match=complaint):
        init_model(name, api_key="k", **options)


def test_settings_are_bound_and_shown_but_not_what_may_hold_secrets():
    model = init_chat_model("openai:m", api_key="secret", temperature=0.5, extra_headers={"x-token": "secret"})

    assert repr(model) == "ChatModel('openai:m', settings={'temperature': 0.5})"
    assert "secret" not in repr(access(model)) + repr(model.provider)
