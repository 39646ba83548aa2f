"""Distilled-reasoning datasets as a Dagster asset graph. The folders are the pipeline, `definitions.py` its assembly."""
