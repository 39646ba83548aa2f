r"""The words that take a result back, and where they have to stand to do so.

A task's own words ("not", "if", "cannot", "mistakes") take nothing back. What does is said of the result (`DENIED`),
opens a sentence (`OPENING`), is said by the writer of the own work (`CONFESSED`), gives the result another value
(`REPLACED`), follows it directly (`CHANGED`), or stands before it in its sentence (`DISOWNED`).

The rules read text as `spoken.spoken` leaves it: without math delimiters and contractions, the result and any value
equal to it written RESULT, an option OPTION_C. `clauses.py` has the named parts (SUBJECT, VALUE, …) of the rules.
"""

import re

from am_assets.verification.mathematics.clauses import phrases, rules

# What is to be ignored is the answer: "ignore this", "disregard my work". "Ignore the remainder" explains.
IGNORED = r"""
(?<!can )(?<!may )(?:ignore|disregard) (?:it|me|RESULT|my|(?:all(?: of)? )?(?:this|that|these|those|the above)(?= ?(?:
    [.,;:!?)\u2014]|$|(?:and|as|because|since|please|for|when|if)\b))|(?:all|everything|anything)(?= ?(?:[.,;:!?)]|$
    |(?:that )?(?:i|we|is)\b|(?:stated|written|said|stands)?(?: ?above| before| so far| here)\b))
    |what (?:i|we|is|was|stands) (?:just |have )?(?:wrote|said|put|did|got|found|boxed|written|above|here|in the box))
(?:(?<!can )(?<!may )|(?<=you can )|(?<=you may ))(?:ignore|disregard) (?:the|this|that|our|these|those)
    (?: KIND| whole| entire| wrong)? (?:NOUN|lines?|boxes|answers|results|text|output|response|statement|message|post
    |expression|sentence|paragraph|remark|comment)(?! (?:of\b|-?\d))
(?<!we )(?<!you )(?<!to )(?<!can )(?<!may )(?:ignore|disregard)(?= ?(?:[.!;)]|$))
(?:should|must|can) not (?:ignore|disregard)
"""
# Said of the result: "that is wrong", "this can not be right", "the value must be discarded", "it is not."
DENIED = rules(r"""
SUBJECTADVERB(?: ?[(\[:,\u2014-]+)? ?(?:
    (?:is|was|gets?|got|would be|should be) (?:marked|graded|flagged|scored|regarded) (?:as )?WRONG
    |(?:ISADVERB |(?<=[(\[:,\u2014-] )|(?<=[(\[:,\u2014-]))WRONG(?!\w)
    |ISADVERB notADVERB(?: RIGHT(?!\w)| ?[.!,;]| ?$)
    |(?:must|should|has to|have to|can) be (?:rejected|discarded|corrected|revised|excluded|ruled out|wrong)
    |(?:is|was) not the \w+
    |should (?:be|have been|read) (?!RESULT|noted|remember|clear|mention|emphasi|pointed|easy|possible|the same
        |enough)
    |(?:fails?|failed|contradicts?(?!(?<!RESULT contradicts) (?:our|the|this|that|an?) (?:\w+ )?(?:assum\w+
        |hypothesis|minimality|maximality|choice|definition))|contradicted|violates?|conflicts)(?!\w)
    |(?:has to|must|should) read
    |(?:do|does|did|can|could|will|would) ?not (?:MEETS|be (?:a |the )?(?:RIGHT|solution))(?!\w)
    |(?:was|is) (?:just |only |merely )?(?:my (?:first|initial|old) |(?:a|the) (?:rough|wrong|incorrect|naive|old) )
    |(?:was|is) what (?:i|we|you|he|she|they|one
        |the)\b(?! (?:\w+ )?(?:want|need|were|are|set|s[eo]\w+ to|get to|ha[dv]))
    |(?:is|was) (?:only |just |merely |probably )?(?:an?|the) (?:\w+ )?(?:mistake|error|trap|typo|misprint|guess
        |placeholder|bound|red herring|answer to (?:an?|another|the \w+|some) (?:\w+ )?(?:problem|question|part
        |exercise))(?! to\b)
    |is an? (?!correct|valid|right|good|possible|nice|unique|final)\w+ (?:answer|result|guess)(?!\w)
    |(?:leads to|gives|yields|is|would be) an? (?:\w+ )?contradiction
    |would (?:follow|have been|only|be)\b.{0,60}\b(?:if (?:we|one|i|you)|wrong|unless|were)\b
    )
# Of another case than the result's, explanations say the same in the middle of a sentence.
(?:^(?:but |so )?(?:it|this|that)|\b(?:the|this|that|my|our)(?: KIND)? NOUN|^RESULT) ISADVERB (?:not possible
    |impossible)(?! (?:to|for|that)\b)
RESULT ?(?:显然|并)?不(?:满足|符合|合|成立|是|行|对)
RESULT[^,.(（负另其]{0,12}(?:应?舍去|矛盾)
""")
# A sentence or an aside begins with it.
OPENING = (
    r"(?:^|[.!?;:,(\[\u2014] ?|- )(?:(?:oh|ah|but|so|well|and|no),? )*"
    + phrases(
        r"""
ah, oh, argh, ugh, huh, uh, come to think of it, looking back
wait(?= ?[.!:\u2014-]| ?$|,| (?:no|a|i|that|it|but|actually|did)\b), hold on, oops, whoops, hmm+, hm
sorry(?! for the (?:long|length|delay|late|format))
(?<![,:] )(?:unfortunately|alas)(?=,? (?:the|this|that|it|we|i|my|our|there|RESULT)\b), apologies
(?:scratch|scrap|strike) (?:that|this|the), correction, erratum, edit, update, nope, rather(?! than)\b
then again(?=,| (?:it|i|maybe|perhaps|this|that|we (?:may|might|could|did|never|forgot))\b)
(?:having said that|that said|that being said|mind you|still
    |now that i (?:think|look)[^,]{0,30})(?=,? (?:i|it|this|that|the|my|one|some\w*)\b)(?!.*\b(?:also|other|another
    |alternativ\w*|easier|shorter|faster|can|may|same)\b)
on (?:reflection|second thoughts?), not (?:quite|so fast), my (?:bad|mistake|apologies|error), unless i
(?:i )?take (?:that|it|this) back, make (?:that|it), (?:just |only )?(?:a guess|guessing)
(?:perhaps|maybe|possibly|probably)(?=(?:,| ) ?(?:not|it|the answer|i|RESULT|VALUE)(?!\w))
do not (?:trust|use|rely|believe)
let (?:me|us) (?:re-?(?:check|comput|calculat|count|consider|do|try|think|evaluat|examin)\w*|correct|fix)
let (?:me|us) (?:try again|start over|think again), i am not (?:sure|certain), i doubt
not (?:so |quite |too |very |really )?sure
(?:no|actually)(?=[.!:]|(?:,| ) ?(?:not?|it|that|this is|the (?:answer|result|value)|i|we|VALUE)\b)
"""
        + IGNORED
    )
    + r"(?!\w)",
)
# Said by the writer of the own work, or of a missing solution.
CONFESSED = (
    r"(?<!if )\b(?:i|we)(?: have| had)?(?: (?:just|also|wrongly|accidentally|mistakenly|must have|should have"
    r"|may have|since))* "
    + phrases(r"""
ma[dk]e an?\b[^.]{0,20}\b(?:error|mistake|slip), mis(?:read|calc\w*|count\w*|copied|took|understood|applied|sed)
forg[oe]t\w*, overlooked, messed, mixed up, retract\w*, withdr[ae]w\w*, disagree, reconsider\w*, doubt
double[- ]count\w*, (?:was|were) wrong, meant, first thought, take (?:that|it) back, dropped, used the wrong
should(?: not)? have, slipped, erred, swapped, now (?:find|get|see|think|believe), found that it, thought it was
would have said, am not (?:sure|certain), cannot tell, am unsure, am guessing, had considered
""")
    + r"(?!\w)",
    *rules(r"""
(?<!if )(?<!when )\bi (?:do|did|can|could|am|was) not\b(?! need| use)
\bi guess(?= ?[,.!?]| ?$| RESULT| VALUE| it\b)
\b(?:mine|ours) (?:is|was)\b
\btypo\b
\bmy (?:first|initial|earlier|previous|old) (?:guess|answer|try|attempt|result)
\b(?:there (?:is|was)|due to|because of|contains|spotted|found|noticed|has) (?:an?|my|the) (?:\w+ )?(?:error|mistake
    |slip|gap|flaw|bug|hole)\b
\bthe (?:flaw|bug|gap|slip|error|mistake) (?:is|was|lies)\b
^(?:but |so |and |however,? )?\W*(?:this|that|it) (?:\w+ )?(?:is|does|do|was|did|has|can|should
    |must) not (?!(?:the )?VALUE|possible to|\w+ (?:simplif|improve)|simplif|matter|depend|affect|change
    |a coincidence|surpris|need|necessary|hard|difficult|use|mean|require)
^(?!.*RESULT).*\b(?:steps?|cases|events|argument|assumption|answer|derivation|the formula) (?:\w+ ){0,2}(?:is|are
    |does|do|was|were) not (?!\w* ?(?:need|necess|depend|matter|change|affect|use|require|consider))
^\W*(?:plus|minus) (?:VALUE|one|two)\b
# "But" with nobody and no number of the task.
^\W*(?:but|yet|however,)(?!.*\b(?:he|she|they|his|her|their|why|remember|exactly|enough|only|if|this is|proof
    |approach|method|way|too)\b)(?!.*(?-i:\W[A-Z][a-z]))[^\d]*$
^[^\d]*, though,[^\d]*$
^[^.]*RESULT[^.]*?[,;\u2014-] ?(?:but|yet|though|although|however) (?:this|that|it|its|we
    |the (?:\w+ ){0,2}(?:question|problem|task|condition|key|text|order|cells|events|cases))\b
^RESULT[ )]*[\u2013\u2014-] ?wait\b
\b(?:change|revise|correct|withdraw) (?:my|the|this) (?:answer|result)
\b(?:cross|strike) (?:that|this|it) out
^(?!.*RESULT)[^\d]*(?<!if )\b(?-i:I) (?!hope|think you|trust|wish|recommend|suggest|will|used|chose
    |have (?:also|shown|used|included|written|rounded)|rounded|would (?:be|love|like)
    |am (?:happy|glad|here|confident)|can (?:explain|also|show|provide|elaborate))[a-z]{2}[^\d]*$
\bI (?:skipped|realize|noticed?|see the|had the|used \d.* where)
^\W*(?:but|however|yet),? (?:that|this (?:does|would|gives|only|counts|makes|means)|we|you
    |the (?:\w+ ){0,2}(?:question|problem|task|answer|result|cases?|pieces|order|condition|constraint|equation|sum
    |two|events|formula))\b(?!.*\b(?:only|same|exactly|fine|done|if|RESULT)\b)
VALUE,? ?(?:which is |and |but )?not VALUE
^\W*except (?:that|for)\b
\bi (?:must|may|might) have
\b(?:have|had) no (?:idea|clue)
\b(?:argument|proof|reasoning|derivation|logic|solution) (?:is|was) (?:circular|incomplete|not complete)
START(?:this|it|that) (?:counts?|counted|ignores?|ignored|neglects?|misses|missed|forgets|omits|leaves out
    |overlooks?|overlooked|disregards|assumes (?:independence|wrongly|incorrectly))\b
(?:VALUE|\bboth) (?:(?:is|are) (?:also|equally|all)|(?:would|could|might|may) also be|is|would be) (?:possible
    |plausible|valid)\b(?! to\b)
\bare (?:all|equally) (?:possible|plausible|valid|correct)\b
\bno longer (?:believe|think|hold)
\bthan (?:i|we) (?:thought|said)
\b(?:so|hence|thus|therefore|then),? there (?:is|are) no (?:real |integer |valid )?(?:solutions?|answer)[ .!)]*$
"""),
)
# Other values for the result. OTHER is a value that ends its clause.
REPLACED = rules(r"""
\bi (?:(?!and|or|in|is|are|hope|think|used|know|did|had|have|bought|need|paid)\w+ )(?:[^.\d]{0,30} )?OTHER
VALUE is what (?:i|we)\b
\b(?:chang|correct|updat|revis|adjust|amend)\w* to OTHER
(?:->|\u2192) ?VALUE
(?:SUBJECT|^(?:(?!\b(?:if|when|since|until|as|because|that)\b).)*\bit)ADVERB ?(?:IS|equals?|GET|turns out to be
    |will be|ought to be)(?: (?:actually|really|rather|only|then|thus|indeed|instead|equal to))? OTHER
\bBETTER (?:\w+ )?(?:answer|result|value|one)[^.\d]{0,40}?(?:IS|be|=|:|GET) OTHER
\b(?:correct(?:ed|ing)|fix(?:ed|ing)|adjust(?:ed|ing)|re-?(?:check|comput|calculat|count|evaluat|do)\w*
    |double-?check\w*|(?:check|comput|calculat|count|try|work|look|do)\w*(?: \w+){0,2} again
    |checking)\b[^.\d]{0,60}?(?:GET|is|are|be|:|,) OTHER
VALUE (?:is|was|would be|seems|must be
    |should be) (?:(?:actually|really|in fact|instead) )?(?:the )?(?:(?:right|correct|actual|proper)(?: NOUN| one|\W
    |$)|(?:real|true) NOUN|answer\b|it\b|(?:required|wanted|needed|meant)\b)
(?:^|[,;:\u2014-] ?)(?:and )?(?:now|so|hence|thus|therefore|then|instead|rather
    |no),?:? (?:(?:we|i) (?:get|have|find|obtain|take) |it is )?OTHER
^(?:subtract|add|includ|count|correct|exclud|remov|multiply|divid|dropp|discard|fix|account|allow|tak|us|halv
    |doubl)ing\b[^=]*(?:leaves|left with|gives?|get|is|are|makes?|:) OTHER
^after \w+ing\b[^=]*(?:left with|get|have|is|are) OTHER
\b(?:leaves|leaving|left with) (?:only |us with )?OTHER
^so VALUE in (?:all|total)
\b(?:real|true|actual|correct) (?:NOUN|number) IS OTHER
\bquestion (?:\w+ )?asked for [^.]*, OTHER
\bnot RESULT(?! (?:only|just|merely))
VALUE fits\b
^(?:(?:when |by |after |if we )?(?:includ\w+|count\w*|add\w*|allow\w*)|with|taking)\b.*(?:there (?:are|is)|GET
    |makes?) OTHER
\b(?:brings?|bringing|raises|lowers|reduces|increases) (?:it|(?:the|our|this) (?:total|NOUN)) (?:up |down )?to OTHER
^\W*(?:it is|that is|(?:so |hence )?(?:i|we) (?:now |only |actually )?(?:get|find|have
    |obtain)) (?:now |really |only )?OTHER
\b(?:but|however|though|although|yet|instead|rather)\b(?:(?!\b(?:if|when|not)\b)[^.]){0,120}?(?:\bis|\bare|\bbe|=
    |\bto|\bso|\bmaking|:|GET) OTHER
\b(?:discard|reject|(?:we|i) (?:\w+ )?(?:double|halve|add|subtract|adjust))\b[^.]{0,60}?\b(?:and|to) (?:take|get
    |have|obtain|find|give) OTHER
VALUE instead\b(?! of)
^correct(?:ly)?(?: would be| is)?:? OTHER
^\W*(?-i:(?!RESULT))(?:(?:my|the|our) )?(?:BETTER |NOUN|it (?:needs|has|must)|second |actual\w* |after |on |in total
    |altogether|finally)[^\d:,]{0,30}[:,] OTHER
, (?:giving|making|yielding) OTHER
\b(?:we|i)(?: \w+)? (?:take|choose|pick|conclude|go with) OTHER
(?:所以|因此|故|得到?|即|应?(?:(?<!不)是|(?<!因)为))\s*VALUE(?=[。，,.\s]|$)
""")
# So the last sentence of an answer that names nothing else: "6.", "x + 2", "Therefore x = 6."
ALONE = rules(r"""
^\W*(?:(?:so|hence|thus|therefore|then|finally|better|answer),?:? )?(?:[a-z] ?= ?)?VALUE[ .!\]*]*$
^\W*\(VALUE[.!]?\)\W*$
""")
# Right behind the result: an alternative, or arithmetic that changes it.
CHANGED = rules(r"""
^RESULT(?: (?!is|with|by|of|for)[a-z]+\b)?[ )]*,? ?[(\[\u2014-]* ?(?:or (?:more|less|fewer)(?=[ .!)]*$)
    |no\b(?! (?:matter|more|less|other|longer|one
    |two|further|such))|off by\b|or (?:maybe|perhaps|possibly|rather|thereabouts|something|so\b|is it|was it)
    |, or,? (?:more \w+|rather|better),?|(?:->|\u2192|\\rightarrow)|/ ?VALUE|unless (?:VALUE|i\b|we\b)
    |if (?:i|we) (?:had|have)\b|(?:probably|perhaps|maybe|possibly|presumably|i (?:guess|think|suppose|believe)
    |more or less|or so)[ .!)]*$|give or take\b|(?:\\pm|\u00b1|plus or minus) ?\d[\d.,]*+(?! ?[a-z])|short of
    |to be (?:rejected|checked|verified|confirmed))
^RESULT[ )]*(?:(?:minus|plus) (?:\d|one\b|half\b)|to VALUE(?![\w^])
    |(?:less|more|fewer|greater|higher|lower) than VALUE)
^RESULT[ )]*,? ?[(\[\u2014-]* ?ALTERNATIVE VALUE(?![\w^])
# "7 hours or 420 minutes" says the same in another unit.
^RESULT (?P<unit>[a-z]+\b)[ )]*,? ?[(\[\u2014-]* ?ALTERNATIVE VALUE(?![\w^])(?! (?!(?P=unit)\b)[a-z])
^RESULT ?[(\[](?:this|that|it)? ?(?:was|is not)\b
^RESULT[ .)]*[\u2717\u2718\u274c\u2716\U0001f6ab]
^RESULT[ )]*at (?:most|least)[ .!)]*$
^RESULT(?:(?!\b(?:other|another|next|anything)\b)[^.]){0,60}[,:;(=] ?(?:\w+ )?too (?:big|large|small|high|low|many
    |few|much)[ .!)]*$
\bif\b.{1,200}(?:VALUE,? (?:otherwise|else)\b|\b(?:otherwise|else),? (?:\w+ ){0,3}VALUE)
""")
# Words that explanations hardly ever need. Behind a result they are doubt wherever they stand, but for EXCUSED ones; in
# the result's own sentence only behind a comma, dash or bracket, as the words before it are the task's.
SUSPECT = (
    r"\b"
    + phrases(
        r"""
wrong\w*, incorrect\w*, erroneous\w*, errors?, mistake\w*, typos?, invalid, impossible(?! (?:to|for|that)\b)
absurd\w*, suspicious\w*, nonsens\w+, (?<!no )doubt(?:s|ed|ful|ing)?, unsure, uncertain, reject\w*, discard\w*
disregard(?:s|ed|ing), excluded, disagree\w*, flaw\w*, mislead\w*, misled, circular reasoning
(?:pure|random|wild|blind|mere|lucky|unverified|educated) guess(?!es), guesswork, ruled out, corrections?, corrected
revised?, revision, (?:first|second|another|my) attempt, attempt \d, fails?(?! to\b), failed(?! to\b)
contradict\w*(?!-), re-?check\w*, which fails, re-?(?:comput|calculat|consider|evaluat|examin)\w*, retract\w*
overlooked, oops, sorry(?! for the), apolog\w*, can not be(?=[ .!)]*$)
not (?:right|correct|true(?! in general)|sure|certain|the (?:answer|result|value)|an answer|quite)
no longer (?:think|believe|hold|trust|valid|correct|right|true|sure|certain|stand\w*|the), please (?:check|verify)
(?:my|best|just a|only a) guess, premature, grain of salt, crossed out, (?:over|under|double[- ])count\w*, bet on
right at first, (?:bothers|worries|puzzles|troubles) me, gives me pause, uneasy, not convinced
feels (?:off|wrong|odd), none of (?:this|these|the above)
(?:something|this|that|it|result|answer|value) (?:is|seems|looks) off, (?:seems|looks) (?:too|odd|strange|unlikely)
"""
        + IGNORED
    )
    + r"(?!\w)",
)
# Said of another value than the result: "8 would not work", "the answer 6 is wrong".
OF_ANOTHER_VALUE = rules(r"""
(?:^\W*|\b(?:as|because|since|while|whereas|but|and|for|that|the answer
    |the value) )(?:options? |choices? )?VALUE (?:is|are|has|does|can|fails|leads|gives|would|contradicts
    |violates)\b
\bthe (?:value|root|solution) -
""")
EXCUSED = (
    *rules(r"""
\b(?:other|others|another|second|negative|extraneous|options?|choices?|common\w*|often|students|let (?:me|us) know
    |feel free|trial and error|careful|avoid|suppose|assume|if|were|margin|probability|without)\b
\b[a-z] ?=
"""),
    *OF_ANOTHER_VALUE,
    *rules(r"""
^(?:(?:but|so|and|when|then|thus|hence|therefore),? )?(?:he|she|they|his|her|their|one)\b
\bthe rest\b
# What is counted, and what somebody has or says: words of the task.
(?:VALUE|RESULT)(?: more| of (?:the|them))?(?: \w+)? (?:wrong|incorrect|false|invalid|rejected|discarded|uncertain
    |mistakes?|errors?|typos?)\b
\b(?:an?|any|no|every) (?:smaller|larger|fewer|lower|higher|bigger) \w+
\w's (?:claim|work|attempt|reasoning|answer|result|statement|argument|idea|guess|assertion)\b
\b(?:claim|statement|assertion|conjecture) (?:\w+ ){0,6}(?:is|was) 
\b(?:kids|students|pupils|applicants|people|toddlers|animals|children|items|questions|parts|marbles?)\b
"""),
)
# A question about the result; a question of the task is longer, and begins with other words.
QUESTIONED = rules(r"""
^\W*(?:RESULT|or|right|really|correct|but|wait|no|could it|what about|hmm*|are you)\b[^?]{0,60}\?
^\W*(?:is|was) (?:it|that|this)(?: (?:really|right|correct|true|so|possible|RESULT|VALUE|the|not
    |maybe)\b[^?]{0,40})? ?\?
""")
# The result in another unit or notation: "in degrees, this is 57".
CONVERTED = rules(r"""
^\W*(?:remark|note|comment|interestingly|(?:by|in) contrast)\b.*\bif\b
^(?:in (?!fact|total|that|this|reality|truth)|as an?|rounded|expressed|written|numerically|equivalently)\b[^,]*,
""")
CHINESE = re.compile(
    "等等|等一下|稍等|不对|错了|[搞算弄看写记]错|(?<!不能)(?<!不要)(?<!别)漏|偏[大小]|有误|更正|修正|纠正|订正|重新(?:算|计算|检查|检验|审|考虑|做)|再算|但是?题目|其实不然|抱歉|对不起|不好意思|撤回|收回|作废|忽略"
    "|不正确|是错|错误|有问题|(?:其实|实际上)[是应]|应该?[是为]|应等于|正确的?(?:答案|结果|值|数值)|(?:答案|结果)并?不是"
    r"|[少多]算|少考虑|仔细一看|[这它](?:显然|明显|也|并)?不(?:可能|成立|是|合|符合|满足)|[这它](?:是|与[^。，]{0,8})?(?:错|矛盾)|不[,，]\s*是|不是答案|不(?:太"
    r"|是很)?确定|[哦啊呀哎][,，]?\s*不|检验[^。]{0,6}不成立"
    r"|(?:或者|还是)是?\W{0,3}\d|吗(?:[？?]|$)"
)
# Directly before and directly behind a result.
CHINESE_BEFORE = re.compile(
    r"乍一?看[^。，,.]{0,6}$|同学[^。，,.]{0,4}(?:得出|认为|以为|写|答)[^。，,.\w]{0,4}$|错误答案\W*$"
    r"|错误[^。，,.]{0,10}(?:得到|得出|是|为|答)[^。，,.\w]{0,4}$"
    r"|(?:不是|并非|不等于|也许|可能|或许|大概|我猜|老师说|假设|如果|有人[^。，]{0,4}|(?:题目|他|她|书上|提示)[^。，]{0,6}[说称])[^。，,]{0,12}$"
)
CHINESE_BEHIND = re.compile(
    r"[\s$.)}*]*[,，(（]?\s*(?:是|这是|但这是?|但是这?)?(?:不满足|不符合|不成立|不对|不正确|不可能|应?舍去|错|不[,，]|与[^。]{0,8}矛盾)"
)
