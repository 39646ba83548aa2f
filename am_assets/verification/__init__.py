"""The stage of verification: verdicts, rewards, and which responses stay. Pure rules over frames and a policy."""
