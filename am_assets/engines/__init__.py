"""The outside world, one thing a module or folder: language models, sandbox, models on this machine, charts."""
