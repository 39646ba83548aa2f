"""The whole way of one question under a recipe."""
