"""Arguments of a tool: the pydantic model they have to fit, and its JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from graphkit.errors import InvalidToolError, ToolInvocationError, nearest

if TYPE_CHECKING:
    from inspect import Parameter

    from pydantic.fields import FieldInfo

SHOWN: Final = 80
"""Characters of a refused value that an error shows."""

CLOSED: Final = ConfigDict(extra="forbid", protected_namespaces=())


class Schema(GenerateJsonSchema):
    """Writes JSON schemas for models to read: without titles that only repeat the name of a field."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - declared so by pydantic

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's signature
        """Never repeat a name."""
        return False


def arguments_model(tool: str, parameters: Mapping[str, Parameter], hints: Mapping[str, Any], words: Mapping[str, str]) -> type[BaseModel]:
    """Return the model of a function's arguments.

    Args:
        tool: The tool's name.
        parameters: Those that a model fills.
        hints: Their types, with what ``Annotated`` says.
        words: Their descriptions, where ``Annotated`` and ``Field`` have none.

    Raises:
        InvalidToolError: pydantic cannot check a type, or JSON schema cannot describe it.
    """
    fields: dict[str, Any] = {}
    for name, parameter in parameters.items():
        default = ... if parameter.default is parameter.empty else parameter.default
        free = not name.startswith("_") and not hasattr(BaseModel, name)
        marks = [*([Field(description=words[name])] if name in words else []), *([] if free else [Field(alias=name)])]
        fields[name if free else f"{name.strip('_')}_"] = (_marked(hints[name], marks), default)
    try:
        return create_model(tool, __config__=CLOSED, **fields)
    except PydanticUserError as error:
        raise InvalidToolError(f"Arguments of the tool {tool!r} cannot be checked: {_first_line(error)}", tool=tool) from error


def parameters_of(owner: str, kind: type) -> dict[str, Any]:
    """Return the JSON schema of a pydantic model or a TypedDict as what models are told about arguments.

    Raises:
        InvalidToolError: JSON schema cannot describe it, or it is no object.
    """
    try:
        schema = TypeAdapter(kind).json_schema(schema_generator=Schema)
    except PydanticUserError as error:
        raise InvalidToolError(f"Arguments of {owner} have no JSON schema: {_first_line(error)}") from error
    if "$ref" in schema:
        # A model that contains itself is defined beside the others; the top has to be the object itself.
        schema = {**schema["$defs"][schema.pop("$ref").rpartition("/")[2]], **schema}
    if schema.get("type") != "object" or issubclass(kind, RootModel):
        raise InvalidToolError(f"Arguments of {owner} are no object.", hint="Arguments have names: use a model with fields.")
    del schema["type"]
    told = {"type": "object", "properties": schema.pop("properties", {}), **schema}
    return {key: value for key, value in told.items() if key not in {"title", "description"}}


def read_arguments(tool: str, model: type[BaseModel], given: object) -> BaseModel:
    """Check arguments and return them as an instance of the model.

    Raises:
        ToolInvocationError: Some do not fit; ``facts["arguments"]`` has what is wrong with each.
    """
    if not isinstance(given, Mapping):
        raise ToolInvocationError(f"Arguments of the tool {tool!r} are a dict, not {given!r:.{SHOWN}}.", tool=tool)
    wrong: dict[str, str] = {}
    known = names_of(model)
    if model.model_config.get("extra") != "allow":
        wrong = {str(name): f"there is no such argument. {nearest(name, known)}" for name in given if name not in known}
    try:
        read = model.model_validate({name: value for name, value in given.items() if str(name) not in wrong})
    except ValidationError as error:
        wrong.update(_complaints(error))
        raise _unfit(tool, wrong) from error
    if wrong:
        raise _unfit(tool, wrong)
    return read


def values_of(read: BaseModel) -> dict[str, Any]:
    """Return checked arguments by the names of the function's parameters, with the types the function wants."""
    fields = type(read).model_fields
    made = {_parameter(name, field): getattr(read, name) for name, field in fields.items()}
    return {**made, **(read.model_extra or {})}


def json_of(read: BaseModel) -> dict[str, Any]:
    """Return checked arguments as JSON has them: those that were given, by the names they were given under."""
    return read.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False, fallback=str)


def names_of(model: type[BaseModel]) -> list[str]:
    """Return the names under which arguments may be given."""
    by_name = model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name")
    names: list[str] = []
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        heads = [choice if isinstance(choice, str) else str(choice.path[0]) for choice in choices if choice is not None]
        names += [*heads, *([name] if by_name or not heads else [])]
    return names


def _marked(hint: Any, marks: list[FieldInfo]) -> Any:  # noqa: ANN401 - types are values here
    """Put marks before those that a type has, which win; a string among those is a description."""
    annotated: Any = Annotated
    base, *own = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    all_marks = [*marks, *[Field(description=mark) if isinstance(mark, str) else mark for mark in own]]
    return annotated[(base, *all_marks)] if all_marks else base


def _parameter(name: str, field: FieldInfo) -> str:
    """Return the parameter of a field: a name that pydantic keeps for itself has been given a ``_`` at its end."""
    alias = field.alias
    return alias if alias is not None and name == f"{alias.strip('_')}_" else name


def _complaints(error: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in error.errors(include_url=False, include_context=False):
        place = ".".join(map(str, each["loc"])) or "arguments"
        shown = "" if each["type"] == "missing" else f" (not {each['input']!r:.{SHOWN}})"
        words = "is required" if each["type"] == "missing" else each["msg"]
        found[place] = f"{found[place]}; or {words}" if place in found else f"{words}{shown}"
    return found


def _unfit(tool: str, wrong: Mapping[str, str]) -> ToolInvocationError:
    listed = "; ".join([f"{place}: {words}" for place, words in wrong.items()])
    return ToolInvocationError(f"The tool {tool!r} cannot be called like this: {listed}", tool=tool, arguments=dict(wrong))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
