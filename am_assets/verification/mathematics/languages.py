r"""Results in other languages than English and Chinese: what introduces one, what concludes, and what takes it back.

Of a language only what announces a value is known ("Antwort: 12", "La respuesta es 12", "答えは12"), words that open a
conclusion, and words of doubt, which no formula and no English sentence has.
"""

import re

NOUNS = (
    "antwort", "ergebnis", "lösung", "réponse", "résultat", "respuesta", "resultado", "solución", "resposta", "solução",
    "risposta", "risultato", "soluzione", "ответ", "результат", "答", "正解", "답",
)  # fmt: skip
NOUN = rf"(?:end)?(?:{'|'.join(NOUNS[:15])})"
SO = r"(?:(?:also|somit|daher|donc|alors|ainsi|entonces|por tanto|portanto|quindi|поэтому)\s+)?"
VALUE = r"(?=[$\\(\[*_`]*(?:[-+\u2212]?[.\d]|\\|[A-J](?![A-Za-z])|[a-z]\s*=|[√π∞]))"
# Before a value only: a heading is none.
MARK = (
    rf"(?:\b{NOUN}\s{{0,2}}(?:(?:final|corre[ct]?t)[a-z]{{0,3}})?[\s*]{{0,4}}"
    rf"(?:[:：]|\b(?:lautet|ist|beträgt|est|es|é|è|será|sera|равен|равна|равно|[—–-])\s+{SO})"
    rf"|\b(?:ist|lautet|beträgt)\s+{SO}(?:die|das)\s+{NOUN}\s"
    r"|(?:答え|解答|正解)\s*(?:[:：]|は)|(?:최종\s*)?(?:정답|답)\s*(?:[:：]|[은는])|(?<![\u4e00-\u9fff])答\s*[:：])"
    rf"[\s*:_]{{0,9}}(?:(?:la|el|die|der|das|a|o)\s)?{VALUE}"
)
ENDING = re.compile(r"\s*(?:です|である|となる|となります|だ|입니다|이다|이에요|예요)$")
DECIMAL_COMMA = re.compile(r"(?<![\d,.])(\d+),(?=(?:\d{1,2}|\d{4,})(?![\d,]))")
# A sentence that begins with it concludes.
CONCLUDES = re.compile(
    r"\W*(?:also (?:ist|sind|gibt|gilt|hat|haben|beträgt|bleiben|kostet)|somit|daher|folglich|insgesamt|deshalb"
    r"|es (?:gibt|sind|bleiben)|die gesuchte|donc|ainsi|par conséquent|au total|il (?:y a|(?:lui |en )?reste)"
    r"|entonces|por (?:lo )?tanto|así que|hay|le quedan|portanto|logo|assim|restam|há|quindi|dunque|pertanto"
    r"|in totale|ci sono|итак|значит|следовательно|таким образом|поэтому|всего|осталось)\b"
    r"|[^\d?]*\b(?:beträgt|betragen|ergibt|vaut|est égale? à|es igual a|é igual a|равн[аоы]?|составляет)\b"
    r"|\W*(?:したがって|よって|ゆえに|따라서|그러므로|그래서)",
    re.IGNORECASE,
)
DOUBT_WORDS = """
mehr weniger mindestens höchstens moins más menos mayor menor maior più meno больше меньше более менее
nicht wenn sagt kein keine keinen vielleicht falsch korrektur irrtum fehler vermutlich wahrscheinlich eher ungefähr
faux fausse attends attendez erreur plutôt pardon désolé désolée environ probablement peut-être
quizás quizá espera incorrecto incorrecta equivoqué perdón aproximadamente
não talvez espere errado errada erro desculpe provavelmente
forse sbagliato sbagliata aspetta errore probabilmente
не нет если возможно наверное может вероятно неверно неправильно неправильный неверный
ошибка ошибся ошиблась подождите примерно
hapana sio siyo labda pengine kosa makosa samahani subiri ngoja takriban
"""
DOUBT = frozenset(DOUBT_WORDS.split())
WORD = re.compile(r"\w+(?:-\w+)*")
DOUBT_PHRASE = re.compile(
    r"\b(?:moment mal|s[ie] \$?[a-z](?= ?=)|n'est|ne \w+ pas|(?:ou|au) plus|plus (?:de|que|grand)|no (?:es|son|hay)"
    r"|tal vez|est[áa] mal|non (?:è|sono))\b"
    r"|ではな|じゃな|ではありま|かもしれ|または|もしくは|以上|以下|未満|より|(?<=\d)か|たぶん|おそらく|間違|誤り|待って|いや|訂正"
    r"|또는|보다|이상|이하|미만|아니|아닙|아마|틀렸|틀린|잠깐|잘못|정정|수정"
    r"|ไม่|ผิด|อาจ|หรือ|ประมาณ|เดี๋ยว|ขอโทษ|แก้ไข"
    r"|(?<![\u0980-\u09ff])(?:না|নয়|নেই|ভুল|হয়তো|সম্ভবত|অথবা|প্রায়|দুঃখিত|অপেক্ষা)(?![\u0980-\u09ff])"
    r"|కాదు|లేదా|తప్పు|బహుశా|సుమారు|క్షమించండి|ఆగండి",
    re.IGNORECASE,
)


def doubts(text: str) -> bool:
    """Does `text` deny, guess or take back something in one of these languages?"""
    return not DOUBT.isdisjoint(WORD.findall(text.casefold())) or bool(DOUBT_PHRASE.search(text))


def occur(text: str) -> bool:
    """May `text` announce a result in one of these languages?"""
    plain = text.casefold()
    return any(noun in plain for noun in NOUNS)


def with_points(text: str) -> str:
    """The value of a statement in another language, its decimal comma in the braces that LaTeX has for it.

    >>> with_points("3,5"), with_points("12です")
    ('3{,}5', '12')
    """
    return DECIMAL_COMMA.sub(r"\1{,}", ENDING.sub("", text))
