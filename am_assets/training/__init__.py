"""The stage of training: the released dataset, and the student trained on it."""
