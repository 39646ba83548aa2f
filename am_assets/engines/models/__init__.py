"""Models that run on this machine: the embedded server, embedder, student, reward model, language id, neighbours."""
