"""The stage of training: the released dataset, and supervised fine-tuning of the student."""
