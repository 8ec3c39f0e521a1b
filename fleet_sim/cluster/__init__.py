"""Where the work runs: Ray actors and their in-process twins, and the metrics that the driver exports."""
