"""What a compiled graph says about itself: its drawing, the JSON schemas of what goes in and out, the graphs inside it.

Every function is a method of CompiledGraph as well, of the same name. pydantic is imported by those that need
it, and TypedDicts are rebuilt for it: before Python 3.12 it does not read those of ``typing``.
"""

from __future__ import annotations

import dataclasses
import sys
from functools import reduce
from math import inf
from operator import or_
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, Required, cast, get_args, get_origin, get_type_hints, is_typeddict

from graphkit.core.command import ROOT
from graphkit.errors import InvalidConfigError, InvalidSchemaError, nearest
from graphkit.graph.config import ADDRESS_KEYS, CONFIG_KEYS
from graphkit.graph.schema import read_schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.draw import Drawing
    from graphkit.graph.schema import Schema


def get_graph(self: CompiledGraph, config: Mapping[str, Any] | None = None, *, xray: bool | int = False) -> Drawing:  # noqa: ARG001 - as in LangGraph
    """Return the declared nodes and edges, for ``draw_mermaid()``, ``draw_svg()``, ``draw_png()`` and ``draw_ascii()``.

    Where a router may lead is drawn if its annotation, a path map or ``destinations`` say it; nothing is guessed.

    Args:
        self: The graph.
        config: Not looked at; LangGraph has it.
        xray: True draws the nodes of all subgraphs, a number those of so many levels.
    """
    from graphkit.graph.draw import drawing_of  # noqa: PLC0415 - rarely needed

    return drawing_of(self, inf if xray is True else int(xray))


async def aget_graph(self: CompiledGraph, config: Mapping[str, Any] | None = None, *, xray: bool | int = False) -> Drawing:
    """As ``get_graph``."""
    return get_graph(self, config, xray=xray)


def get_subgraphs(self: CompiledGraph, *, namespace: str | None = None, recurse: bool = False) -> Iterator[tuple[str, CompiledGraph]]:
    """Return the graphs inside this one with the names of the nodes they run in.

    A graph is found if it is a node, or if the function of a node has it in a closure, a global, a default, a partial,
    or as an attribute of the object whose method it is; of several the first.

    Args:
        self: The graph.
        namespace: Only the graph of this name, ``"node"`` or ``"node|inner"``.
        recurse: Also the graphs inside those, as ``"node|inner"``.
    """
    from graphkit.graph.draw.nesting import subgraphs_of  # noqa: PLC0415 - rarely needed

    found = subgraphs_of(self, recurse=recurse or namespace is not None)
    return ((name, graph) for name, graph in found if namespace in (None, name))


async def aget_subgraphs(
    self: CompiledGraph, *, namespace: str | None = None, recurse: bool = False
) -> AsyncIterator[tuple[str, CompiledGraph]]:
    """As ``get_subgraphs``."""
    for found in get_subgraphs(self, namespace=namespace, recurse=recurse):
        yield found


def get_input_schema(self: CompiledGraph, config: Mapping[str, Any] | None = None) -> type[BaseModel]:  # noqa: ARG001 - as in LangGraph
    """Return a pydantic model of the input; the input schema itself if it is one.

    Keys that only nodes see and keys that are computed (RemainingSteps) are not in it. A key with a reducer that has
    a value to begin with need not be given.

    Raises:
        InvalidSchemaError: pydantic cannot describe the schema.
    """
    return _model(self.parts.input, given=True)


def get_output_schema(self: CompiledGraph, config: Mapping[str, Any] | None = None) -> type[BaseModel]:  # noqa: ARG001 - as in LangGraph
    """Return a pydantic model of the output; as ``get_input_schema``, but every key that is always there is required."""
    return _model(self.parts.output, given=False)


def config_schema(self: CompiledGraph, *, include: Sequence[str] | None = None) -> type[BaseModel]:  # noqa: ARG001 - every graph takes the same
    """Return a pydantic model of the config dict.

    Args:
        self: The graph.
        include: Keys of the config that the model has; all by default.

    Raises:
        InvalidConfigError: A config has no such key.
    """
    return _config_model(include)


def get_input_jsonschema(self: CompiledGraph, config: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: ARG001 - as in LangGraph
    """Return the JSON schema of the input, as ``get_input_schema`` describes it."""
    return _json_schema(self.parts.input, given=True)


def get_output_jsonschema(self: CompiledGraph, config: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: ARG001 - as in LangGraph
    """Return the JSON schema of the output."""
    return _json_schema(self.parts.output, given=False)


def get_context_jsonschema(self: CompiledGraph) -> dict[str, Any] | None:
    """Return the JSON schema of ``context=``, None for a graph without a context schema."""
    return None if self.parts.context_schema is None else _json_schema(read_schema(self.parts.context_schema), given=True)


def get_config_jsonschema(self: CompiledGraph, *, include: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the JSON schema of the config dict; unlike in LangGraph the context is no part of it."""
    return config_schema(self, include=include).model_json_schema()


def _json_schema(schema: Schema, *, given: bool) -> dict[str, Any]:
    from pydantic import PydanticUserError, TypeAdapter  # noqa: PLC0415 - heavy, and only needed here
    from pydantic.json_schema import GenerateJsonSchema  # noqa: PLC0415 - heavy, and only needed here

    class Generator(GenerateJsonSchema):
        """Describes a type that JSON has no word for as any value, and tells the classes of messages apart."""

        def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:  # noqa: ANN401, ARG002 - as pydantic has it
            return {}

        def dataclass_schema(self, schema: Any) -> dict[str, Any]:  # noqa: ANN401 - as pydantic has it
            shown = super().dataclass_schema(schema)
            return _with_type(shown, schema["cls"])

    try:
        return _inlined(TypeAdapter(_model(schema, given=given)).json_schema(schema_generator=Generator))
    except PydanticUserError as error:
        raise _not_described(schema, error) from error


def _model(schema: Schema, *, given: bool) -> type[BaseModel]:
    from pydantic import ConfigDict, PydanticUserError, RootModel, create_model  # noqa: PLC0415 - heavy, and only needed here

    class Root(RootModel[Any]):
        model_config = ConfigDict(arbitrary_types_allowed=True)

    managed = any(found.managed is not None for found in schema.fields.values())
    name = "Input" if given else "Output"
    cls: Any = schema.cls
    try:
        if schema.kind == "pydantic" and not managed:
            return cast("type[BaseModel]", cls)
        if schema.kind == "pydantic":
            fields: Any = {key: (info.annotation, info) for key, info in cls.model_fields.items() if schema.fields[key].managed is None}
            return cast("type[BaseModel]", create_model(cls.__name__, __doc__=cls.__doc__, **fields))
        if schema.kind == "root":
            return create_model(name, __base__=Root, root=(_portable(schema.fields[ROOT].annotation, {}), ...))
        described: Any = (_dataclass if schema.kind == "dataclass" else _typed_dict)(schema, given=given)
        return create_model(_name(schema, name), __base__=Root, root=(described, ...))
    except PydanticUserError as error:
        raise _not_described(schema, error) from error


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Put what the top refers to at the top, so that a reader finds the properties there; JSON schema itself is indifferent."""
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rpartition("/")[2]
    others = {key: found for key, found in schema["$defs"].items() if key != name}
    top: dict[str, Any] = schema["$defs"][name]
    if f"'#/$defs/{name}'" in repr([top, others]):
        others = schema["$defs"]
    return ({"$defs": others} if others else {}) | top


def _not_described(schema: Schema, error: Exception) -> InvalidSchemaError:
    return InvalidSchemaError(
        f"pydantic cannot describe {_name(schema, repr(schema.cls))}: {str(error).splitlines()[0]}",
        hint="Use types that pydantic knows; a TypedDict inside a dataclass comes from typing_extensions.",
    )


def _name(schema: Schema, otherwise: str) -> str:
    return getattr(schema.cls, "__name__", otherwise)


def _dataclass(schema: Schema, *, given: bool) -> object:
    cls: Any = schema.cls
    hints = get_type_hints(cls, include_extras=True)
    fields: list[Any] = []
    for found in dataclasses.fields(cls):
        known = schema.fields[found.name]
        default: Any = {"default": found.default, "default_factory": found.default_factory}
        if given and known.start is not None and (found.default, found.default_factory) == _MISSING:
            default = {"default_factory": known.start}
        if known.managed is None:
            fields.append((found.name, _portable(_bare(hints[found.name])[0], {}), dataclasses.field(kw_only=True, **default)))
    made: Any = dataclasses.make_dataclass(cls.__name__, fields, namespace={"__doc__": cls.__doc__})
    made.__pydantic_config__ = {"arbitrary_types_allowed": True}
    return made


def _typed_dict(schema: Schema, *, given: bool) -> object:
    free = {key for key, found in schema.fields.items() if given and found.start is not None}
    left_out = {key for key, found in schema.fields.items() if found.managed is not None}
    return _rebuilt(schema.cls, {}, free, left_out)


def _rebuilt(cls: Any, known: dict[object, object], free: set[str], left_out: set[str]) -> object:  # noqa: ANN401 - a TypedDict has no type
    from typing_extensions import TypedDict  # noqa: PLC0415 - heavy, and only needed here

    known[cls] = dict[str, Any]
    fields: dict[str, Any] = {}
    for key, hint in get_type_hints(cls, include_extras=True).items():
        bare, required = _bare(hint)
        needed = (key in cls.__required_keys__ if required is None else required) and key not in free
        if key not in left_out:
            fields[key] = Required[_portable(bare, known)] if needed else NotRequired[_portable(bare, known)]
    make: Any = TypedDict
    made = make(cls.__name__, fields)
    made.__doc__ = cls.__doc__
    made.__pydantic_config__ = {"arbitrary_types_allowed": True}
    known[cls] = made
    return made


def _bare(hint: Any) -> tuple[Any, bool | None]:  # noqa: ANN401 - a type form
    """Take Required, NotRequired and ReadOnly off a hint; also return whether they say that it is required."""
    required: bool | None = None
    extras: tuple[object, ...] = ()
    while (origin := get_origin(hint)) is Annotated or getattr(origin, "_name", "") in {"Required", "NotRequired", "ReadOnly"}:
        if origin is Annotated:
            hint, *own = get_args(hint)
            extras = (*own, *extras)
        else:
            required = {"Required": True, "NotRequired": False}.get(origin._name, required)  # noqa: SLF001 - it has no other name
            (hint,) = get_args(hint)
    return (Annotated[(hint, *extras)] if extras else hint), required


def _portable(hint: Any, known: dict[object, object]) -> Any:  # noqa: ANN401 - a type form
    """Return a type with every TypedDict of ``typing`` in it rebuilt."""
    if is_typeddict(hint) and sys.version_info < (3, 12):
        return known[hint] if hint in known else _rebuilt(hint, known, set(), set())
    origin, parts = get_origin(hint), get_args(hint)
    if not parts or origin is Literal or any(isinstance(part, list) for part in parts):
        return hint
    inner = tuple([_portable(part, known) if number == 0 or origin is not Annotated else part for number, part in enumerate(parts)])
    if inner == parts:
        return hint
    if origin is Annotated:
        return Annotated[inner]
    if origin is UnionType:
        return reduce(or_, inner)
    return hint.copy_with(inner) if hasattr(hint, "copy_with") else origin[inner]


def _with_type(shown: dict[str, Any], cls: type) -> dict[str, Any]:
    from graphkit.messages import Message  # noqa: PLC0415 - only schemas with messages need it

    if not issubclass(cls, Message):
        return shown
    return shown | {"properties": {"type": {"const": cls.type, "type": "string"}, **shown["properties"]}}


def _config_model(include: Sequence[str] | None) -> type[BaseModel]:
    from pydantic import ConfigDict, create_model  # noqa: PLC0415 - heavy, and only needed here

    for name in include or ():
        if name not in CONFIG_KEYS:
            raise InvalidConfigError(f"config has no key {name!r}.", hint=nearest(name, CONFIG_KEYS), key=name)
    address: dict[str, Any] = dict.fromkeys(ADDRESS_KEYS, (str | None, None))
    configurable = create_model("Configurable", __config__=ConfigDict(extra="allow"), **address)
    kinds: dict[str, Any] = {"configurable": configurable, "metadata": dict[str, Any], "tags": list[str]}
    kinds |= {"recursion_limit": int, "max_concurrency": int}
    fields: dict[str, Any] = {name: (kinds.get(name, str) | None, None) for name in CONFIG_KEYS if include is None or name in include}
    return create_model("Config", __config__=ConfigDict(extra="forbid"), **fields)


_MISSING = (dataclasses.MISSING, dataclasses.MISSING)
