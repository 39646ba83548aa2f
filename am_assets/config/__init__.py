"""What a user writes: recipes, instruments, endpoints, and the words they are written in.

Typed settings alone: nothing here reads tables, asks models or knows Dagster.
"""
