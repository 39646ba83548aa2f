"""The stage of the pool: features and labels of questions. Pure rules over frames."""
