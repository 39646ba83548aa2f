"""Asset checks: expectations on tables, of which a failure is reported to people and may stop what is downstream."""
