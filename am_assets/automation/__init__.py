"""Automation: conditions, sensors, the schedule and alerts. Commands that a person runs belong to `cli`."""
