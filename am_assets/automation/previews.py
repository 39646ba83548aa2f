"""Telling a preview from a look: in the UI anybody may have a sensor evaluated, to see what it would do."""

import dagster as dg


def is_preview(context: dg.SensorEvaluationContext) -> bool:
    """Whether nothing may be changed. The daemon says when the sensor was started and when it last looked, a preview
    neither. The time of the start alone does not tell: Dagster forgets it when somebody sets the sensor's cursor."""
    return context.last_sensor_start_time is None and context.last_tick_completion_time is None
