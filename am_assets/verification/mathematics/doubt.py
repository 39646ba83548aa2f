r"""The words that take a result back, and where they have to stand to do so.

A task's own words ("not", "if", "cannot", "mistakes") take nothing back. What does is said of the result (`DENIED`),
opens a sentence (`OPENING`), is said by the writer of the own work (`CONFESSED`), gives the result another value
(`REPLACED`), or follows it directly (`CHANGED`). The patterns read text as `retraction.spoken` leaves it: without math
delimiters and contractions, the result itself, and any value equal to it, written RESULT.
"""

import re


def table(*phrases: str) -> str:
    """A pattern for any of the phrases (comma-separated patterns)."""
    return "(?:" + "|".join(", ".join(phrases).split(", ")) + ")"


def rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# A number, a fraction, a formula with an operator, or an option; RESULT is none of them.
TERM = r"(?:(?!RESULT)(?:\d[\d,]*+(?:\.\d++)?|[a-z](?![a-z])|\\[a-z]+(?:\{[^{}]*\})*|[(){}^_]){1,8})"
VALUE = (
    rf"(?:-?{TERM}(?: ?[-+*/\u00b7] ?{TERM})+(?![\w^])|[-+]?\$?(?:\d[\d,]*+(?:\.\d++)?|\.\d++)(?: ?/ ?\d++)?+"
    r"|\\[dt]?frac ?\{[^{}]*\}\{[^{}]*\}|\(?(?-i:[A-J])\)?(?![\w']))"
)
# It ends its clause, with at most a unit behind it: "it is 12 less than 19" gives nobody the value 12.
FUNCTION_WORD = table("less, more, times, plus, minus, and, or, of, to, is, are, as, if, when, for, in, by, with, at, on, out, than")
ENDS = rf"(?=[ %}}\]\u00b0]*(?:(?!{FUNCTION_WORD}\b|x\b)[a-z]+[ }}]*)?(?:[.,;:!?)\]\u2014]|-- |$|instead\b|because\b|since\b))"
OTHER = rf"{VALUE}{ENDS}"

NOUN = table(
    "answer, result, value, solution, number, total, sum, box, calculation, computation, reasoning, work, conclusion",
    "guess, attempt, approach, option, choice, derivation, count, verification, check, figure",
)
KIND = table("above, previous, first, initial, boxed, stated, earlier, last, final, obtained, whole, required, desired")
# What stands for the result: itself, a pronoun that begins a clause, or "the answer", "this value", "my first guess".
PRONOUN = table("it, this, that, the above, these")
CLAUSE_START = (
    r"(?:^|[.,;:(\[\u2014-] ?|\b(?:but|so|and|because|since|as|think|see|notice|realize|found|find|that|unfortunately"
    r"|however|hence|thus|then|clearly|obviously|now|yet|though),? )"
)
SUBJECT = (
    rf"(?:(?<![-+*/=\u00b7\u00d7] )RESULT[ ).]*(?:,? ?(?:which|that|this|it))?|{CLAUSE_START}{PRONOUN}|^{NOUN}:"
    rf"|\b(?:the|this|that|my|our)(?: {KIND})? {NOUN}:?)"
)
ADVERB = r"(?: (?:\w+ly|also|then|clearly|still|therefore|simply|just|unfortunately|obviously|actually|really|quite|now|in fact))?"
WRONG = table(
    "wrong(?! (?:by|premise))\\w*, incorrect\\w*, invalid, mistaken, in error, erroneous, an error, a mistake, untrue",
    "false, inconsistent, nonsens\\w+, absurd, rejected, discarded, doubtful, suspect, unlikely, questionable, flawed",
    "off by, too (?:large|small|big|high|low|many|few|much)\\b(?! (?:to|for)\\b), extraneous, unreasonable",
    "(?:just |only )?(?:a|my) guess, a contradiction, impossible(?! (?:to|for)\\b), not possible(?! (?:to|for)\\b), tempting",
    "withdrawn, retracted, superseded, obsolete, to be (?:rejected|discarded|corrected)",
)
RIGHT = table(
    "right(?! (?:angle|triangle|side))\\w*, correct\\w*, true, valid, so, it, the case, accept\\w+, plausible, sure, certain",
    "consistent, RESULT, what (?:is|was|we) \\w+, (?:the|my|our)(?: \\w+)? (?:answer|result|value|solution|one)",
)
MEETS = table(
    "satisf\\w+, work, works, hold, holds, fit, fits, match, matches, agree, agrees, check out, make sense, makes sense",
    "add up, hold up, stand, seem, look, meet, solve, fulfil\\w*, obey, count",
)
IS = r"(?:is|are|was|were|seems|looks|appears|must be|would be|has to be|should be|may be|might be)"
DENIED = rule(
    rf"{SUBJECT}{ADVERB}(?: ?[(\[:,\u2014-]+)? ?(?:"
    rf"(?:{IS}{ADVERB} |(?<=[(\[:,\u2014-] )|(?<=[(\[:,\u2014-])){WRONG}(?!\w)|{IS}{ADVERB} not{ADVERB}(?: {RIGHT}(?!\w)| ?[.!,;]| ?$)"
    rf"|(?:must|should|has to|have to) be (?:rejected|discarded|corrected|revised|excluded)"
    rf"|should (?:be|have been|read) (?!RESULT|noted|remember|clear|mention|emphasi|pointed|easy|possible|the same|enough)"
    rf"|(?:fails?|failed|contradicts?|contradicted|violates?)(?!\w)"
    rf"|(?:do|does|did|can|could|will|would) ?not (?:{MEETS}|be (?:a |the )?(?:{RIGHT}|solution))(?!\w)"
    rf"|(?:was|is) (?:just |only |merely )?(?:my (?:first|initial|old) |(?:a|the) (?:rough|wrong|incorrect|naive|old) |what (?:i|we|you|he|she|they|one|the)\b)"
    rf"|(?:is|was) (?:a|the) (?:\w+ )?(?:mistake|error|trap|typo|misprint|guess|answer to (?:a|another))(?! to\b)"
    rf"|(?:has to|must|should) read|(?:leads to|gives|yields|is|would be) an? (?:\w+ )?contradiction|conflicts"
    rf"|would (?:follow|have been|only|be)\b.{{0,60}}\b(?:if (?:we|one|i|you)|wrong|unless|were)\b)"
)
# Right behind the result: an alternative, or arithmetic that changes it.
CHANGED = rule(
    r"RESULT(?: [a-z]+)?[ )]*,? ?[(\[\u2014-]* ?(?:no\b(?! (?:matter|more|less|other|longer|one|two|further|such))|off by\b"
    rf"|(?:or|alternatively|also|and also|to)(?: (?:rather|maybe|perhaps|possibly|even))? {VALUE}(?![\w^])"
    rf"|or (?:maybe|perhaps|possibly|rather|thereabouts|something|so\b|is it|was it)"
    rf"|, or,? (?:more \w+|rather|better),?|(?:->|\u2192|\\to\b|\\rightarrow)|/ ?{VALUE}|unless (?:{VALUE}|i\b|we\b)|if (?:i|we) (?:had|have)\b"
    r"|(?:probably|perhaps|maybe|possibly|presumably|i (?:guess|think|suppose|believe)|at (?:most|least)|more or less|or so)[ .!)]*$"
    r"|give or take\b|(?:\\pm|\u00b1|plus or minus) ?\d|(?:minus|plus|less|more|times|short of) (?:than )?(?:\d|one\b|half\b)"
    r"|to be (?:rejected|checked|verified|confirmed))"
)
# A sentence or an aside begins with it.
OPENING = rule(
    r"(?:^|[.!?;:,(\[\u2014] ?|- )(?:(?:oh|ah|but|so|well|and|no),? )*"
    + table(
        "wait(?= ?[,.!:\u2014-]| ?$| (?:no|a|i|that|it|but|actually|did)\\b), hold on, oops, whoops, hmm+, hm, sorry, apologies, (?:scratch|scrap|strike) (?:that|this), correction",
        "erratum, edit, update, nope, rather(?! than)\\b, on (?:reflection|second thoughts?), not (?:quite|so fast)",
        "my (?:bad|mistake|apologies|error), (?:i )?take (?:that|it|this) back, make (?:that|it)",
        rf"(?:perhaps|maybe|possibly|probably)(?=,? (?:not|it|the answer|i|RESULT|{VALUE})), (?:just |only )?(?:a guess|guessing)",
        "do not (?:trust|use|rely|believe)",
        "let (?:me|us) (?:re-?(?:check|comput|calculat|count|consider|do|try|think|evaluat|examin)\\w*|correct|fix|try again|start over|think again), unless i",
        "(?:please )?(?:disregard|ignore) (?:this|that|the above|it|my)?, i am not (?:sure|certain), i doubt, not sure",
        rf"(?:no|actually)(?=[.!:]|,? (?:not?|it|that|this is|the (?:answer|result|value)|i|we|{VALUE})(?!\w))",
    )
    + r"(?!\w)"
)
CONFESSED = rule(
    r"\b(?:i|we)(?: have| had)?(?: (?:just|also|wrongly|accidentally|mistakenly|must have|should have|may have|since))* "
    + table(
        "ma[dk]e an?\\b[^.]{0,20}\\b(?:error|mistake|slip), mis(?:read|calc\\w*|count\\w*|copied|took|understood|applied|sed)",
        "forg[oe]t\\w*, overlooked, messed, mixed up, retract\\w*, withdr[ae]w\\w*, disagree, reconsider\\w*, doubt",
        "double[- ]count\\w*, (?:was|were) wrong, meant, first thought, take (?:that|it) back, dropped, used the wrong",
        "should have, swapped, now (?:find|get|see|think|believe), found that it, thought it was, guess, would have said",
        "do not know, did not know, am not (?:sure|certain), cannot tell, am unsure, am guessing, had considered",
    )
    + r"(?!\w)|\bmy (?:first|initial|earlier|previous|old) (?:guess|answer|try|attempt|result)|\b(?:mine|ours) (?:is|was)\b"
    r"|\b(?:there (?:is|was)|due to|because of|contains|spotted|found|noticed|has) (?:an?|my|the) (?:\w+ )?(?:error|mistake|slip)\b"
    rf"|{CLAUSE_START}(?:this|it|that) (?:counts?|counted|ignores?|ignored|neglects?|misses|missed|forgets|omits|leaves out|assumes|assumed)\b"
    r"|\b(?:(?:is|are) (?:also|equally|all)|also be) (?:possible|plausible|correct|right|valid)\b|\bno longer (?:believe|think|hold)|\bthan (?:i|we) (?:thought|said)"
    r"|\b(?:so|hence|thus|therefore|then),? there (?:is|are) no (?:real |integer |valid )?(?:solutions?|answer|such \w+)\b(?! other)"
)
I_FIND = rf"\\bi (?:(?!hope|think|used|know)\w+ )(?:[^.\d]{{0,30}} )?{OTHER}|{VALUE} is what (?:i|we)\b|\btypo\b"
GET = r"(?:gives?|yields?|leads? to|makes?|results? in|becomes|comes to|comes out (?:as|at|to)|(?:we|i|you) (?:get|have|find|obtain)|get|find|obtain)"
BETTER = table("correct, right, actual, real, true, proper, revised, corrected, new, intended, final, updated, exact")
# Other values for the result.
REPLACED = [
    rule(pattern)
    for pattern in (
        I_FIND,
        rf"\b(?:chang|correct|updat|revis|adjust|amend)\w* to {OTHER}|(?:->|\u2192) ?{VALUE}",
        rf"(?:{SUBJECT}|^(?:(?!\b(?:if|when|since|until|as|because)\b).)*\bit){ADVERB} ?(?:{IS}|equals?|{GET}|turns out to be|will be|ought to be)"
        rf"(?: (?:actually|really|in fact|rather|now|only|then|thus|indeed|instead|therefore|equal to))? {OTHER}",
        rf"\b{BETTER} (?:\w+ )?{NOUN}[^.\d]{{0,40}}?(?:{IS}|be|=|:|{GET}) {OTHER}",
        rf"\b(?:correct(?:ed|ing)|fix(?:ed|ing)|adjust(?:ed|ing)|re-?(?:check|comput|calculat|count|evaluat|do)\w*|double-?check\w*|(?:check|comput|calculat|count|try|work|look|do)\w*(?: \w+){{0,2}} again|checking)\b"
        rf"[^.\d]{{0,60}}?(?:{GET}|is|are|be|:|,) {OTHER}",
        rf"{VALUE} (?:is|was|would be|seems|must be|should be) (?:(?:actually|really|in fact|instead) )?(?:the )?(?:(?:right|correct|true|real|actual|proper)(?: {NOUN}| one|\W|$)|answer\b|it\b)",
        rf"(?:^|[,;:\u2014-] ?)(?:and )?(?:now|so|hence|thus|therefore|then|instead|rather|no),?:? (?:(?:we|i) (?:get|have|find|obtain|take) |it is )?{OTHER}",
        rf"^\W*(?:it is|that is|(?:so |hence )?(?:i|we) (?:now |only |actually )?(?:get|find|have|obtain)) (?:now |actually |really |only )?{OTHER}",
        rf"\b(?:but|however|though|although|yet|instead|rather)\b(?:(?!\bif\b|\bwhen\b)[^.]){{0,120}}?(?:\bis|\bare|\bbe|=|\bto|\bso|\bmaking|:|{GET}) {OTHER}",
        rf"\b(?:discard|reject|(?:we|i) (?:\w+ )?(?:double|halve|add|subtract|adjust))\b[^.]{{0,60}}?\b(?:and|to) (?:take|get|have|obtain|find|give) {OTHER}",
        rf"{VALUE} instead\b(?! of)",
        rf"^\W*{VALUE}\W*$",
    )
]
OTHERWISE = rule(rf"\bif\b.{{1,200}}(?:{VALUE},? (?:otherwise|else)\b|\b(?:otherwise|else),? (?:\w+ ){{0,3}}{VALUE})")
# The result in another unit or notation: "in degrees, this is 57".
CONVERTED = rule(r"^(?:in (?!fact|total|that|this|reality|truth)|as an?|rounded|expressed|written|numerically|equivalently)\b[^,]*,")
# A question about the result; a question of the task is longer, and begins with other words.
QUESTIONED = rule(r"^\W*(?:RESULT|or|right|really|correct|but|wait|no|is (?:it|that|this)|was (?:it|that)|could it|what about|hmm*|are you)\b[^?]{0,60}\?")
CHINESE = re.compile(
    "等等|等一下|稍等|不对|错了|[搞算弄看写记]错|漏[了掉]|有误|更正|修正|纠正|订正|重新|抱歉|对不起|不好意思|撤回|收回|作废|忽略"
    "|不正确|是错|错误的|有问题|(?:其实|实际上)[是应]|应该?[是为]|应等于|正确的?(?:答案|结果|值|数值)|(?:答案|结果)并?不是"
    r"|[这它]不(?:可能|成立|是|符合|满足)|[这它](?:是|与[^。，]{0,8})?(?:错|矛盾)|不[,，]\s*是|不是答案|不确定|(?:或者|还是)是?\W{0,3}\d|吗[？?]"
)

# Before a result, in its own sentence.
REPORTER = table(
    "problem, question, task, hint, key, book, textbook, user, claim, statement, teacher, grader, prompt, puzzle",
    "reference, solution, assignment, instructions?, manual",
)
PERSON = table("you, he, she, they, someone, somebody, people, friend, students?, others?, many, one, i")
SAYS = table(
    "says?, said, states?, stated, claims?, claimed, suggests?, wrote, writes, thinks?, believes?, told, asserts?",
    "expects?, wants?, gives?, gave, asks?",
)
TO_RESULT = r"(?: [^\s,;]+){0,6} ?RESULT"
RESULT_IS = rf"{NOUN}(?: is| was| were| be| equals| would be| will be| to be) ?RESULT"
DISOWNED = rule(
    r"\b(?:not|never|nor|neither|unlike|instead of|rather than|wrong to \w+|double-check|check|differs? from|different from"
    r"|(?:is|was) anything but) "
    r"(?:(?:be|equal|accept|get|have|the|answer|result|value|is|as|a|an|that|to|it|just|simply) ){0,4}RESULT"
    rf"|\b(?:perhaps|maybe|possibly|doubt|unsure|whether|guess)\b(?! surpris| unexpect){TO_RESULT}"
    rf"|\b(?:{NOUN}|it|this) (?:is |are )?(?:might|could|may|probably|can not|need not)(?: well)?(?: be)? ?RESULT"
    rf"|\b(?:answer|result|it) (?:is|must be|will be) (?:at (?:least|most)|between|less than|more than|no more than|close to|near) RESULT"
    rf"|\b{REPORTER} (?:\w+ ){{0,2}}{SAYS}\b{TO_RESULT}|\b{PERSON} (?:\w+ )?{SAYS}\b(?: \w+){{0,4}} (?:{RESULT_IS}|it is RESULT)"
    rf"|\b{PERSON} (?:wrote|answered|claimed|guessed) RESULT[ .,;:!]*(?:$|and|but|which|\w*$)"
    rf"|\b{PERSON} (?:might|could|would|may|will) (?:\w+ )?(?:think|say|answer|guess|believe|write)\b{TO_RESULT}"
    rf"|\b(?:tempt\w+|told|ask\w*|want\w*|instructed) (?:me |us )?to (?:say|answer|write|output|give|reply|print|respond|put|conclude)\b{TO_RESULT}"
    rf"|\b(?:according to|pretend|imagine|prove|show|verify|check|suppos\w+|assum\w+)\b(?: that)?(?: [\w,]+){{0,3}} {RESULT_IS}"
    rf"|\b(?:suppose|assume) (?:that )?(?:it is )?RESULT|\bif (?:the |my |that )?(?:\w+ )?{RESULT_IS}"
    rf"|\b(?:common|typical|naive|wrong|incorrect|tempting) (?:\w+ ){{0,2}}{RESULT_IS}|\bbetween RESULT and\b"
    r"|^\W*(?:is|was|are|could|does|should|can)\b[^.]*RESULT[^.]*\?"
)
CHINESE_BEFORE = re.compile(
    "(?:不是|并非|不等于|也许|可能|或许|大概|假设|如果|有人[^。，]{0,4}|(?:题目|他|她|书上|提示)[^。，]{0,6}[说称])[^。，]{0,12}$"
)
# Said of the result itself, directly behind it.
CHINESE_BEHIND = re.compile("[\\s$.)}*]*[,，(（]?\\s*(?:是|这是|但这是?|但是这?)?(?:不满足|不符合|不成立|不对|不正确|错|不[,，]|与[^。]{0,8}矛盾)")
