"""How many cameras a link carries, or how little budget a fleet needs, for a target to be met."""
