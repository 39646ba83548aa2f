"""Models that run on this machine: embedded LLM server, embedder, student, reward model, language id, ANN index."""
