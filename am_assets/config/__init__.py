"""Settings that users write: recipes, instruments, endpoints, and the closed vocabularies that they draw on.

Typed settings only: nothing here reads tables, calls models or imports Dagster.
"""
