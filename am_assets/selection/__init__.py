"""The stage of selection: which questions are worth a teacher. Pure rules over frames and a policy."""
