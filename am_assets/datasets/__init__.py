"""Where rows come from: sources and benchmarks, forms of data (`adapters/`), file readers, question ids, the demo.

Measuring, selecting and otherwise processing rows belongs to the stages.
"""
