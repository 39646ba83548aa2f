"""Where the two pages of a project are by default: Dagster's UI, and the rows of `am view`. Each links to the other."""

UI_PORT = 3000
UI = f"http://localhost:{UI_PORT}"
VIEW_PORT = 3001
VIEW = f"http://localhost:{VIEW_PORT}"
