"""Processes and threads: workers that can be killed, progress, interrupts, processes that outlive their parent.

Nothing here knows what is worked on.
"""
