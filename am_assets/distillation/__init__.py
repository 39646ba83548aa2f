"""The stage of distillation: requests to teachers and features of their traces. Pure rules over frames."""
