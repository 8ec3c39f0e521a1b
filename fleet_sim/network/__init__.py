"""Bits through time: what a cell's uplink does with its cameras' packets, in whole microseconds and bits."""
