"""Distilled-reasoning datasets as a Dagster asset graph. The folders are its stages, `definitions.py` its assembly."""
