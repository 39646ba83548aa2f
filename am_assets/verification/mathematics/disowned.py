r"""The words before a result, in its own sentence, that keep its writer from asserting it.

Right answers state their result in few ways, whatever the task is: "so", "the answer is", "we get", "there are". So
what stands in the last clause before a result is read strictly: someone else who says it, a negation, a modal verb, the
writer's own mind, the result of another task. Words of the task are free before it, and a result that counts a noun
("she might need 5 tickets") ends no clause.
"""

# Before a result, in its own sentence.
DISOWNED = (
    r"\b(?:not|never|nor|neither|unlike|instead of|rather than|wrong to \w+|double-check|differs? from"
    r"|different from|strike|never mind|hardly|scarcely"
    r"|(?:is|was) anything but) "
    r"(?:(?:be|equal|accept|get|have|the|answer|result|value|is|as|a|an|that|to|it|just|simply) ){0,4}RESULT",
    r"\b(?:perhaps|maybe|possibly|doubt|unsure|whether|(?:my|a|i|the|just|wild|random|pure) guess)\b(?! surpris"
    r"| unexpect)"
    r"TO_RESULT|\bguess:? ?RESULT|\b(?:no (?:idea|clue)|can not solve|could not solve|unable to)\b.*RESULT"
    r"|\btry RESULT",
    r"\b(?:NOUN|it|this) (?:is |are )?(?:might|could|may|probably|can not|need not)(?: well)?(?: be)? ?RESULT",
    r"\b(?:answer|result|it) (?:is|must be|will be|lies) (?:\w+ )?(?:at (?:least|most)|between|less than|more than"
    r"|no more than|near|close to|above|below|far from|greater than|larger than|smaller than|over|under) RESULT",
    r"\b(?:answer|result) exceeds RESULT|\bas an? (?:first|crude|zeroth) (?:approximation|guess|stab|try"
    r"|attempt)\b.*RESULT",
    # What would be the result of another task.
    r"\b(?:answer|result) (?:\w+ )?would have been RESULT|\b(?:if|had|were)\b.*\banswer would (?:\w+ )?be RESULT"
    r"|\b(?:we|one|you|i) would (?:\w+ )?(?:get|have|find"
    r"|obtain) RESULT.*\b(?:but|however|which|though)\b|\banswer were RESULT",
    r"\b(?!i )(?:PERSON|\w+ (?:solution|answer|key|book)) (?:\w+ ){0,2}(?:says?|said|writes?|wrote|claims?"
    r"|answers?|answered"
    r"|guess(?:es|ed)?|thinks?|believes?|concludes?|choose|chose|pick|picked|put|ends with|ended with)"
    r"(?: that)?(?: it is| the answer is)? RESULTCLAUSE_END",
    r"\b(?:mistake|error|trap|pitfall|fallacy|misconception|slip|temptation)s? (?:(?:\w+ ){0,2}(?:to|leads?|gives"
    r"|yields|answer|results?|reading|produces) )(?:\w+ ){0,2}RESULT"
    r"|\b(?:common|typical|usual|frequent|classic) (?:mistake|error) is RESULT",
    r"\b(?:wrong|incorrect|erroneous|mistaken|faulty|flawed|naive|careless|hasty|sloppy)"
    r" (?:\w+ )?WORK\b[^;,\u2014]* RESULT",
    r"\bwithout (?:the|this|that|any) (?:\w+ )?(?:correction|factor|term|condition)\b.*RESULT",
    r"\b(?:extraneous|spurious|bogus|rejected|invalid) (?:root|solution|value|answer) is RESULT",
    r"\b(?:decide|choose|waver\w*) between RESULT and\b",
    r"\bREPORTER (?:\w+ ){0,2}SAYS\b(?! for the)TO_RESULT"
    r"|\b(?!i )PERSON (?:\w+ )?SAYS\b(?: \w+){0,4} (?:RESULT_IS|it is RESULT)",
    r"\bi (?:said|claimed|thought|used to think|would have (?:said|written|answered)|initially|first|previously"
    r"|had)\bTO_RESULT",
    r"\b(?:exclude[ds]?|reject\w*|discard\w*|rule[ds]? out|no longer|(?:no|little) reason to \w+ (?:it is"
    r"|that it is)) RESULT",
    r"\b(?:wrong|incorrect|old|previous|earlier|former) (?:answer|result|value)(?: is| was|,)? ?RESULT",
    r"\b(?:in the|an|for) (?:example|instance)(?! show),?TO_RESULT|\b(?:has|of) the form RESULT|\bformat:? RESULT"
    r"|\b(?:answer"
    r"|it) like RESULT",
    r"\b(?:answer|result) was RESULT\b.*\b(?:before|until|first)\b",
    r"\bPERSON (?:wrote|answered|claimed|guessed) RESULT[ .,;:!]*(?:$|and|but|which|in|\w*$)",
    r"\bPERSON (?:might|could|would|may|will) (?:\w+ )?(?:think|say|answer|guess|believe|write)\bTO_RESULTCLAUSE_END",
    r"\b(?:tempt\w+|told|ask\w*|want\w*|instructed) (?:me |us )?to"
    r" (?:say|answer|write|output|give|reply|print|respond|put|conclude)\bTO_RESULT",
    r"(?:\b(?:according to|pretend|imagine)|(?:^|\b(?:to|we|i|must|us) )(?:prove|show|verify|check)|\b(?:suppos\w+"
    r"|assum\w+))\b(?: for contradiction)?(?: that)?(?: [\w,]+){0,3} RESULT_IS",
    r"\b(?:suppose|assume) (?:that )?(?:it is )?RESULT|\bif (?:the |my |that )?(?:\w+ )?RESULT_IS",
    r"\bPERSON (?:\w+ ){0,4}(?:says?|claims?|would say) RESULT[ .!]*$|\b(?:wrong|false|untrue"
    r"|incorrect) that\bTO_RESULT",
    r"\breader (?:\w+ )?(?:say|answer|think|guess)\bTO_RESULT",
    r"\b(?:common|typical|naive|wrong|incorrect|tempting) (?:\w+ ){0,2}RESULT_IS",
    r"^\W*(?:is|was|are|could|does|should|can)\b[^.]*RESULT[^.]*\?",
    # Someone or something else says it.
    r"(?<!\bwe )(?<!\bi )\b(?:sa(?:ys?|id)|claim(?:s|ed)?|show(?:s|ed)|suggest(?:s|ed)?|lists?|report(?:s|ed)?"
    r"|argue[sd]?"
    r"|conclude[sd]?|insist(?:s|ed)?|believe[sd]?|thinks?|thought|arrived? at|arrives at|end(?:s|ed)?(?: up)?"
    r" (?:with|in|at)|answer(?:s|ed)"
    r"|wrote|writes?|writing|put|puts|circles?|pick(?:s|ed)?|chose|chooses?|guess(?:es|ed|ing)?|conclude[sd]? with)"
    r" (?:that )?(?:it is |the answer is )?RESULTCLAUSE_END",
    r"\b(?:post|forum|textbook|calculator|roommate|internet|website|solver|grader|chatbot)\bCLAUSERESULTCLAUSE_END",
    r"(?:'s|\b(?:his|her|their|your|old|draft|earlier|previous|rejected|first|wrong|incorrect)) (?:answer|result"
    r"|solution|guess)"
    r"(?: is| was|:|,| of)? ?RESULT",
    # Nothing says it.
    r"^(?:(?!\b(?:that|which|who|whose|where|when|such)\b).)*\b(?:no way|refuse|torn|hardly|nothing|nobody|no one"
    r"|neither"
    r"|(?:can|do|does|did|is|are|was|would|should|could) not(?! hard| difficult)"
    r"|never)\b(?![^,]* but RESULT)CLAUSERESULTCLAUSE_END",
    r"\b(?:would|could|might|may) (?:\w+ )?(?!is\b|are\b|be|need|have|cost|take|receive|get|pay|make|earn|save"
    r"|equal|give|become|leave"
    r"|require|weigh|sell|buy|reach|spend|last|use|eat)\w+ RESULTCLAUSE_END",
    r"\b(?:stab|hunch|gut|instinct|shot in the dark|torn between|guesswork)\b[^.]*RESULT",
    # The writer speaks of himself, and not of what he gets.
    r"\bi (?!(?:now |then |therefore |also )?(?:get|got|find|found|obtain|have|conclude|comput|calculat|believe"
    r"|am confident|will"
    r"|would like|end|see|know|arrive|choose|pick|answer|say|put the|write)|[^,;:.=]*\b(?:found|find|get"
    r"|got)\b)CLAUSERESULTCLAUSE_END",
    r"\bmy (?!(?:\w+ )?(?:answer|result|solution|choice))CLAUSERESULTCLAUSE_END",
    # The result of another task, or of another way.
    r"\b(?:ignoring|neglecting|forgetting|disregarding|overlooking|omitting|misreading)\b[^.=]*RESULT"
    r"|\b(?:without|ignoring)\b.*\bwould be RESULT",
    r"^\W*to (?:get|reach|obtain|arrive at|have|make) RESULT\b",
    # What is said of the result behind it.
    r"^\W*RESULT[ )\"']* (?:seems?|looks?|might|may|would|could|should|fails?|contradicts?|has to|gets?|\w+counts?"
    r"|ignores?|omits?|misses)\b|RESULT is (?:only|just|merely|too|one of|what my|an? (?:\w+,? ){0,3}WRONG)\b",
)
