"""Where rows come from: forms of data (adapters), sources, benchmarks, readers, ids, demo generators.

What becomes of rows belongs to the stages.
"""
