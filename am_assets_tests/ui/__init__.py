"""A package to pytest too: without this file the fixtures of its scope would last for the whole session."""
