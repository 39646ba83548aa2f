"""What `am` computes: staleness and its reasons, plans and costs, previews, explanations, differences of recipes.

Results are dataclasses and frames. Printing them belongs to `cli`.
"""
