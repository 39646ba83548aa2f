"""Writing to the Hugging Face hub: what would change in a dataset repository, and changing it in one commit."""
