from __future__ import annotations

import sys
from dataclasses import dataclass, field, make_dataclass
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, Required, TypedDict, TypeVar

import pytest
from pydantic import BaseModel, PrivateAttr, create_model

from graphkit.core.command import Command, Send
from graphkit.errors import DefinitionError, UnknownTypeError
from graphkit.serde import Codec, reachable
from tests.unit.serde import shop


@dataclass
class Leaf:
    value: int


@dataclass
class Other:
    next: Other | None = None


class Kind(Enum):
    A = "a"
    B = "b"


class Pair(NamedTuple):
    leaf: Leaf


class Rows(list[Leaf]):
    pass


class Inner(BaseModel):
    leaves: dict[str, list[Leaf]]
    kind: Literal[Kind.A] = Kind.A


class Nested(TypedDict):
    pair: Pair


class Node:
    """A plain class: no value of it can be stored, so its annotations do not matter."""

    other: Other


T = TypeVar("T", bound=Leaf)
Alias = NewType("Alias", Leaf)


class State(TypedDict, total=False):
    inner: Required[Annotated[Inner, "note"]]
    nested: NotRequired[Nested]
    rows: Rows | None
    numbers: list[int]
    node: Node
    missing: Undefined  # type: ignore[name-defined]  # noqa: F821
    error: shop.ShopError


class Holder(BaseModel, Generic[T]):
    item: T


@pytest.mark.parametrize(
    "annotation, classes",
    [
        (int, set()),
        (dict[str, Any], set()),
        (Leaf, {Leaf}),
        (Other, {Other}),
        (list[Leaf] | None, {Leaf}),
        (tuple[Leaf, ...], {Leaf}),
        (Annotated[list[Kind], "reducer"], {Kind}),
        (Literal[Kind.B, "x", 3], {Kind}),
        (Alias, {Leaf}),
        (T, {Leaf}),
        (Rows, {Rows, Leaf}),
        (Holder[Leaf], {Holder[Leaf], Leaf}),
        (shop.Crate[Kind], {shop.Crate, Kind}),
        (Nested, {Pair, Leaf}),
        (State, {Inner, Leaf, Kind, Pair, Rows, shop.ShopError}),
        ("Leaf", set()),
        (ValueError, set()),
        (Node, {Other}),
    ],
)
def test_the_classes_in_an_annotation_are_found(annotation, classes):
    assert reachable(annotation) == classes


def test_a_schema_is_registered_with_all_it_reaches():
    codec = Codec()
    codec.register_schema(State)
    value = {"inner": Inner(leaves={"a": [Leaf(1)]}), "nested": {"pair": Pair(Leaf(2))}, "rows": Rows([Leaf(3)])}

    assert codec.decode(codec.encode(value)) == value


def test_registering_a_class_registers_the_classes_of_its_fields():
    codec = Codec([shop.Order])
    value = shop.Order(1, [shop.Line("x", (1,))])

    assert codec.decode(codec.encode(value)) == value


def test_registering_twice_changes_nothing():
    codec = Codec([Leaf])
    record = codec.encode(Leaf(1))

    codec.register(Leaf)
    codec.register(Leaf, int, list, Nested)

    assert codec.encode(Leaf(1)) == record


def test_the_tag_of_a_class_is_its_module_and_name():
    assert f"{__name__}:Leaf".encode() in Codec([Leaf]).encode(Leaf(1))


def test_a_class_can_have_a_short_tag_and_still_reads_its_old_records():
    old = Codec([Leaf]).encode(Leaf(1))
    codec = Codec()
    codec.register(Leaf, tag="leaf")
    codec.register_schema(Leaf)

    record = codec.encode(Leaf(1))

    assert b"leaf" in record
    assert __name__.encode() not in record
    assert codec.decode(record) == codec.decode(old) == Leaf(1)


def test_a_renamed_class_reads_its_records_under_its_old_tag():
    old = Codec([Leaf]).encode([Leaf(1)])
    renamed = make_dataclass("Renamed", [("value", int)])
    codec = Codec()
    codec.register(renamed, tag=f"{__name__}:Leaf")

    assert codec.decode(old) == [renamed(1)]


def test_a_tag_belongs_to_one_class():
    codec = Codec()
    codec.register(Leaf, tag="x")

    with pytest.raises(DefinitionError, match="'x' belongs to another class"):
        codec.register(Other, tag="x")
    with pytest.raises(DefinitionError, match="'send' belongs to another class"):
        codec.register(Other, tag="send")


def test_two_classes_of_one_name_need_a_tag():
    first = make_dataclass("Same", [("a", int)])
    second = make_dataclass("Same", [("a", int)])
    codec = Codec([first])

    with pytest.raises(DefinitionError, match="belongs to another class"):
        codec.register(second)
    codec.register(second, tag="second")

    assert [type(item) for item in codec.decode(codec.encode([first(1), second(1)]))] == [first, second]  # type: ignore[attr-defined]


@pytest.mark.parametrize("thing", [5, "x", len, list[int], Leaf(1), {}, Annotated[int, 1]])
def test_only_classes_can_be_registered(thing):
    with pytest.raises(DefinitionError, match="is not a class"):
        Codec([thing])


@pytest.mark.parametrize("kind", [object, type, Node, State.__class__])
def test_only_classes_with_a_known_shape_can_be_registered(kind):
    with pytest.raises(DefinitionError, match="does not know how to store"):
        Codec([kind])


@pytest.mark.parametrize("classes", [(), (Leaf, Other)])
def test_a_tag_is_for_exactly_one_class(classes):
    with pytest.raises(DefinitionError, match="a tag belongs to one"):
        Codec().register(*classes, tag="x")


def test_a_tag_is_not_empty():
    with pytest.raises(DefinitionError, match="empty tag"):
        Codec().register(Leaf, tag="")


def test_values_of_the_core_have_short_tags():
    codec = Codec()

    assert len(codec.encode(Send("n", None))) < 40
    assert codec.decode(codec.encode(Command(goto="n"))) == Command(goto="n")


def test_an_unknown_tag_is_named():
    record = Codec([Leaf]).encode({"a": Leaf(1)})

    with pytest.raises(UnknownTypeError) as caught:
        Codec().decode(record)

    assert caught.value.facts == {"tag": f"{__name__}:Leaf"}
    assert "codec.register" in str(caught.value)


def dataclass_like(*fields: Any) -> type:
    return make_dataclass("Thing", fields)


def changed(old: type, new: type, value: object) -> object:
    writer, reader = Codec(), Codec()
    writer.register(old, tag="thing")
    reader.register(new, tag="thing")
    return reader.decode(writer.encode(value))


def test_a_new_field_gets_its_default():
    old = dataclass_like(("a", int))
    new = dataclass_like(("a", int), ("b", int, field(default=5)), ("c", list, field(default_factory=list)))

    assert changed(old, new, old(1)) == new(1, 5, [])


def test_a_new_field_of_a_model_gets_its_default():
    old = create_model("Thing", a=int)
    new = create_model("Thing", a=int, b=(list[int], [1]))

    back = changed(old, new, old(a=1))

    assert back == new(a=1)
    assert back.model_fields_set == {"a"}


class First(BaseModel):
    _seen: int = PrivateAttr(default=1)


class Second(BaseModel):
    _read: int = PrivateAttr(default=2)


class OneColor(Enum):
    RED = 1


class TwoColors(Enum):
    BLUE = 1


class Single(NamedTuple):
    a: int


class Double(NamedTuple):
    a: int
    b: int = 2


@pytest.mark.parametrize(
    "old, new, value, name",
    [
        (dataclass_like(("a", int)), dataclass_like(("b", int, 0)), None, "a"),
        (dataclass_like(("a", int)), dataclass_like(("a", int), ("b", int)), None, "b"),
        (create_model("Thing", a=int), create_model("Thing", b=(int, 0)), None, "a"),
        (create_model("Thing", a=int), create_model("Thing", a=int, b=int), None, "b"),
        (First, Second, First(), "_seen"),
        (OneColor, TwoColors, OneColor.RED, "RED"),
        (Double, Single, Double(1), "b"),
    ],
)
def test_a_field_that_does_not_fit_the_class_is_named(old, new, value, name):
    with pytest.raises(UnknownTypeError) as caught:
        changed(old, new, old(a=1) if value is None else value)

    assert caught.value.facts == {"tag": "thing", "field": name}


def test_a_new_field_of_a_named_tuple_gets_its_default():
    assert changed(Single, Double, Single(1)) == Double(1, 2)


def test_a_class_that_became_something_else_is_not_guessed_at():
    with pytest.raises(UnknownTypeError, match="was a dataclass, but the registered class is a pydantic model"):
        changed(Leaf, create_model("Leaf", value=int), Leaf(1))


def test_a_generic_model_is_registered_as_it_is_used():
    codec = Codec()
    codec.register_schema(list[Holder[Leaf]])

    back = codec.decode(codec.encode([Holder[Leaf](item=Leaf(1))]))

    assert type(back[0]) is Holder[Leaf]  # type: ignore[index]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is new in Python 3.12")
def test_a_type_statement_is_followed():
    names: dict[str, Any] = {"Leaf": Leaf}
    exec("type Leaves = list[Leaf]", names)

    assert reachable(names["Leaves"]) == {Leaf}
