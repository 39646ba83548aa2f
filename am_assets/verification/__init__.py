"""The stage of verification: verdicts, reward scores, and the verified set. Pure rules over frames and a policy."""
