"""The screen `refusal`: a teacher says that it won't answer, to whoever asks. English and Chinese.

That something can't be computed, proved or done by somebody else is none.
"""

from am_assets.verification.screens.base import ANSWERED, Screen
from am_assets.verification.screens.phrases import MACHINE, MACHINE_ZH, confirm, patterns

I_CAN_NOT, DO, ENGAGE, THIS, REQUEST, SORRY = patterns(r"""
    \bI(?: can(?:not| not|['’]t)|(?: won['’]t|['’]ll not| will not)(?: be able to)?
    |(?: am|['’]m) (?:unable to|not able to|not allowed to|not comfortable))

    (?:help|assist|comply|fulfil+|do that|process|complete|honou?r|accommodate|promote|support|participate|engage
    |provide|offer|generate|create|write|produce|share|give|answer|discuss|respond)

    (?:help|assist|comply|fulfil+|do that|support (?:this|that)|engage|participate)

    (?:this|that|your|the|such|these|those|any)
    (?: (?:particular|specific|kind of|type of|sort of|type|user['’]s))?

    (?:requests?|queries|query|inquiry|questions?|tasks?|topics?|content|information|instructions?|material)

    (?:\bsorry\b|\bapologi[sz]e\b|\bmy apologies\b|\bapologies\b|\bregret\b)
""")
REFUSAL = patterns(rf"""
    {I_CAN_NOT} (?:help|assist)(?: you)? with (?:that|this|{THIS} {REQUEST})\b(?! \w+ (?:of|in) the)

    {I_CAN_NOT} assist(?: you)? (?:with|in) [a-z]+ing\b

    {I_CAN_NOT} (?:fulfil+|comply with|process|complete|honou?r|accommodate|answer|respond to) {THIS} {REQUEST}\b

    {SORRY}[^.!?\n]{{0,30}}?{I_CAN_NOT} {ENGAGE}\b(?! but)

    {SORRY}[^.!?\n]{{0,30}}?{I_CAN_NOT} {DO} (?:you )?(?:with )?(?:\w+ ){{0,3}}?
    (?:{THIS} {REQUEST}|instructions|guidance|advice|content|assistance|information)\b

    \bas an? (?:responsible |helpful )?{MACHINE}(?: [\w-]+){{0,4}}, {I_CAN_NOT}
    \x20(?:help|assist|comply|fulfil+|engage|participate|support|promote|generate|create|provide|offer|give|write)\b

    \bI (?:must|have to|need to|should|will have to) (?:politely |respectfully )?(?:decline|refuse)
    (?: to (?:help|assist|answer|provide|comply|fulfil+|engage|write|generate)| {THIS} {REQUEST}
    |[.,] as (?:this|it|the))

    \bI(?: do not|['’]m not| am not| don['’]t) (?:feel )?comfortable
    \x20(?:providing|making arguments|writing|generating|helping|assisting|creating|engaging|discussing|answering)\b

    \b{THIS} {REQUEST} (?:violates?|goes against|is against|conflicts with) (?:my|our|the|open ?ai['’]s)
    \x20(?:[\w-]+ ){{0,3}}?(?:guidelines|polic(?:y|ies)|principles|programming)

    (?:抱歉|对不起|很遗憾|不好意思)[，,！!。\s]*(?:但是?|不过)?[，,]?\s*(?:作为[^，。\n]{{0,16}}[，,]\s*)?(?:我|这个问题我)?
    (?:暂时|目前)?(?:无法|不能|不便|没办法)(?:为[您你])?
    (?:协助|帮助|帮[您你]|提供|满足|回答|处理|讨论|回应|参与|支持|生成)

    我(?:暂时|目前)?(?:无法|不能|不便)(?:协助|帮助|满足|回答|处理|回应|完成)+(?:[您你]的?)?
    (?:这个|该|此|这类|这样的|这一|您的|你的)+(?:请求|要求|问题|任务|话题|内容|询问)

    (?:这个问题|该问题|这个话题)我(?:暂时|目前)?(?:无法|不能|不便)回答

    作为(?:一[个款名])?(?:负责任的)?{MACHINE_ZH}[^，。\n]{{0,6}}[，,]\s*我(?:无法|不能|不会)
    (?:协助|帮助|提供|参与|支持|生成|讨论|回答)
""")
HINTS = patterns(rf"""
    (?i){I_CAN_NOT} {DO}

    (?i) comfortable [a-z]+ing

    (?i)(?:decline|refuse)(?: to| this| that| your| the| such|[.,])

    (?i)(?:violates?|against|conflicts with) (?:my|our|the|open ?ai['’]s)\x20

    抱歉|对不起|很遗憾|不好意思|我(?:暂时|目前)?(?:无法|不能|不便|不会)
""")
SCREEN = Screen("refusal", ANSWERED, HINTS, confirm(*REFUSAL))
