"""What runs inside a warm sandbox. It uses the standard library alone and imports nothing of the project outside this
package, which is not there: the host hands it over as text (`protocol.guest_source`).

`supervisor` answers the host and never runs foreign code; it watches the `runs` of a job's tests. `zygote` forks, for
each run, two cells that do not trust each other: the `judge` runs the tests, the `candidate` runs the program, by
`scripts` if it reads standard input. `isolation` is what a cell may do, `wire` how the two talk.
"""
