"""What moves by itself: conditions, sensors, the schedule, alerts."""
