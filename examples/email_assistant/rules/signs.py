"""Patterns that the rules look for in mail, per language. Data only; `reading.py` and `triage.py` search with it.

All patterns are searched in lower-case text.
"""

from __future__ import annotations

STOPWORDS: dict[str, str] = {
    "en": "please by from the a an and is are to of on for you i it we in at with be not that this have do could can your",
    "de": "der die das und ist sind zu auf für sie ich es wir in mit nicht den dem ein eine haben uns um am bitte",
    "es": "el la los las un una y es son de en para que con no por del su me nos al está gracias",
    "fr": "le la les un une et est sont de en pour que avec pas vous nous je du la des à ce",
    "it": "il lo gli un una e è sono di in per che con non vi ci del della",
}
KANA = r"[\u3040-\u30ff]"

ASKS = {
    "en": r"\b(?:could|can|would|will) (?:you|we|i)\b|\bplease\b|\blet me know\b",
    "de": r"\b(?:könnten|können|würden|hätten|haben) sie\b|\b(?:kannst|könntest|würdest|hast) du\b|\bbitte\b",
    "es": r"\b(?:podrías?|puedes?|tendrías?|tienes|querrías?) ?\b|\bpor favor\b",
    "ja": r"いただけますか|いただけません|くださいますか|ください|お願いできま|でしょうか",
}
# Politeness at the end of a Japanese or German letter asks for nothing.
POLITE = r"よろしくお願い|\bbitte (?:sehr|schön)\b"
QUESTION_END = r"[?\uff1f]\s*$|ですか。?\s*$|ますか。?\s*$|でしょうか。?\s*$"
MEETING = {
    "en": r"\bmeet(?:ing)?\b|\bcall\b|\bappointment\b|\bcatch up\b|\bsync\b|\btalk\b|\bare you free\b|\bhandover\b|\bvisit\b",
    "de": r"\btreffen\b|\btermin\b|\bbesprechung\b|\btelefonieren\b|\bzeit\b|\bvorbeikommen\b|\bvorbeischauen\b",
    "es": r"\breunión\b|\breunirnos\b|\bvernos\b|\bllamada\b|\bcita\b|\btendrías?\b|\bquedar\b",
    "ja": r"打ち合わせ|打合せ|会議|面談|ミーティング",
}
# The words before a day that make it a deadline; for Japanese the word after it.
DUE = {
    "en": r"\b(?:by|until|no later than|before)\b(?=.{0,12}\b(?:{day}))",
    "de": r"\b(?:bis|vor)(?: spätestens)?(?: zum)?\b(?=.{0,20}(?:{day}))",
    "es": r"\b(?:antes del?|hasta el|a más tardar el|para el)\b(?=.{0,12}(?:{day}))",
    "ja": r"まで(?:に)?",
}
STRICTLY_BEFORE = r"\bbefore\b|\bvor\b|\bantes del?\b"
# Words that point at something only the writer and the reader know.
POINTS_ELSEWHERE = r"\b(?:it|this|that|them|es|das|davon|lo|eso)\b|これ|それ|あれ"

INFORMATION = (
    r"\bfyi\b|for your information|no action (?:is )?(?:needed|required)|nothing to prepare"
    r"|zur information|zur kenntnis|para tu información|ご参考まで"
)
THANKS = r"\bthanks?\b|\bthank you\b|\bgot it\b|\bperfect\b|\bdanke\b|\bvielen dank\b|\bgracias\b|ありがとうございま"
URGENT_NOTICE = (
    r"\bsign-?in\b|\bsecurity\b|\bpassword\b|\bfailed\b|\bfailure\b|\boverdue\b|\bexpires?\b|\bexpired\b|\bpayment\b|\binvoice\b|\bsuspended\b"
    r"|\boutage\b|\bdeclined\b|\brechnung\b|\bpasswort\b|\bfactura\b"
)
NO_REPLY_ADDRESS = (
    r"^(?:[\w.+-]*[-_.])?(?:no-?_?reply|do-?not-?reply|donotreply|mailer-daemon|postmaster|bounces?|notifications?)(?:[-+_.@]|$)"
)
AWAY = r"^(?:out of office|automatic reply|auto(?:matic)?[- ]?reply|abwesenheit|fuera de (?:la )?oficina|不在)"
MASS_MAIL = r"\bunsubscribe\b|\bview (?:this|it) in your browser\b|\bnewsletter\b|\babbestellen\b|\bdarse de baja\b|配信停止"

# Text that talks to a program instead of to the reader.
INSTRUCTIONS = (
    r"(?:ignore|disregard|forget)\b.{0,30}\b(?:previous|prior|above|earlier|all)\b.{0,20}\b(?:instructions?|rules?|prompts?)"
    r"|\byou are now\b|\bsystem prompt\b|^\W*(?:system|assistant)\W*$|\b(?:ai|automatic|virtual) assistant\b"
    r"|\bwrite_email\b|\bschedule_meeting\b|\bskip the review\b|\bdo not mention this\b"
    r"|\b(?:ignoriere|vergiss)\b.{0,30}\banweisungen\b|\bignora\b.{0,30}\binstrucciones\b"
)
LURES = r"\bgift cards?\b|\bwire transfer\b|\bcrypto(?:currency)?\b|\bbitcoin\b|\bgutscheinkarten?\b"
