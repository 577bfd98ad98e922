"""What the owner's edit of a draft, or their words about it, say about how they write. Pure."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from examples.email_assistant.memory.body import Body, body_of, closer_language, is_greeting_of, opener_language, template_of
from examples.email_assistant.memory.effects import EVERYONE, LONGEST_PHRASE, is_plain, worded
from examples.email_assistant.memory.facts import is_fact
from examples.email_assistant.memory.lesson import Lesson
from examples.email_assistant.memory.preference import one_line
from examples.email_assistant.rules.letters import has_gap
from examples.email_assistant.rules.reading import language, sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.memory.effects import Kind

SHORTER = 0.6
LONG_ENOUGH = 25
ALIKE = 0.5
LONGEST_QUOTE = 160
EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
QUOTED_MAIL = re.compile(r"^(?:>.*|On .+ wrote:|Am .+ schrieb .*:|El .+ escribi(?:ó|o):)$", re.MULTILINE)

FORMAL_GERMAN = re.compile(r"\b(?:Sie|Ihnen|Ihre?[mnrs]?)\b")
FAMILIAR_GERMAN = re.compile(r"\b(?:[Dd]u|[Dd]ir|[Dd]ich|[Dd]eine?[mnrs]?)\b")

GENERAL = re.compile(
    r"\balways\b|\bnever\b|\bin (?:the )?future\b|\bfrom now on\b|\bevery time\b|\bin general\b|\bgenerally\b|\bby default\b|\bas a rule\b"
    r"|\bimmer\b|\bnie(?:mals)?\b|\bkünftig\b|\bin zukunft\b|\bab jetzt\b|\bgrundsätzlich\b"
    r"|\bsiempre\b|\bnunca\b|\ben el futuro\b|\ba partir de ahora\b|\btoujours\b|\bjamais\b|\bsempre\b|いつも|必ず|今後|常に",
    re.IGNORECASE,
)
RELATION = re.compile(
    r"\b(?:in)?formal(?:ly)?\b|\bpolite(?:ly|r)?\b|\bfriendl(?:y|ier)\b|\bwarm(?:er|ly)?\b|\bcasual(?:ly)?\b|\bfirst name\b|\blast name\b"
    r"|\bförmlich(?:er)?\b|\bhöflich(?:er)?\b|\bfreundlich(?:er)?\b|\blocker(?:er)?\b|\bduzen\b|\bsiezen\b"
    r"|\bcortés\b|\bamable\b|\btutear\b|\btuteo\b|丁寧|敬語|カジュアル",
    re.IGNORECASE,
)
STYLE = re.compile(
    r"\bshort(?:er|en)?\b|\bbrief(?:er|ly)?\b|\bconcise(?:ly)?\b|\blonger\b|\bless detail\b|\bmore detail\b|\btone\b|\bgreet(?:ing)?\b"
    r"|\bsign[- ]?off\b|\bsalutation\b|\bemojis?\b|\bexclamation\b|\bbullets?\b|\bbullet points?\b|\bwording\b|\bstyle\b|\bjargon\b"
    r"|\bsimpler\b|\bplain(?:er)? words\b|\bdirect(?:er)?\b|\bapologi[sz]e\b"
    r"|\bkürzer\b|\bknapper\b|\blänger\b|\bausführlicher\b|\bstichpunkte\b|\btonfall\b|\banrede\b|\beinfacher\b"
    r"|\bmás (?:corto|breve|largo|sencillo)\b|\btono\b|短く|簡潔|箇条書き",
    re.IGNORECASE,
)


def edited_draft(mail: Mail, proposed: Mapping[str, object], edited: Mapping[str, object]) -> list[Lesson]:
    """Return what an edit of ``write_email`` teaches. Recipients and subject belong to the mail and teach nothing."""
    before = body_of(str(proposed.get("content", "")))
    after = body_of(str(edited.get("content", "")), before.signature)
    found = _endings(mail, before, after)
    if str(proposed.get("to", "")).strip().lower() == str(edited.get("to", "")).strip().lower():
        found += _greeting(mail, before, after)
    if not has_gap(before.core):
        # Words in the place of a gap are the answer to this mail.
        found += _length(before, after) or _wording(mail, before, after)
        found += _form_of_address(mail, before, after)
    return found


def feedback(mail: Mail, text: str, kind: Kind) -> list[Lesson]:
    """Return what the owner's words about a proposal teach: sentences about how it is to be, not about what it is to say."""
    kept = [one for one in _sentences(text) if GENERAL.search(one) or (_is_style(one) and not is_fact(one, mail))]
    if not kept:
        return []
    is_general = any(GENERAL.search(one) or not RELATION.search(one) for one in kept)
    scope = EVERYONE if is_general else mail.sender.address
    if scope != EVERYONE and not is_plain(scope):
        return []
    quote = _quoted(" ".join(kept))
    return [Lesson(kind, "feedback", f"Do as the owner said: {quote}", {}, f"said about a proposal: {quote}", applies_to=scope)]


def _greeting(mail: Mail, before: Body, after: Body) -> list[Lesson]:
    if not after.greeting or _same(before.greeting, after.greeting) or len(after.greeting) > LONGEST_PHRASE:
        return []
    tongue = language(mail.fresh) or opener_language(after.greeting) or opener_language(before.greeting)
    template = template_of(after.greeting, before.greeting, mail.reply_to) if tongue else ""
    sender = mail.sender.address
    if not template and not (is_plain(sender) and is_greeting_of(after.greeting, mail.reply_to)):
        return []
    effect = {"greeting": template or after.greeting} | ({"language": tongue} if tongue else {})
    change = f"greeting: {_arrow(before.greeting, after.greeting)}"
    return [Lesson("response", "greeting", worded(effect), effect, change, applies_to=EVERYONE if template else sender)]


def _endings(mail: Mail, before: Body, after: Body) -> list[Lesson]:
    found = []
    if after.sign_off and not _same(before.sign_off, after.sign_off):
        tongue = language(mail.fresh) or closer_language(after.sign_off) or closer_language(before.sign_off)
        effect = {"sign_off": after.sign_off} | ({"language": tongue} if tongue else {})
        found.append(Lesson("response", "sign-off", worded(effect), effect, f"closing: {_arrow(before.sign_off, after.sign_off)}"))
    is_name = bool(after.signature) and "\n" not in after.signature and not re.search(r"\d|@", after.signature)
    if is_name and before.signature and not _same(before.signature, after.signature):
        effect = {"signature": after.signature}
        found.append(Lesson("response", "signature", worded(effect), effect, f"name: {_arrow(before.signature, after.signature)}"))
    return found


def _length(before: Body, after: Body) -> list[Lesson]:
    size, left = _size(before.core), _size(after.core)
    if size < LONG_ENOUGH or not left or left > size * SHORTER:
        return []
    return [Lesson("response", "length", "Keep mails short: the owner cut a draft to its core.", {}, f"length: {size} words -> {left}")]


def _wording(mail: Mail, before: Body, after: Body) -> list[Lesson]:
    """Quote a sentence the owner put in, if the rest of the draft stayed and it could stand in any mail."""
    old, new = _sentences(before.core), _sentences(after.core)
    added = [one for one in new if one not in old]
    dropped = [one for one in old if one not in new]
    if len(added) != 1 or len(dropped) > 1 or len(added[0]) > LONGEST_QUOTE or is_fact(added[0], mail):
        return []
    is_reworded = bool(dropped) and SequenceMatcher(None, dropped[0].lower(), added[0].lower(), autojunk=False).ratio() >= ALIKE
    if dropped and not is_reworded:
        return []
    quote = _quoted(added[0])
    # What was taken out is never quoted: a draft can hold words of the sender.
    rule = f"Prefer words such as {quote} where they fit." if is_reworded else f"Where it fits, add: {quote}"
    return [Lesson("response", "wording", rule, {}, f"{'reworded as' if is_reworded else 'added'} {quote}")]


def _form_of_address(mail: Mail, before: Body, after: Body) -> list[Lesson]:
    old, new = (f"{one.greeting}\n{one.core}" for one in (before, after))
    was = (bool(FORMAL_GERMAN.search(old)), bool(FAMILIAR_GERMAN.search(old)))
    now = (bool(FORMAL_GERMAN.search(new)), bool(FAMILIAR_GERMAN.search(new)))
    rules = {
        ((True, False), (False, True)): 'Write to this sender in the familiar form ("du").',
        ((False, True), (True, False)): 'Write to this sender in the formal form ("Sie").',
    }
    rule = rules.get((was, now))
    if rule is None or not is_plain(mail.sender.address):
        return []
    return [Lesson("response", "form", rule, {}, "form of address", applies_to=mail.sender.address)]


def _is_style(sentence: str) -> bool:
    return bool(RELATION.search(sentence) or STYLE.search(sentence))


def _sentences(text: str) -> list[str]:
    own = QUOTED_MAIL.split(text)[0]
    return [one_line(one) for one in sentences(own) if one.strip()]


def _size(text: str) -> int:
    """Return a length in words; two characters of writing without spaces count as one."""
    return len(EAST_ASIAN.sub("", text).split()) + len(EAST_ASIAN.findall(text)) // 2


def _same(left: str, right: str) -> bool:
    return left.split() == right.split()


def _quoted(text: str) -> str:
    return '"' + one_line(text, LONGEST_QUOTE).replace('"', "'") + '"'


def _arrow(before: str, after: str) -> str:
    return f'"{before}" -> "{after}"' if before else f'"{after}"'
