"""What processes on several machines share through Postgres: leases, claims, and the tables behind limits and budgets.

Times are those of the database's clock, but for what a process has to know of itself, which it takes from its own.
"""
