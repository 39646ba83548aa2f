"""The stage of distillation: what teachers are asked, and what their traces look like. Pure rules over frames."""
