"""The parts of a mail body: greeting, what is said, closing, name. Pure; words of five languages are data here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from examples.email_assistant.mail.message import Address

OPENERS: dict[str, str] = {
    "en": "hello|hi|hey|dear|good (?:morning|afternoon|evening|day)|greetings",
    "de": "hallo|hi|hey|guten (?:tag|morgen|abend)|liebe|lieber|sehr geehrter?|moin|servus|grüezi",
    "es": "hola|buenos días|buenas (?:tardes|noches)|estimad[oa]|querid[oa]",
    "fr": "bonjour|bonsoir|salut|chère?|madame|monsieur",
    "it": "ciao|buongiorno|buonasera|gentile|car[oa]|salve",
}
ANY_OPENER = "|".join(OPENERS.values())
HONORIFICS = "様|さま|さん|先生|殿"
HONORIFIC = re.compile(rf"^[^,、]{{1,40}}?\s*(?:{HONORIFICS})[、,]?$")
CLOSERS: dict[str, tuple[str, ...]] = {
    "en": (
        "best regards",
        "kind regards",
        "warm regards",
        "regards",
        "best wishes",
        "warm wishes",
        "all the best",
        "best",
        "cheers",
        "many thanks",
        "thanks",
        "thank you",
        "sincerely",
        "yours sincerely",
        "yours faithfully",
        "yours truly",
        "yours",
        "take care",
        "see you",
        "respectfully",
        "cordially",
    ),
    "de": (
        "mit freundlichen grüßen",
        "mit freundlichem gruß",
        "freundliche grüße",
        "viele grüße",
        "liebe grüße",
        "beste grüße",
        "schöne grüße",
        "herzliche grüße",
        "mit besten grüßen",
        "herzlichst",
        "grüße",
        "gruß",
        "vielen dank",
        "hochachtungsvoll",
    ),
    "es": ("un saludo", "saludos", "saludos cordiales", "un cordial saludo", "atentamente", "un abrazo", "muchas gracias"),
    "fr": ("cordialement", "bien cordialement", "bien à vous", "amicalement", "à bientôt", "merci d'avance"),
    "it": ("cordiali saluti", "distinti saluti", "un saluto", "a presto", "saluti"),
    "ja": ("よろしくお願いいたします", "よろしくお願いします", "どうぞよろしくお願いいたします", "以上"),
}
END_SIGNS = ",.!、。:;"
LONGEST_GREETING = 60
MOST_END_LINES = 5
NAME = "{name}"


@dataclass(frozen=True, slots=True)
class Body:
    """A body in its parts; a part that is not there is empty. The closing is without its comma."""

    greeting: str
    core: str
    sign_off: str
    signature: str


def body_of(content: str, known_signature: str = "") -> Body:
    """Take a body apart.

    Args:
        content: The body.
        known_signature: A name that is known to stand at the end, so that the line above it is found to be a closing whatever it says.
    """
    lines = [line.strip() for line in content.replace("\r\n", "\n").strip().split("\n")]
    greeting = lines[0] if _is_greeting(lines[0]) else ""
    rest = lines[1:] if greeting else lines
    place = _closing(rest, known_signature)
    if place is None:
        return Body(greeting, "\n".join(rest).strip(), "", "")
    signature = "\n".join([line for line in rest[place + 1 :] if line])
    return Body(greeting, "\n".join(rest[:place]).strip(), rest[place].rstrip(END_SIGNS).strip(), signature)


def opener_language(greeting: str) -> str:
    """Return the language of a greeting; empty when it is not known or several have it."""
    found = [tongue for tongue, words in OPENERS.items() if re.match(rf"(?:{words})\b", greeting.lower())]
    if HONORIFIC.match(greeting):
        found.append("ja")
    return found[0] if len(found) == 1 else ""


def closer_language(sign_off: str) -> str:
    """Return the language of a closing; empty when it is not known."""
    return next((tongue for tongue, known in CLOSERS.items() if _is_one_of(sign_off, known)), "")


def template_of(greeting: str, before: str, person: Address) -> str:
    """Return a greeting with the slot ``{name}`` in the place of the name, as it is good for everyone; empty when it is for one person.

    Args:
        greeting: The greeting.
        before: The one of the draft: the form of the name it has (first name, whole name) is the one that the slot stands for.
        person: Who is greeted.
    """
    if "{" in greeting or "}" in greeting:
        return ""
    names = [name for name in _forms(person) if _has(before, name)] or [name for name in _forms(person) if _has(greeting, name)]
    if not names or not _has(greeting, names[0]):
        return ""
    template = re.sub(_word(names[0]), NAME, greeting, count=1)
    # Anything else beside the name, such as a title or "Mrs", belongs to one person.
    is_general = re.fullmatch(rf"(?:(?:{ANY_OPENER}),?\s+)?\{{name\}}\s*(?:{HONORIFICS})?\s*[,:!.、]?", template, re.IGNORECASE)
    is_gendered = re.match(r"(?:lieber?|sehr geehrter?|estimad[oa]|querid[oa]|chère?|car[oa])\b", template, re.IGNORECASE)
    return template if is_general and not is_gendered else ""


def is_greeting_of(greeting: str, person: Address) -> bool:
    """Tell whether a line greets this person and says nothing else."""
    if HONORIFIC.match(greeting):
        return True
    found = re.fullmatch(rf"(?:{ANY_OPENER})\b((?:\s+[\w.'-]+){{0,5}})\s*[,:!.]?", greeting, re.IGNORECASE)
    # One word may be a pet name; more than that has to have the name in it.
    return found is not None and (len(found[1].split()) <= 1 or any(_has(greeting, name) for name in _forms(person)))


def _is_greeting(line: str) -> bool:
    if not line or len(line) > LONGEST_GREETING or re.search(r"[?\d]", line):
        return False
    words = line.split()
    has_opener = re.match(rf"(?:{ANY_OPENER})\b", line, re.IGNORECASE) is not None
    if has_opener and (len(words) <= 6 or line[-1] in ",:!"):
        return True
    return bool(HONORIFIC.match(line)) or (len(words) <= 4 and line[-1] in ",:")


def _closing(lines: list[str], known_signature: str) -> int | None:
    """Return the place of the closing among the last lines."""
    written = [place for place, line in enumerate(lines) if line]
    for place in reversed(written[-MOST_END_LINES:]):
        if any(_is_one_of(lines[place], known) for known in CLOSERS.values()) and place:
            return place
    own = [line for line in known_signature.split("\n") if line]
    if own and len(written) > len(own) and [lines[place] for place in written[-len(own) :]] == own:
        place = written[-len(own) - 1]
        is_short = len(lines[place].split()) <= 6 and len(lines[place]) <= LONGEST_GREETING and lines[place][-1] not in ".?"
        return place if place and is_short and not lines[place - 1] else None
    return None


def _is_one_of(line: str, known: tuple[str, ...]) -> bool:
    bare = " ".join(line.lower().rstrip(END_SIGNS).replace(",", "").split())
    return bare in known or (len(bare.split()) <= 5 and any(bare.endswith(f" {one}") for one in known if " " in one))


def _has(line: str, name: str) -> bool:
    return bool(re.search(_word(name), line))


def _word(name: str) -> str:
    return rf"(?<!\w){re.escape(name)}(?:(?!\w)|(?={HONORIFICS}))"


def _forms(person: Address) -> list[str]:
    """Return what somebody may be called, longest first: the whole name, the first one, the last one."""
    name = re.sub(r"\s*\([^)]*\)", "", person.name).strip()
    if "," in name:
        family, _, given = name.partition(",")
        name = f"{given.strip()} {family.strip()}".strip()
    words = name.split()
    if not words or not name.isprintable():
        return []
    return list(dict.fromkeys([name, words[0], words[-1]]))
