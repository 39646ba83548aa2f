"""Everything on disk: schemas of the tables, column lineage, the tables, the memo, files that appear whole.

Nothing here decides what is stored.
"""
