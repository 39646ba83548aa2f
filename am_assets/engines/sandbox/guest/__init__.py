"""The code that runs inside a warm sandbox, sent there by the host as source text (`protocol.guest_source`).

It must use the standard library only and import nothing of the project outside this package.

The `supervisor` answers the host and never runs untrusted code; it watches each run of a job's tests (`runs`). For each
run the `zygote` forks two cells that do not trust each other: the `judge` runs the tests, the `candidate` runs the
program, through `scripts` if it reads standard input. `isolation` confines a cell, `wire` is the protocol of the two,
`peers` either end of it, `remote` that of the judge, `operators` what it believes of the program's objects, `shadows`
what stands for objects of the other. `tables` are tests that are no code.
"""
