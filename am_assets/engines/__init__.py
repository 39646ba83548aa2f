"""Adapters to the outside world, one thing per module or folder: language models, code sandbox, local models, charts.

An engine hides one library or service behind a few functions; it knows no stage, no recipe and no Dagster.
"""
