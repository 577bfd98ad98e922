# mypy: disable-error-code="attr-defined"
"""The connections of a model: made when needed, good for every thread and loop, given back without a warning."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphkit.models import init_model
from graphkit.testing import ModelServer, Reply
from tests.unit.models.ways import acollected, every_provider


def clients(model):
    return model.provider.clients


@every_provider
def test_nothing_is_opened_before_the_first_request(provider):
    with ModelServer([]) as server:
        model = server.model(provider)

    assert (clients(model)._sync, len(clients(model)._clients)) == (None, 0)


@every_provider
def test_all_threads_share_a_client(provider):
    with ModelServer(lambda request: request.turns[-1].text) as server, server.model(provider) as model, ThreadPoolExecutor(4) as pool:
        texts = [message.text for message in pool.map(model.generate, [f"number {n}" for n in range(8)])]

    assert texts == [f"number {n}" for n in range(8)]


@every_provider
def test_every_loop_has_a_client_that_ends_with_it(provider):
    async def both(model):
        first, second = await asyncio.gather(model.agenerate("one"), model.agenerate("two"))
        assert len(clients(model)._clients) == 1
        return first.text + second.text

    with ModelServer(lambda request: request.turns[-1].text) as server, server.model(provider) as model:
        found = [asyncio.run(both(model)) for _ in range(3)]
        left = len(clients(model)._clients)

    gc.collect()
    assert found == ["onetwo"] * 3
    assert left == 0


@every_provider
def test_loops_in_several_threads_do_not_meet(provider):
    def run(text):
        return asyncio.run(model.agenerate(text)).text

    with ModelServer(lambda request: request.turns[-1].text) as server, server.model(provider) as model, ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(run, [f"number {n}" for n in range(8)]))

    assert texts == [f"number {n}" for n in range(8)]


@every_provider
def test_a_closed_model_opens_again_when_it_is_asked(provider):
    with ModelServer(["one", "two"]) as server:
        model = server.model(provider)
        first = model.generate("Hi").text
        model.close()
        closed = clients(model)._sync
        second = model.generate("Hi").text
        model.close()

    assert (first, closed, second) == ("one", None, "two")


@every_provider
async def test_an_async_model_is_closed_with_its_block(provider):
    with ModelServer(["one"]) as server:
        async with server.model(provider) as model:
            await model.agenerate("Hi")
            opened = len(clients(model)._clients)
        left = len(clients(model)._clients)

    assert (opened, left) == (1, 0)


@every_provider
def test_a_stream_that_is_left_gives_its_connection_back(provider):
    with ModelServer([Reply("one two three"), "Hi"]) as server, server.model(provider) as model:
        stream = model.stream("Hi")
        next(stream)
        stream.close()
        rest = model.generate("Hi").text

    gc.collect()
    assert rest == "Hi"


@every_provider
async def test_an_async_stream_that_is_left_gives_its_connection_back(provider):
    with ModelServer([Reply("one two three"), "Hi"]) as server:
        async with server.model(provider) as model:
            stream = model.astream("Hi")
            await anext(stream)
            await stream.aclose()
            rest = await acollected(model, "Hi")

    gc.collect()
    assert "".join([chunk.text for chunk in rest]) == "Hi"


PROGRAM = """
import asyncio, gc, sys
from graphkit.models import init_model
import graphkit.testing

def loaded():
    return sorted({{"anthropic", "openai"}} & set(sys.modules))

async def later(model):
    return (await model.agenerate("Hi")).text

def main(name, url):
    before = loaded()
    model = init_model(name, api_key="k", base_url=url)
    print(before, loaded(), model.generate("Hi").text, asyncio.run(later(model)))

main({name!r}, {url!r})
gc.collect()
"""


@pytest.mark.parametrize("provider", ["anthropic:test", "openai:test"])
def test_an_sdk_is_loaded_for_a_model_of_its_provider_and_leaves_no_warning(provider):
    with ModelServer(["one", "two"]) as server:
        url = server.url if provider.startswith("anthropic") else server.openai_url
        program = PROGRAM.format(name=provider, url=url)
        done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout == f"[] ['{provider.partition(':')[0]}'] one two\n"


def test_a_model_can_be_made_inside_a_loop_and_used_outside():
    async def make(server):
        return server.model("openai:x")

    with ModelServer(["Hi"]) as server, asyncio.run(make(server)) as model:
        assert model.generate("Hi").text == "Hi"


def test_bound_models_share_their_connections():
    model = init_model("openai:x", api_key="k")

    assert model.bind(temperature=1).provider is model.provider
