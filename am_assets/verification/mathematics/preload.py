"""Imported by the process that math workers are forked from, so that they start with the grammar and its caches."""

from am_assets.verification.mathematics.equality import prepare_worker

prepare_worker()
