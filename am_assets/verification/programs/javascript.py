"""Functions in JavaScript, called by tests in JSON: a harness behind them reads arguments and prints the result."""

import re

from am_assets.engines.sandbox.guest import languages

HARNESS = """
;(async () => {
  const given = JSON.parse(%(read)s)
  const method = typeof Solution === 'function' && typeof Solution.prototype.%(name)s === 'function'
  const result = method ? await new Solution().%(name)s(...given) : await %(name)s(...given)
  const plain = (key, value) => {
    const special = typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
    if (special) return {__number__: `${value}`}
    if (ArrayBuffer.isView(value)) return Array.from(value)
    if (value instanceof Map || value instanceof Set) return `${value}`
    return value
  }
  const said = result === undefined && %(in_place)s ? given[0] : result
  process.stdout.write('\\n' + JSON.stringify(said === undefined ? null : said, plain))
})().catch((error) => { console.error(error); process.exitCode = 1 })
"""
NODES = re.compile(r"\b(?:ListNode|TreeNode)\b")
VOID = re.compile(r"@returns? *\{void\}")


def with_harness(code: str, name: str) -> str | None:
    """The program that calls its function `name`; None where it takes lists and trees of LeetCode, which it can't be
    given."""
    if NODES.search(code):
        return None
    reads = "require('fs').readFileSync(0, 'utf8')"
    if languages.is_module(code):
        reads = "(await import('fs')).readFileSync(0, 'utf8')"
    return code + HARNESS % {"read": reads, "name": name, "in_place": "true" if VOID.search(code) else "false"}
