"""The program of an answer and the tests of a question, as jobs for the sandbox. At most parsed here, never run."""
