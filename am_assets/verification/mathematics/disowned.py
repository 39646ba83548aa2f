r"""The words before a result, in its own sentence, that keep its writer from asserting it.

Right answers state their result in few ways, whatever the task is: "so", "the answer is", "we get", "there are". So
what stands in the last clause before a result is read strictly: someone else who says it, a negation, a modal verb, the
writer's own mind, the result of another task. Words of the task are free before it, and a result that counts a noun
("she might need 5 tickets") ends no clause.
"""

from am_assets.verification.mathematics.clauses import rules

# Before a result, in its own sentence.
DISOWNED = rules(r"""
\b(?:not|never|nor|neither|unlike|instead of|rather than|wrong to \w+|double-check|differs? from|different from
    |strike|never mind|hardly|scarcely
    |(?:is|was) anything but) (?:(?:be|equal|accept|get|have|the|answer|result|value|is|as|a|an|that|to|it|just
    |simply) ){0,4}RESULT
\b(?:perhaps|maybe|possibly|doubt|unsure|whether|(?:my|a|i|the|just|wild|random|pure) guess)\b(?! surpris
    | unexpect)TO_RESULT
\bguess:? ?RESULT
\b(?:no (?:idea|clue)|can not solve|could not solve|unable to)\b.*RESULT
\btry RESULT
\b(?:NOUN|it|this) (?:is |are )?(?:might|could|may|probably|can not|need not)(?: well)?(?: be)? ?RESULT
\b(?:answer|result|it) (?:is|must be|will be|lies) (?:\w+ )?(?:at (?:least|most)|between|less than|more than
    |no more than|near|close to|above|below|far from|greater than|larger than|smaller than|over|under) RESULT
\b(?:answer|result) exceeds RESULT
\bas an? (?:first|crude|zeroth) (?:approximation|guess|stab|try|attempt)\b.*RESULT
# What would be the result of another task.
\b(?:answer|result) (?:\w+ )?would have been RESULT
\b(?:if|had|were)\b.*\banswer would (?:\w+ )?be RESULT
\b(?:we|one|you|i) would (?:\w+ )?(?:get|have|find|obtain) RESULT.*\b(?:but|however|which|though)\b
\banswer were RESULT
\b(?!i )(?:PERSON|\w+ (?:solution|answer|key|book)) (?:\w+ ){0,2}(?:says?|said|writes?|wrote|claims?|answers?
    |answered|guess(?:es|ed)?|thinks?|believes?|concludes?|choose|chose|pick|picked|put|ends with
    |ended with)(?: that)?(?: it is| the answer is)? RESULTCLAUSE_END
\b(?:mistake|error|trap|pitfall|fallacy|misconception|slip
    |temptation)s? (?:(?:\w+ ){0,2}(?:to|leads?|gives|yields|answer|results?|reading|produces) )(?:\w+ ){0,2}RESULT
\b(?:common|typical|usual|frequent|classic) (?:mistake|error) is RESULT
\b(?:wrong|incorrect|erroneous|mistaken|faulty|flawed|naive|careless|hasty
    |sloppy) (?:\w+ )?WORK\b[^;,\u2014]* RESULT
\bwithout (?:the|this|that|any) (?:\w+ )?(?:correction|factor|term|condition)\b.*RESULT
\b(?:extraneous|spurious|bogus|rejected|invalid) (?:root|solution|value|answer) is RESULT
\b(?:decide|choose|waver\w*) between RESULT and\b
\bREPORTER (?:\w+ ){0,2}SAYS\b(?! for the)TO_RESULT
\b(?!i )PERSON (?:\w+ )?SAYS\b(?: \w+){0,4} (?:RESULT_IS|it is RESULT)
\bi (?:said|claimed|thought|used to think|would have (?:said|written|answered)|initially|first|previously
    |had)\bTO_RESULT
\b(?:exclude[ds]?|reject\w*|discard\w*|rule[ds]? out|no longer
    |(?:no|little) reason to \w+ (?:it is|that it is)) RESULT
\b(?:wrong|incorrect|old|previous|earlier|former) (?:answer|result|value)(?: is| was|,)? ?RESULT
\b(?:in the|an|for) (?:example|instance)(?! show),?TO_RESULT
\b(?:has|of) the form RESULT
\bformat:? RESULT
\b(?:answer|it) like RESULT
\b(?:answer|result) was RESULT\b.*\b(?:before|until|first)\b
\bPERSON (?:wrote|answered|claimed|guessed) RESULT[ .,;:!]*(?:$|and|but|which|in|\w*$)
\bPERSON (?:might|could|would|may|will) (?:\w+ )?(?:think|say|answer|guess|believe|write)\bTO_RESULTCLAUSE_END
\b(?:tempt\w+|told|ask\w*|want\w*|instructed) (?:me |us )?to (?:say|answer|write|output|give|reply|print|respond|put
    |conclude)\bTO_RESULT
(?:\b(?:according to|pretend|imagine)|(?:^|\b(?:to|we|i|must|us) )(?:prove|show|verify|check)
    |\b(?:suppos\w+|assum\w+))\b(?: for contradiction)?(?: that)?(?: [\w,]+){0,3} RESULT_IS
\b(?:suppose|assume) (?:that )?(?:it is )?RESULT
\bif (?:the |my |that )?(?:\w+ )?RESULT_IS
\bPERSON (?:\w+ ){0,4}(?:says?|claims?|would say) RESULT[ .!]*$
\b(?:wrong|false|untrue|incorrect) that\bTO_RESULT
\breader (?:\w+ )?(?:say|answer|think|guess)\bTO_RESULT
\b(?:common|typical|naive|wrong|incorrect|tempting) (?:\w+ ){0,2}RESULT_IS
^\W*(?:is|was|are|could|does|should|can)\b[^.]*RESULT[^.]*\?
# Someone or something else says it.
(?<!\bwe )(?<!\bi )\b(?:sa(?:ys?|id)|claim(?:s|ed)?|show(?:s|ed)|suggest(?:s|ed)?|lists?|report(?:s|ed)?|argue[sd]?
    |conclude[sd]?|insist(?:s|ed)?|believe[sd]?|thinks?|thought|arrived? at|arrives at
    |end(?:s|ed)?(?: up)? (?:with|in|at)|answer(?:s|ed)|wrote|writes?|writing|put|puts|circles?|pick(?:s|ed)?|chose
    |chooses?|guess(?:es|ed|ing)?|conclude[sd]? with) (?:that )?(?:it is |the answer is )?RESULTCLAUSE_END
\b(?:post|forum|textbook|calculator|roommate|internet|website|solver|grader|chatbot)\bCLAUSERESULTCLAUSE_END
(?:'s|\b(?:his|her|their|your|old|draft|earlier|previous|rejected|first|wrong|incorrect)) (?:answer|result|solution
    |guess)(?: is| was|:|,| of)? ?RESULT
# Nothing says it.
^(?:(?!\b(?:that|which|who|whose|where|when|such)\b).)*\b(?:no way|refuse|torn|hardly|nothing|nobody|no one|neither
    |(?:can|do|does|did|is|are|was|would|should|could) not(?! hard| difficult)
    |never)\b(?![^,]* but RESULT)CLAUSERESULTCLAUSE_END
\b(?:would|could|might|may) (?:\w+ )?(?!is\b|are\b|be|need|have|cost|take|receive|get|pay|make|earn|save|equal|give
    |become|leave|require|weigh|sell|buy|reach|spend|last|use|eat)\w+ RESULTCLAUSE_END
\b(?:stab|hunch|gut|instinct|shot in the dark|torn between|guesswork)\b[^.]*RESULT
# The writer speaks of himself, and not of what he gets.
\bi (?!(?:now |then |therefore |also )?(?:get|got|find|found|obtain|have|conclude|comput|calculat|believe
    |am confident|will|would like|end|see|know|arrive|choose|pick|answer|say|put the|write)
    |[^,;:.=]*\b(?:found|find|get|got)\b)CLAUSERESULTCLAUSE_END
\bmy (?!(?:\w+ )?(?:answer|result|solution|choice))CLAUSERESULTCLAUSE_END
# The result of another task, or of another way.
\b(?:ignoring|neglecting|forgetting|disregarding|overlooking|omitting|misreading)\b[^.=]*RESULT
\b(?:without|ignoring)\b.*\bwould be RESULT
^\W*to (?:get|reach|obtain|arrive at|have|make) RESULT\b
# What is said of the result behind it.
^\W*RESULT[ )\"']* (?:seems?|looks?|might|may|would|could|should|fails?|contradicts?|has to|gets?|\w+counts?
    |ignores?|omits?|misses)\b
RESULT is (?:only|just|merely|too|one of|what my|an? (?:\w+,? ){0,3}WRONG)\b
""")
