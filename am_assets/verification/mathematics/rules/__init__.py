"""When two values of given kinds are equal: a function for each pair of kinds, which `comparing` chooses."""
