"""Imported by the process that math workers are forked from: they have the grammar and its caches from the start."""

from am_assets.verification.equality import prepare_worker

prepare_worker()
