"""One file a claim: each prints one JSON line."""
