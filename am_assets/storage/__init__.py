"""Everything on disk: table schemas and column lineage, stored tables, the memo, atomic writes.

What is stored is decided by the callers; nothing here measures, decides or imports Dagster.
"""
