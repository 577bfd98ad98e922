"""A folder of mails with one `labels.toml`. Only this file reads it; whatever does not fit is told with the place where it stands."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from examples.email_assistant.errors import UnreadableMailError
from examples.email_assistant.evaluation.case import LABELS, ORDERS, ArgumentWish, Case, Contains, DraftWish, Equals, Expected
from examples.email_assistant.evaluation.entries import HINT, Table
from examples.email_assistant.evaluation.errors import CorpusError
from examples.email_assistant.mail.message import parse

if TYPE_CHECKING:
    from datetime import datetime

    from examples.email_assistant.mail.message import Mail

Half = Literal["dev", "held_back"]
HERE = Path(__file__).parent / "corpus"
HALVES: tuple[Half, ...] = ("dev", "held_back")
LABELS_FILE = "labels.toml"
FILE_KEYS = frozenset({"now", "owner", "folders", "mail"})
DRAFT_KEYS = frozenset({"to", "cc", "subject", "days", "mentions", "asks"})
EXPECTED_KEYS = frozenset({"tools", "order", "unwanted", "arguments", "draft", "never", "criteria"})
MAIL_KEYS = EXPECTED_KEYS | {"label", "why", "language", "kinds", "knows", "instruction"}
ARGUMENT_KEYS = frozenset({"tool", "name", "is", "contains"})


@dataclass(frozen=True, slots=True)
class _Box:
    half: str
    now: datetime
    owner: str


def shipped(*halves: Half) -> tuple[Case, ...]:
    """Return the cases that come with the example: of the given halves, or of both.

    Raises:
        CorpusError: A file is missing or does not fit.
    """
    return tuple(case for half in halves or HALVES for case in load(HERE / half))


def load(folder: Path) -> tuple[Case, ...]:
    """Return the cases of one folder, in the order of its ``labels.toml``.

    Args:
        folder: It contains ``labels.toml``; the folder's name is the name of the half.

    Raises:
        CorpusError: A file is missing, a mail has no label, or an entry says something that does not exist.
    """
    path = folder / LABELS_FILE
    table = Table(_parsed(path), f"{folder.name}/{LABELS_FILE}")
    table.knows_only(FILE_KEYS)
    folders = [folder / one for one in table.texts("folders") or (".",)]
    box = _Box(folder.name, table.moment("now"), table.text("owner").lower())
    cases = tuple(_case(box, entry, name, _mail(name, folders, entry.where)) for name, entry in table.tables("mail"))
    missing = {path.stem for path in folder.glob("*.eml")} - {case.id for case in cases}
    if missing:
        raise CorpusError(f"{folder.name}: no label for {', '.join(sorted(missing))}.", hint=f"Add an entry for each to {path}.")
    return cases


def _parsed(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}.", hint="A corpus is a folder of .eml files and one labels.toml.") from error


def _mail(name: str, folders: list[Path], where: str) -> Mail:
    path = next((folder / f"{name}.eml" for folder in folders if (folder / f"{name}.eml").is_file()), None)
    if path is None:
        raise CorpusError(f"{where}: there is no file {name}.eml.", hint="Look at the folders named at the top of labels.toml.")
    try:
        return parse(path.read_bytes(), file=path.name)
    except (OSError, UnreadableMailError) as error:
        raise CorpusError(f"{where}: {error}", hint="Mend the file or take it out of the corpus.") from error


def _case(box: _Box, table: Table, name: str, mail: Mail) -> Case:
    table.knows_only(MAIL_KEYS)
    return Case(
        id=name,
        half=box.half,
        mail=mail,
        now=box.now,
        owner=box.owner,
        label=table.one_of("label", LABELS),
        why=table.text("why"),
        language=table.text("language"),
        kinds=table.texts("kinds"),
        knows=table.text("knows", default=""),
        instruction=table.text("instruction", default=""),
        expected=_expected(table) if EXPECTED_KEYS & table.entries.keys() else None,
    )


def _expected(table: Table) -> Expected:
    draft = table.table("draft")
    draft.knows_only(DRAFT_KEYS)
    return Expected(
        tools=table.texts("tools"),
        order=table.one_of("order", ORDERS, default="subsequence"),
        unwanted=table.texts("unwanted"),
        arguments=tuple(_argument(one) for one in table.list_of_tables("arguments")),
        draft=DraftWish(
            to=draft.texts("to"),
            cc=draft.texts("cc"),
            subject=draft.text("subject", default=""),
            days=draft.days("days"),
            mentions=draft.alternatives("mentions"),
            asks=draft.alternatives("asks"),
        ),
        never=table.texts("never"),
        criteria=table.texts("criteria"),
    )


def _argument(table: Table) -> ArgumentWish:
    table.knows_only(ARGUMENT_KEYS)
    value = table.entries.get("is")
    if ("contains" in table.entries) == isinstance(value, str | int):
        raise CorpusError(f"{table.where}: it needs either 'is', a text or a number, or 'contains'.", hint=HINT)
    condition = Equals(value) if isinstance(value, str | int) else Contains(table.text("contains"))
    return ArgumentWish(table.text("tool"), table.text("name"), condition)
