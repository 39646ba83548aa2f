"""What a recipe with other settings would keep, lose and ask."""
