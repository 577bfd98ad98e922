"""The command ``memory``: what was learned, where it came from, and how to change it.

Exit codes: 0 it was done; 1 what was asked for cannot be done (no such preference, somebody else changed it first); 2 wrong options,
or the store cannot be used. Unless it is 0, nothing was changed.

With ``--json``, one document, ASCII only::

    {"schema": "graphkit-memory/1", "user": "...", "namespaces": [{"namespace": ["...", ...], "kind": "...", "preferences": [ENTRY, ...]}]}
    {"schema": ..., "user": "...", "preference": ENTRY, "history": [EVENT, ...]}        show, undo, redo, add, edit
    {"schema": ..., "user": "...", "forgotten": "ID"}                                   forget
    {"schema": ..., "error": {"code": "...", "message": "...", "hint": "..."}}          anything that did not work

ENTRY has the fields of a Preference (``at`` is ISO 8601 with zone) and ``state``: active, replaced or undone. EVENT is
``{"at", "id", "what", "by"}``.
"""

from __future__ import annotations

import argparse
import json
import re
from typing import TYPE_CHECKING, assert_never

from rich.text import Text

from examples.email_assistant.errors import AssistantError, OptionError
from examples.email_assistant.inbox.inert import line
from examples.email_assistant.memory.effects import EVERYONE, KINDS
from examples.email_assistant.memory.errors import PreferenceConflictError, UnknownPreferenceError
from examples.email_assistant.memory.record import entry_of
from examples.email_assistant.memory.tables import show_all, show_one, state_of
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    from typing import Literal

    from rich.console import Console

    from examples.email_assistant.memory.memory import Memory
    from examples.email_assistant.memory.preference import Preference

    Request = Literal["list", "show", "undo", "redo", "forget", "add", "edit"]

SCHEMA = "graphkit-memory/1"
DONE, REFUSED, BROKEN = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``memory`` to a parser of the command line."""
    parser.add_argument("--kind", choices=KINDS, default=None, help="only preferences of this kind")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    requests = parser.add_subparsers(dest="request", metavar="{list,show,undo,redo,forget,add,edit}", title="what to do (default: list)")
    parser.set_defaults(request="list")
    # A default of its own would win over what was given before the request.
    usual = argparse.ArgumentParser(add_help=False)
    usual.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")
    kind = argparse.ArgumentParser(add_help=False)
    kind.add_argument("--kind", choices=KINDS, default=argparse.SUPPRESS, help="what it is about")
    requests.add_parser("list", parents=[usual, kind], help="print all preferences")
    for name, does in (
        ("show", "print one with its history"),
        ("undo", "let one apply no more; it is kept"),
        ("redo", "let an undone one apply again"),
        ("forget", "delete all that one says; it is not learned again from the same answer"),
    ):
        requests.add_parser(name, parents=[usual], help=does).add_argument("id", metavar="ID", help="an id or its beginning")
    add = requests.add_parser("add", parents=[usual, kind], help="write one by hand")
    edit = requests.add_parser("edit", parents=[usual], help="replace one by hand; the old one is kept")
    edit.add_argument("id", metavar="ID", help="an id or its beginning")
    for request in (add, edit):
        request.add_argument("--rule", metavar="TEXT", default=None, help="one sentence (default: what the effect says)")
        request.add_argument("--for", dest="applies_to", metavar="WHO", default=None, help="*, an address, or @example.org")
        request.add_argument(
            "--set", dest="effect", metavar="NAME=VALUE", action="append", type=_setting, help='an effect, as in greeting="Dear {name},"'
        )


def run(options: argparse.Namespace, memory: Memory, console: Console) -> int:
    """Do what the options say and return the exit code.

    Args:
        options: As `add_arguments` describes them.
        memory: The owner's.
        console: Where tables, JSON and complaints go.
    """
    try:
        return _carry_out(options.request, options, memory, console)
    except (UnknownPreferenceError, PreferenceConflictError) as error:
        return _complain(error, options, console, REFUSED)
    except (AssistantError, GraphkitError) as error:
        return _complain(error, options, console, BROKEN)


def _carry_out(request: Request, options: argparse.Namespace, memory: Memory, console: Console) -> int:
    match request:
        case "list":
            return _list(options, memory, console)
        case "show":
            return _show(memory.get(memory.find(options.id)), "", options, memory, console)
        case "undo":
            return _show(memory.undo(memory.find(options.id)), "Undone.", options, memory, console)
        case "redo":
            return _show(memory.redo(memory.find(options.id)), "It applies again.", options, memory, console)
        case "forget":
            return _forget(memory.find(options.id), options, memory, console)
        case "add":
            if options.kind is None:
                raise OptionError("add needs to know what the preference is about.", hint=f"Give --kind: {', '.join(KINDS)}.")
            made = memory.write(options.kind, options.rule or "", dict(options.effect or []), options.applies_to or EVERYONE)
            return _show(made, "Written.", options, memory, console)
        case "edit":
            if (options.rule, options.effect, options.applies_to) == (None, None, None):
                raise OptionError("edit needs to know what to change.", hint="Give --rule, --set or --for.")
            old = memory.get(memory.find(options.id))
            effect = None if options.effect is None else _changed(old, dict(options.effect))
            edited = memory.edit(old.id, rule=options.rule, effect=effect, applies_to=options.applies_to)
            return _show(edited, "Edited.", options, memory, console)
        case _:
            assert_never(request)


def _list(options: argparse.Namespace, memory: Memory, console: Console) -> int:
    preferences = memory.recall()
    kinds = KINDS if options.kind is None else (options.kind,)
    if not options.json:
        console.print(Text(f"Preferences of {line(memory.user)}\n"))
        show_all(console, memory, preferences, kinds)
        return DONE
    applying = {one.id for one in preferences.in_effect()}
    namespaces = [
        {"namespace": list(memory.namespace(kind)), "kind": kind, "preferences": [_entry(one, applying) for one in preferences.of(kind)]}
        for kind in kinds
    ]
    return _print(console, {"user": memory.user, "namespaces": namespaces})


def _show(one: Preference, said: str, options: argparse.Namespace, memory: Memory, console: Console) -> int:
    applying = {found.id for found in memory.recall().in_effect()}
    history = memory.history(one.id)
    if options.json:
        events = [{"at": event.at.isoformat(), "id": event.id, "what": event.what, "by": event.by} for event in history]
        return _print(console, {"user": memory.user, "preference": _entry(one, applying), "history": events})
    if said:
        console.print(said)
    show_one(console, one, state_of(one, applying), history)
    return DONE


def _changed(old: Preference, settings: dict[str, object]) -> dict[str, object]:
    """Return the new effect: what is set, in the old one's language unless another one, or none, is set."""
    given = {"language": old.effect["language"], **settings} if "language" in old.effect else settings
    return {name: value for name, value in given.items() if (name, value) != ("language", "")}


def _forget(id: str, options: argparse.Namespace, memory: Memory, console: Console) -> int:
    memory.forget(id)
    if options.json:
        return _print(console, {"user": memory.user, "forgotten": id})
    console.print(f"Forgotten: {id}", markup=False)
    return DONE


def _complain(error: AssistantError | GraphkitError, options: argparse.Namespace, console: Console, code: int) -> int:
    if options.json:
        name = error.code if isinstance(error, GraphkitError) else _code(error)
        _print(console, {"error": {"code": name, "message": error.message, "hint": error.hint or ""}})
    else:
        console.print(Text(f"memory: {line(str(error))}", style="red"))
    return code


def _code(error: AssistantError) -> str:
    name = type(error).__name__.removesuffix("Error")
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _entry(one: Preference, applying: set[str]) -> dict[str, object]:
    return {**entry_of(one), "state": state_of(one, applying)}


def _print(console: Console, content: dict[str, object]) -> int:
    # Not through print(): it would wrap long lines and colour words.
    console.file.write(json.dumps({"schema": SCHEMA, **content}, indent=2) + "\n")
    console.file.flush()
    return DONE


def _setting(written: str) -> tuple[str, object]:
    name, separator, value = written.partition("=")
    if not separator or not name.strip():
        raise argparse.ArgumentTypeError(f"{written!r} is not NAME=VALUE")
    # Only numbers and lists are JSON here; a greeting in quotes keeps them only if they were meant.
    is_json = re.fullmatch(r"\s*(?:-?\d+|\[.*\])\s*", value, re.DOTALL) is not None
    try:
        return name.strip(), json.loads(value) if is_json else value
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is no JSON: {error}") from error
