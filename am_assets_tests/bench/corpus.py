"""Synthetic questions for benchmarks at scale: topics, template families and planted near-duplicates.

A question draws its words from its topic and from the language at large, so that vectors cluster as those of real pools
do. Some rows follow a template with a few words of their own; others are edits of earlier rows: the near-duplicates.
Everything depends on the seed and the block alone.
"""

import numpy as np

ROWS_A_TOPIC, TOPIC_WORDS, FROM_TOPIC = 25, 9, 0.75  # FROM_TOPIC: share of content words that the topic gives
IN_FAMILY, ROWS_A_FAMILY, OWN_WORDS = 0.06, 60, 4
NEAR_DUPLICATES, EXACT_DUPLICATES = 0.15, 0.01
WORDS = 24  # content words at most
OPENINGS = np.array(["Find", "Explain why", "How many", "What is", "Prove that", "Write a function for", "Describe"])
GLUE = np.array(["the", "of", "and", "in", "with", "for", "to", "a", "is", "on", "by", "from"])


def vocabulary() -> np.ndarray:
    """Words that the bundled static embedder knows as one token, commonest first."""
    from am_assets.engines.models.embedder import _load

    tokens = sorted(_load("static").tokenizer.get_vocab().items(), key=lambda item: item[1])
    whole = [token[1:] for token, _ in tokens if token.startswith("\u2581")]
    return np.array([word for word in whole if word.isascii() and word.isalpha() and word.islower() and len(word) > 2])


def questions(rows: int, seed: int = 0, block: int = 0) -> list[str]:
    """`rows` questions of about 30 words. Another block holds other questions of the same topics and families."""
    random = np.random.default_rng([seed, block])
    words = vocabulary()
    weights = 1 / np.arange(10, len(words) + 10)
    common = random.choice(len(words), size=(rows, WORDS), p=weights / weights.sum())
    topics = _spread(random.integers(max(rows // ROWS_A_TOPIC, 1), size=rows)[:, None])
    topical = _spread(topics + random.integers(TOPIC_WORDS, size=(rows, WORDS)))
    content = np.where(random.random((rows, WORDS)) < FROM_TOPIC, topical % len(words), common)
    lengths = random.integers(8, WORDS, size=rows)
    families = random.integers(max(int(rows * IN_FAMILY / ROWS_A_FAMILY), 1), size=rows)
    member = random.random(rows) < IN_FAMILY
    skeleton = _spread(_spread(families[:, None] + 1_000_003) + np.arange(WORDS)) % len(words)
    own = np.argsort(random.random((rows, WORDS)), axis=1) < OWN_WORDS
    content = words[np.where(member[:, None] & ~own, skeleton, content)]
    lengths[member] = WORDS
    glue, openings = GLUE[random.integers(len(GLUE), size=(rows, 6))], OPENINGS[families % len(OPENINGS)]
    numbers = random.integers(2, 10_000, size=(rows, 2))
    edits = random.random(rows)
    texts: list[str] = []
    for row in range(rows):
        if row > 100 and edits[row] < EXACT_DUPLICATES:
            texts.append(texts[int(edits[row] * 1e9) % row].upper())
        elif row > 100 and edits[row] < EXACT_DUPLICATES + NEAR_DUPLICATES:
            texts.append(_edited(texts[int(edits[row] * 1e9) % row], words, random))
        else:
            said = [*content[row, : lengths[row]]]
            said[1:13:2] = [f"{glue[row, n]} {word}" for n, word in enumerate(said[1:13:2])]
            texts.append(f"{openings[row]} {' '.join(said)} between {numbers[row, 0]} and {numbers[row, 1]}?")
    return texts


def _spread(numbers: np.ndarray) -> np.ndarray:
    """Other numbers, the same for the same, scattered by a multiplicative hash."""
    return (numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(20)).astype(np.int64)


def _edited(text: str, words: np.ndarray, random: np.random.Generator) -> str:
    """One to three words replaced, and half the time an ending added."""
    parts = text.split()
    for _ in range(int(random.integers(1, 4))):
        parts[int(random.integers(len(parts)))] = str(words[random.integers(2_000)])
    return " ".join(parts) + (" Explain your steps." if random.random() < 0.5 else "")
