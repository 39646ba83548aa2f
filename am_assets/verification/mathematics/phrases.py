r"""Words: which phrases say the same, which the opposite, and which no rule can tell apart.

A phrase is looked up in the table below, without article, case and the frame of a sentence ("the sequence is …"). One
line holds what says the same; it goes on after a semicolon. Two lines of one paragraph exclude each other; of different
paragraphs nothing is known.
"""

import re
from collections.abc import Iterator

from am_assets.verification.mathematics.dates import date
from am_assets.verification.mathematics.spellings import NONE_SUCH

SAME = """
yes; true; oui; vrai; sí; verdadero; sim; ja; wahr; да; верно; はい; 예; 네;
是; 是的; 对; 对的; 正确; 真; 真命题
no; false; not true; non; faux; falso; não; nein; falsch; нет; неверно; いいえ; 아니오; 아니요;
否; 不是; 不对; 错; 错误; 不正确; 假; 假命题

no solution; no solutions; none; empty set; there is no solution; there are no solutions; has no solution;
\\emptyset; \\varnothing; \\{\\}; ∅; 无解; 空集
all real numbers; all reals; every real number; any real number; set of all real numbers; set of real numbers;
\\mathbb{R}; \\mathbf{R}; (-\\infty,\\infty); (-\\infty,+\\infty); x\\in\\mathbb{R};
全体实数; 任意实数; 一切实数; 所有实数
infinitely many; infinitely many solutions; \\infty;
has infinitely many solutions; infinite number of solutions; infinite solutions; 无数个; 无穷多个; 无穷多解

does not exist; doesn't exist; dne; limit does not exist; not exist; 不存在
exists; exist; 存在

undefined; not defined; is not defined; 无意义; 没有意义; 无定义
defined; is defined; 有意义

convergent; converges; converge; is convergent; 收敛; 收敛的
divergent; diverges; diverge; is divergent; not convergent; does not converge; 发散; 发散的

absolutely convergent; converges absolutely; absolute convergence; 绝对收敛
conditionally convergent; converges conditionally; conditional convergence; 条件收敛

even; even function; even number; even numbers; even integers; even n; n even; is even;
all even n; all even integers; all even numbers; 偶; 偶函数; 偶数
odd; odd function; odd number; odd numbers; odd integers; odd n; n odd; is odd;
all odd n; all odd integers; all odd numbers; 奇; 奇函数; 奇数
neither; neither even nor odd; neither odd nor even; 非奇非偶; 非奇非偶函数; 既不是奇函数也不是偶函数

increasing; is increasing; increasing function; 增函数; 递增; 单调递增
decreasing; is decreasing; decreasing function; 减函数; 递减; 单调递减

rational; rational number; is rational; 有理数
irrational; irrational number; is irrational; not rational; 无理数

positive; is positive; 正; 正数
negative; is negative; 负; 负数

continuous; is continuous; 连续
discontinuous; not continuous; is not continuous; 不连续

possible; is possible; 可能
impossible; not possible; is impossible; 不可能

finite; is finite; 有限
infinite; is infinite; not finite; 无限

all primes; all prime numbers; every prime; any prime; primes; prime numbers

sufficient but not necessary; sufficient but not necessary condition; 充分不必要; 充分不必要条件; 充分而不必要条件
necessary but not sufficient; necessary but not sufficient condition; 必要不充分; 必要不充分条件; 必要而不充分条件
necessary and sufficient; necessary and sufficient condition; 充要; 充要条件; 充分必要条件
neither sufficient nor necessary; neither necessary nor sufficient; 既不充分也不必要; 既不充分也不必要条件

first quadrant; quadrant i; 第一象限; 一
second quadrant; quadrant ii; 第二象限; 二
third quadrant; quadrant iii; 第三象限; 三
fourth quadrant; quadrant iv; 第四象限; 四

prime; prime number; is prime; 质数; 素数
composite; composite number; is composite; not prime; 合数

dependent; linearly dependent; 线性相关
independent; linearly independent; not dependent; 线性无关

consistent; is consistent
inconsistent; is inconsistent; not consistent

linear; is linear
nonlinear; non-linear; not linear

parallel; are parallel; 平行
perpendicular; are perpendicular; orthogonal; 垂直

equilateral; equilateral triangle; 等边三角形
isosceles; isosceles triangle; 等腰三角形
scalene; scalene triangle

acute; acute triangle; 锐角三角形; 锐角
right; right triangle; right-angled; right-angled triangle; 直角三角形; 直角
obtuse; obtuse triangle; 钝角三角形; 钝角

maximum; max; 最大值
minimum; min; 最小值

always; 总是
sometimes; 有时
never; 从不

clockwise; 顺时针
counterclockwise; counter-clockwise; anticlockwise; 逆时针

upward; upwards; up; 向上
downward; downwards; down; 向下

to the left; left; leftward; 向左
to the right; rightward; 向右

increase; increased; gain; profit; 增加; 盈利
decrease; decreased; loss; 减少; 亏损

heads
tails

north; 北
south; 南
east; 东
west; 西

monday; mon; 星期一; 周一
tuesday; tue; tues; 星期二; 周二
wednesday; wed; 星期三; 周三
thursday; thu; thur; thurs; 星期四; 周四
friday; fri; 星期五; 周五
saturday; sat; 星期六; 周六
sunday; sun; 星期日; 星期天; 周日

january; jan; 一月
february; feb; 二月
march; mar; 三月
april; apr; 四月
may; 五月
june; jun; 六月
july; jul; 七月
august; aug; 八月
september; sep; sept; 九月
october; oct; 十月
november; nov; 十一月
december; dec; 十二月

red; 红; 红色
blue; 蓝; 蓝色
green; 绿; 绿色
yellow; 黄; 黄色
black; 黑; 黑色
white; 白; 白色
purple; 紫; 紫色
brown; 棕; 棕色
pink; 粉; 粉色

甲
乙
丙
丁
"""


def _rows() -> Iterator[tuple[str, tuple[int, int]]]:
    for paragraph, block in enumerate(SAME.strip().split("\n\n")):
        for line, row in enumerate(block.replace(";\n", "; ").split("\n")):
            for phrase in row.split(";"):
                yield phrase.strip().casefold(), (paragraph, line)


MEANING = dict(_rows())  # phrase -> (paragraph, line)
COLOURS = next(meaning[0] for phrase, meaning in MEANING.items() if phrase == "red")
ARTICLE = re.compile(r"(?:an?|the) (?=\w)")
# "The sequence is convergent", "the series converges": a subject of few words, and what is said of it.
SUBJECT = r"(?P<subject>(?:the|this|that|it|its|f|x|n|f\(x\))(?: (?!(?:sub)?case|branch)[a-z-]+){0,4}?)"
FRAME = re.compile(rf"{SUBJECT} (?:is|are|was|were|(?:holds|is true) for) (?:an? )?(?P<said>\S.*)", re.DOTALL)
SO = re.compile(
    r"(?:(?:since|because) [^,]*, ?|(?!(?:if|unless|when|for|in|suppose|assume)\b)[^,]*, ?so )?"
    r"(?:(?:so|thus|hence|therefore)(?: |, ?))?",
    re.DOTALL,
)
VERB_FRAME = re.compile(rf"{SUBJECT} (?P<said>(?:converges?|diverges?|exists?|does|has)\b.*)", re.DOTALL)
TRUTH = {"yes", "no", "true", "false"}
TRUTH_STATEMENT = re.compile(
    r"(?:(?:(?:the|this|that) )?(?:statement|claim|assertion|proposition)|it|this|that) is (true|false)"
    r"|(yes|no|true|false)\b ?[,.;:!\u2013\u2014] ?(.*)",
    re.DOTALL,
)
JOINT = re.compile(r", ?and | and |, ?|; ?| & ")
HEAD = re.compile(r"((?:[a-z-]+ )+[a-z-]+?) of (?:the |an? )?\S.*", re.DOTALL)
WINS = re.compile(r"(.+?) (?:(?:always |will )?wins?|(?:has|have) (?:a )?winning strategy)")
NUMERAL = re.compile(r"i{1,3}|iv|v|vi|[\u2460-\u2469]")
CIRCLED = re.compile(r"[\u2460-\u2469]")
ALL_CIRCLED = re.compile(rf"{CIRCLED.pattern}(?:[和与、，, ]*{CIRCLED.pattern})*")
STATEMENTS = re.compile(
    r"(?:only )?(?:statements? )?(.*?)(?: only)?(?: (?:is|are) (?:true|correct))?(?: only)?", re.DOTALL
)
NAME = re.compile(r"[A-Z][a-z]+")


def same(result: str, reference: str) -> bool | None:
    """Do two phrases, normalized, say the same? None where no rule tells.

    They do if they are equal but for case, article and the order of parts joined by "and"; by the table; if one is the
    other without what it is "of"; a first name with a surname; a colour with the thing that has it.
    """
    one, other = canonical(result), canonical(reference)
    if one == other:
        return None if _adds(reference) and result.casefold() != reference.casefold() else True
    if (day := date(result)) and (other_day := date(reference)):
        return day == other_day if day[0] == other_day[0] or day[1:] != other_day[1:] else None
    if all(items := (_numerals(one), _numerals(other))):
        return items[0] == items[1]
    if (said := _said(result)) and (wanted := _said(reference)):
        (subject, line), (other_subject, wanted_line) = said, wanted
        alike = not (subject and other_subject) or subject == other_subject
        if line[0] == wanted_line[0] and alike:
            return line == wanted_line
        return None
    if (wins := WINS.fullmatch(other)) and wins[1] == (same_wins[1] if (same_wins := WINS.fullmatch(one)) else one):
        return True
    if _head(one) == other or _head(other) == one:
        return True
    if _names(result, reference) or _coloured(one, other):
        return True
    return None


def canonical(text: str) -> str:
    """`text` without case and article, parts joined by "and" sorted, and a statement of truth as yes/no/true/false."""
    text = ARTICLE.sub("", text.casefold().strip())
    statement = TRUTH_STATEMENT.fullmatch(text)
    if statement and not TRUTH & set(re.findall(r"[a-z]+", statement[3] or "")):
        return statement[1] or statement[2]
    parts = JOINT.split(text)
    return " and ".join(sorted(parts)) if all(parts) else text


def _adds(reference: str) -> bool:
    """Does it say more than yes or no, as "Yes, x = 2"?"""
    statement = TRUTH_STATEMENT.fullmatch(reference.casefold())
    return bool(statement and re.search(r"[\d=]", statement[3] or ""))


def _numerals(text: str) -> set[str]:
    """Those of "i and iii only" or "①③", statements by their numerals; none where it is anything else."""
    parts = CIRCLED.findall(text) if ALL_CIRCLED.fullmatch(text) else JOINT.split(STATEMENTS.sub(r"\1", text))
    return {*parts} if all(NUMERAL.fullmatch(part) for part in parts) else set()


def meaning(text: str) -> tuple[int, int] | None:
    """The line of the table that says `text`, alone or as what a sentence says of its subject."""
    said = _said(text)
    return said[1] if said else None


def _said(text: str) -> tuple[str, tuple[int, int]] | None:
    """(subject, line of the table) of a phrase; the subject is empty where it has none."""
    plain = SO.sub("", " ".join(text.casefold().split()).strip(" .!"), count=1)
    if NONE_SUCH.fullmatch(plain):
        return "", MEANING["none"]
    for phrase in (plain, ARTICLE.sub("", plain), canonical(plain), plain.removeprefix("there are ")):
        if phrase in MEANING:
            return "", MEANING[phrase]
    for frame in (FRAME, VERB_FRAME):
        if (framed := frame.fullmatch(plain)) and framed["said"] in MEANING:
            return framed["subject"], MEANING[framed["said"]]
    return None


def _head(phrase: str) -> str | None:
    """What stands before "of", if that is more than one word: "angle bisector of the angle" is an angle bisector."""
    found = HEAD.fullmatch(phrase)
    return found[1] if found else None


def _names(result: str, reference: str) -> bool:
    """Is `result` the name `reference` with a surname? "Alice" is "Alice Smith"."""
    first, _, last = result.partition(" ")
    known = meaning(reference) or meaning(last)
    return not known and first == reference and bool(NAME.fullmatch(first) and NAME.fullmatch(last))


def _coloured(one: str, other: str) -> bool:
    """Is one a colour and the other a thing of that colour? "red" is "red ball"."""
    colour, thing = sorted((one, other), key=len)
    known = MEANING.get(colour)
    return bool(known and known[0] == COLOURS and re.fullmatch(rf"{re.escape(colour)} [a-z]+", thing))
