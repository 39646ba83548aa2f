"""The stage of selection: deduplication, decontamination, sampling. Pure rules over frames and a policy."""
