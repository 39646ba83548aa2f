"""Asset checks: what a team is told about when it is not so."""
