"""Virtual time: a shard's cameras as array rows, one compiled step, counts that add, and the digest."""
