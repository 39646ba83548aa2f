"""The screens `self_naming` and `cutoff_talk`: a teacher says what model it is, who made it, or when its
knowledge ends.

English and Chinese. That a text is about a model, names a firm or a date is no finding.
"""

from am_assets.verification.screens.base import ANSWERED, Screen
from am_assets.verification.screens.phrases import MACHINE, MACHINE_ZH, confirm, patterns

MODEL, SHARED_NAME, MAKER, MODEL_ZH, MAKER_ZH, NAMED = patterns(r"""
    (?:deep[ -]?seek|qwen|qwq|tongyi|chat-?gpt|gpt-?(?:[345]|oss)|chatglm|doubao|hunyuan|internlm|baichuan|mixtral
    |smollm|nemotron|ernie bot|grok-?[1-9]|kimi[ -]k|llama[ -]?[1-9]|mistral (?:7b|large|small|ai)|gemma|phi-[1-9]
    |claude[ -](?:[1-9]|opus|sonnet|haiku|instant)|gemini[ -](?:[1-9]|pro|flash|ultra)|microsoft copilot)

    (?:claude|gemini|bard|llama|kimi|ernie|mistral|grok|copilot)

    (?:open ?ai|anthropic|deep[ -]?seek|alibaba|qwen|tongyi|google|deepmind|meta(?: ai)?|mistral(?: ai)?|xai|moonshot
    |zhipu|bytedance|baidu|tencent|microsoft|nvidia|cohere|ai2|allen institute|hugging ?face|minimax|01\.ai)

    (?:deep ?seek|深度求索|qwen|通义千问|千问|chat ?gpt|gpt-?[345]|文心一言|豆包|讯飞星火|星火大模型|智谱清言|chatglm
    |kimi|混元|百川大模型)

    (?:深度求索|deep ?seek|阿里巴巴|阿里云|通义实验室|百度|腾讯|字节跳动|智谱|月之暗面|科大讯飞|华为|谷歌|微软|open ?ai
    |anthropic|google|meta)

    (?i)deep ?-?seek|qwen|qwq|tongyi|chat-?gpt|gpt-?[345o]|chatglm|doubao|hunyuan|internlm|baichuan|mixtral|smollm
    |nemotron|ernie|grok|kimi|llama|mistral|gemma|phi-[1-9]|claude|gemini|copilot|bard |open ?ai|anthropic|alibaba
    |google|deepmind|(?:by|at|from|,|is|are|由) ?(?:meta|xai|ai2)|moonshot|zhipu|bytedance|baidu|tencent|microsoft
    |nvidia|cohere|allen institute|hugging ?face|minimax|01.ai|深度求索|千问|文心一言|豆包|星火|智谱|混元|百川|阿里|通义
    |百度|腾讯|字节跳动|月之暗面|科大讯飞|华为|谷歌|微软
""")  # SHARED_NAME: people, animals and constellations have it too. NAMED: all of them, for one pass over a text
MADE = r"(?:made|created|developed|built|trained|designed|fine-?tuned|provided|released|powered)"
MADE_ZH = r"(?:开发|研发|训练|创造|推出|打造|设计|研制)"
ANY_MACHINE = rf"(?:{MACHINE}|assistant|bot|tool)"
FROM = rf"from {MAKER}\b"
BY = rf"\s+(?:and [\w-]+ )?(?:by|at|from)\s+(?:the (?:company |(?:\w+ )?team at |folks at )?)?{MAKER}\b"
I_AM = r"\b(?:I(?: am|['’]m)|my name(?: is|['’]s)|call me)"
# LEAD stands between "I am" and a name: "actually", "an AI assistant called". NO_OWNER: "ChatGPT's", "a ChatGPT user".
LEAD, NO_OWNER = patterns(rf"""
    (?:(?:actually|just|indeed|really|only|called|named|known as|based on|powered by|a version of|the
    |an? (?:[\w-]+ ){{0,4}}?{MACHINE}(?: assistant)?,?)\s+){{0,3}}["'“*`]*

    (?![\w-]*(?:['’]s\b
    |[ -](?:users?|fans?|customers?|subscribers?|developers?|engineers?|researchers?|employees?)\b))
""")
SELF_NAMING = patterns(rf"""
    {I_AM}\s+{LEAD}(?:{MAKER}['’]s )?{MODEL}{NO_OWNER}

    {I_AM}\s+{LEAD}{SHARED_NAME}\b{NO_OWNER}[^.!?\n]{{0,60}}?\b(?:{MACHINE}\b|{MADE}{BY})

    {I_AM} (?:an? |the |just |only )+(?:[\w-]+[ ,]+){{0,4}}?{ANY_MACHINE}\b[^.!?\n]{{0,40}}?\b(?:{MADE}{BY}|{FROM})

    \b(?:I (?:was|am)|I['’]m|I['’]ve been|I have been) {MADE}{BY}(?! (?:to|as|for|in)\b)

    \bas an? (?:[\w-]+[ ,]+){{0,4}}?{ANY_MACHINE}\b[^.!?\n]{{0,40}}?\b{MADE}{BY}[^.!?\n]{{0,60}}?\b(?:I|my)\b

    \bas {MODEL}[\w.-]*,? (?:I|my)\b

    \bmy (?:creators?|makers?|developers?|trainers?)(?:,| at| from| is| are)+ {MAKER}\b

    我(?:是|叫|名叫|的名字[是叫])(?:一[个款名种]|名为|叫做?|由[^，。！？\n]{{0,16}}?{MADE_ZH}的|来自[^，。！？\n]{{0,12}}的
    |{MACHINE_ZH}|助手|[\s，,、“"]){{0,6}}{MODEL_ZH}
    (?![\w.-]*(?:的(?!AI|人工智能|大?语言|助手|智能)|用户|公司|员工))

    我(?:是(?:一[个款名种][^，。！？\n]{{0,12}}?)?)?由\s*[^，。！？\n]{{0,12}}?{MAKER_ZH}[^，。！？\n]{{0,10}}?{MADE_ZH}

    我是\s*{MAKER_ZH}(?:公司|集团|团队)?(?:自主|独立)?{MADE_ZH}的

    作为[^，。！？\n]{{0,10}}?(?:{MODEL_ZH}|{MAKER_ZH})[^，。！？\n]{{0,10}}?(?:{MACHINE_ZH}|助手)[^。！？\n]{{0,6}}[，,]\s*我
""")

CUT = r"cut[ -]?off(?: date| point)?"
YEAR, REACHES = patterns(r"""
    (?:(?:early|mid|late|the (?:end|beginning|middle) of|around|about|january|february|march|april|may|june|july|august
    |september|october|november|december|[,-])\s*)*(?:19|20)\d\d

    (?:goes|go|extends?|reach(?:es)?|ends?|ended|stops?|is current|is up[ -]to[ -]date|is limited|is only
    |was(?: last)? updated|includes information|covers?)
""")
CUTOFF_TALK = patterns(rf"""
    \b(?:my|our) (?:own )?(?:last |latest )?(?:knowledge|training|data|information)(?:[ -](?:data|base))?(?:['’]s)?
    [ -]{CUT}

    \b(?:as of|up to|until|since|at|before|after|beyond|past) (?:the |my )?(?:knowledge|training(?: data)?) {CUT}

    \b(?:knowledge|training data) {CUT} (?:is|of|was|in) (?:around |about |approximately )?{YEAR}[^.!?\n]{{0,60}}?\bI\b

    \b(?:as of|up to|until|since|at the time of) my (?:last|latest|most recent|final) (?:\w+ )?
    (?:update|training|refresh|knowledge)

    \bmy (?:training|training data|knowledge|knowledge base|information|data) (?:only |currently |mostly )*{REACHES}
    [^.!?\n]{{0,30}}?\b(?:up to|up until|until|till|to|through|as of|in|on)\s+
    (?:only )?(?:{YEAR}|what|information|a (?:certain|specific))

    \bas of my training\b

    \bmy knowledge (?:is|comes)\b[^.!?\n]{{0,80}}?\b(?:only goes|goes up|{CUT}|up until|up to (?:19|20)\d\d)\b

    \bmy (?:training data|knowledge|knowledge base) only (?:goes|extends|reaches|covers|runs)\b

    \bI (?:was|am|have been|['’]ve been) (?:last |only |most recently )?(?:trained|updated)
    (?: on [^.!?\n]{{0,40}}?)? (?:up to|up until|until|through|in|as of)\s+{YEAR}

    我的(?:知识|训练数据|数据|信息|知识库)(?:库|储备)?(?:[只仅]?(?:截[止至]|更新)|的?截[止至])(?:时间|日期|点)?

    截[至止](?:到|于)?(?:我的?)?(?:(?:知识|训练)[^，。\n]{{0,8}}?(?:截[止至]|更新)|最后一次(?:更新|训练))

    我(?:最后|上)一?次(?:知识|训练|数据)?(?:更新|训练)(?:的?时间)?(?:是|于|在|截)
""")
CUTOFF_HINTS = patterns(r"""
    (?i)cut[ -]?off

    (?i)\b(?:as of|up to|until|since|time of) my (?:last|latest|most recent|final|training)\b

    (?i)\bmy (?:training|knowledge|information|data)\b

    (?i)\bI(?: was| am| have been|['’]ve been) (?:last |only |most recently )?(?:trained|updated)

    截[至止]|我的知识|我的训练|我的信息|我的数据|我最后|我上
""")
SCREENS = (
    Screen("self_naming", ANSWERED, (NAMED,), confirm(*SELF_NAMING)),
    Screen("cutoff_talk", ANSWERED, CUTOFF_HINTS, confirm(*CUTOFF_TALK)),
)
