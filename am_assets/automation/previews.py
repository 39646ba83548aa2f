"""Telling previews from ticks: the UI evaluates a sensor to show what it would do."""

import dagster as dg


def is_preview(context: dg.SensorEvaluationContext) -> bool:
    """Whether this is a preview, which must have no side effects.

    The daemon passes the time of the sensor's start and of its last tick, a preview neither. The start alone is not
    enough: Dagster forgets it when somebody sets the cursor of the sensor.
    """
    return context.last_sensor_start_time is None and context.last_tick_completion_time is None
