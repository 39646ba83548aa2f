"""Imported by the process that workers are forked from, so that they start with the checkers."""

from am_assets.verification.constraints.checking import prepare_worker

prepare_worker()
