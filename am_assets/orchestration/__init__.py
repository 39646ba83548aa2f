"""All Dagster: assets, checks, tables as assets, partitions, resources, the instance and its runs.

Rules of the stages do not belong here: an asset reads, calls one, and hands over.
"""
