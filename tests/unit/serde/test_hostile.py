"""Records with a good checksum that graphkit did not write: whoever can write to the database can forge them."""

from __future__ import annotations

import subprocess
import sys

import ormsgpack
import pytest

from graphkit.errors import CorruptCheckpointError, GraphkitError
from graphkit.serde import Codec
from graphkit.serde.depth import exceeds
from graphkit.serde.record import frame


def ext(code: int, payload: bytes) -> bytes:
    return b"\xc9" + len(payload).to_bytes(4, "big") + code.to_bytes(1, "big", signed=True) + payload


def pack(*values: object) -> bytes:
    return ormsgpack.packb(list(values))


@pytest.mark.parametrize("extensions, lists", [(1, 1022), (2, 1022), (10, 1000), (200, 2), (3000, 1), (20_000, 1), (400, 1000)])
def test_a_nest_bomb_neither_ends_the_process_nor_comes_through(extensions, lists):
    body = b"\xc0"
    for _ in range(extensions):
        body = b"\x91" + ext(4, b"\x91" * lists + body)

    child = subprocess.run([sys.executable, "-c", READ_IN_THREAD], input=frame(body), capture_output=True, check=False)

    assert child.returncode == 0, child.stderr[-300:]
    assert child.stdout.strip() in {b"CorruptCheckpointError", b"read"}


READ_IN_THREAD = """
import sys, threading
from graphkit.errors import GraphkitError
from graphkit.serde import Codec
record = sys.stdin.buffer.read()
def read():
    try:
        Codec().decode(record)
        print("read")
    except GraphkitError as error:
        print(type(error).__name__)
thread = threading.Thread(target=read)
thread.start()
thread.join()
"""


def test_what_follows_the_value_in_an_extension_does_not_hide_depth():
    deep = b"\x91" * 900 + b"\xc0"
    for _ in range(5):
        # After its value, the first extension has the header of a long byte string that would cover the second one.
        cover = ext(4, b"\x90" + b"\xc6" + (len(deep) + 6).to_bytes(4, "big"))
        deep = b"\x91" * 900 + b"\x92" + cover + ext(4, deep)

    assert exceeds(deep, 5000)


@pytest.mark.parametrize("code", [-128, -1, 0, 3, 29, 39, 46, 127])
def test_an_unknown_kind_of_value_is_damage(code):
    payload = pack("x") if code != 3 else pack([1])

    with pytest.raises(CorruptCheckpointError):
        Codec().decode(frame(ext(code, payload)))


def test_a_stored_zone_is_only_ever_a_zone():
    for name in ["../../etc/passwd", "/etc/passwd", "Europe/../../x", "a.b", "Europe/Berlin\n", "", "Europe", "."]:
        with pytest.raises(GraphkitError):
            Codec().decode(frame(ext(22, pack(name))))


@pytest.mark.parametrize(
    "body", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x04", b""]
)
def test_announced_sizes_are_not_believed(body):
    with pytest.raises(CorruptCheckpointError):
        Codec().decode(frame(body))


AUDIT = """
import itertools, random, sys
import ormsgpack
from graphkit.errors import GraphkitError
from graphkit.messages import HumanMessage
from graphkit.serde import Codec
from graphkit.serde.depth import exceeds
from graphkit.serde.record import frame
from tests.unit.serde import shop, values

codec = Codec(shop.CLASSES)
good = [codec.encode(value) for value in (values.plain() | values.registered()).values()]
good.append(codec.encode(HumanMessage("x")))  # and with it the one package that a record may load is loaded
for record in good:
    codec.decode(record)
shop.RUNS.clear()

def ext(code, payload):
    return b"\\xc9" + len(payload).to_bytes(4, "big") + code.to_bytes(1, "big", signed=True) + payload

names = ["os", "system", "builtins", "eval", "__import__", "subprocess:Popen", "os:system", "tests.unit.serde.shop:RUNS", "antigravity",
         "posix", "str", "__class__", "../x", "send", "tests.unit.serde.shop:Mail", "tests.unit.serde.shop:Text", "ShopError",
         "human", "ai", "tool"]
arguments = [[], ["true"], [["true"]], [{"args": ["true"], "attributes": {"__class__": "x"}}], [{}, {}], [b"true"], [5], [None, None, {}],
             [["a"], True, True, {"__class__": 1}, {"__dict__": {}}, {"x": 1}]]
hostile = [ext(code, ormsgpack.packb([*([name] if name else []), *more]))
           for code, name, more in itertools.product(range(-3, 50), [None, *names], arguments)]
dice = random.Random(5)
for record in good:
    for _ in range(20):
        body = bytearray(record[12:])
        for _ in range(dice.randint(1, 3)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        hostile.append(bytes(body))
hostile += [dice.randbytes(dice.randint(0, 60)) for _ in range(2000)]

seen = []
watching = True
BAD = ("import", "exec", "compile", "open", "os.", "subprocess.", "socket.", "ctypes.", "marshal.", "pickle.", "shutil.", "code.__new__")
def hook(event, args):
    if watching and event.startswith(BAD):
        seen.append((event, str(args)[:80]))
sys.addaudithook(hook)
refused = 0
try:
    codec.decode(frame(ext(22, ormsgpack.packb(["No/Such"]))))  # lists the time zones of this machine, once
except GraphkitError:
    pass
seen.clear()
for body in hostile:
    record = frame(body)
    try:
        codec.decode(record)
    except GraphkitError:
        refused += 1
watching = False
print(seen[:5], refused > len(hostile) // 2, shop.RUNS.count("model"), refused, len(hostile))
"""


def test_hostile_records_import_nothing_run_nothing_and_open_nothing():
    child = subprocess.run([sys.executable, "-W", "ignore", "-c", AUDIT], capture_output=True, text=True, check=False)

    assert child.stderr == ""
    assert child.stdout.startswith("[] True 0 ")
