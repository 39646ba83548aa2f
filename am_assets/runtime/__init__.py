"""Processes and threads: worker pools with kill timeouts, progress events, SIGINT handling, orphans, redaction.

Nothing here knows the work itself.
"""
