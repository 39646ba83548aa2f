"""The Dagster layer: assets, asset checks, partitions, resources, the instance, its storage and its run launcher.

Rules of the stages do not belong here: the body of an asset reads its inputs, calls a rule and returns a frame.
"""
