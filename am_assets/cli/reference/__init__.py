"""What every file of a project may say, written out of the models that read them: pages and JSON schemas.

    python -m am_assets.cli.reference    # writes them into docs/ and data/schemas/

The description of a field is the comment beside it, or the one above it; of a section its docstring.
"""
