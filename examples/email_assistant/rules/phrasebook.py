"""What the rule model can say, in four languages. Data only; `letters.py` fills the slots.

Slots: ``{name}`` the person written to, ``{day}`` a day as that language writes it, ``{time}`` a time with its zone, ``{minutes}``,
``{me}`` the owner's name, ``{times}`` a list of times.
"""

from __future__ import annotations

from dataclasses import dataclass

from examples.email_assistant.rules.calendar_words import MONTHS, WEEKDAYS


@dataclass(frozen=True, slots=True)
class Phrases:
    """The sentences of one language."""

    greeting: str
    greeting_without_name: str
    closing: str
    deadline: str
    confirmed: str
    taken: str
    first_names: bool


PHRASES: dict[str, Phrases] = {
    "en": Phrases(
        greeting="Hello {name},",
        greeting_without_name="Hello,",
        closing="Best regards\n{me}",
        deadline="Thank you for your mail. You will have it by {day}.",
        confirmed="{day} at {time} works for me; I have put {minutes} minutes into the calendar.",
        taken="I am not free then. On {day} I could offer {times}. Does one of these suit you?",
        first_names=True,
    ),
    "de": Phrases(
        greeting="Guten Tag {name},",
        greeting_without_name="Guten Tag,",
        closing="Mit freundlichen Grüßen\n{me}",
        deadline="vielen Dank für Ihre Nachricht. Sie erhalten es bis {day}.",
        confirmed="der Termin am {day} um {time} passt mir; ich habe {minutes} Minuten eingetragen.",
        taken="zu dieser Zeit bin ich leider nicht frei. Am {day} könnte ich {times} anbieten. Passt Ihnen davon etwas?",
        first_names=False,
    ),
    "es": Phrases(
        greeting="Hola, {name}:",
        greeting_without_name="Hola:",
        closing="Un saludo,\n{me}",
        deadline="Gracias por tu mensaje. Lo tendrás a más tardar el {day}.",
        confirmed="El {day} a las {time} me viene bien; he reservado {minutes} minutos.",
        taken="A esa hora no puedo. El {day} tengo libre a las {times}. ¿Te viene bien alguna?",
        first_names=True,
    ),
    "": Phrases(
        greeting="",
        greeting_without_name="",
        closing="{me}",
        deadline="{day}",
        confirmed="{day}, {time}, {minutes} min",
        taken="{day}: {times}?",
        first_names=True,
    ),
    "ja": Phrases(
        greeting="{name} 様",
        greeting_without_name="ご担当者様",
        closing="よろしくお願いいたします。\n{me}",
        deadline="ご連絡ありがとうございます。{day}までにお送りいたします。",
        confirmed="{day} {time} より {minutes} 分で承知いたしました。予定に入れました。",
        taken="あいにくその時間は都合がつきません。{day}でしたら {times} が空いております。ご都合はいかがでしょうか。",
        first_names=False,
    ),
}

GAP = "[your answer: {question}]"
"""The visible gap of a draft. A mail that still has one cannot be accepted."""

DAY_FORMS: dict[str, str] = {
    "en": "{weekday} {day} {month}",
    "de": "{weekday}, {day}. {month}",
    "es": "{weekday} {day} de {month}",
    "ja": "{month_number}月{day}日({weekday})",
}


def phrases(language: str) -> Phrases:
    """Return the sentences of a language; for one the rules do not speak, nearly none."""
    return PHRASES.get(language, PHRASES[""])


def weekday_name(language: str, number: int) -> str:
    """Return the name of a weekday (Monday is 0) as written inside a sentence."""
    name = WEEKDAYS.get(language, WEEKDAYS["en"])[number]
    return name if language in {"es", "ja"} else name.capitalize()


def month_name(language: str, number: int) -> str:
    """Return the name of a month (January is 1) as written inside a sentence."""
    name = MONTHS.get(language, MONTHS["en"])[number - 1]
    return name if language == "es" else name.capitalize()
