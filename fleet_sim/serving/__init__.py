"""From arrivals to answers: how a server gathers frames into batches, and when each is answered."""
