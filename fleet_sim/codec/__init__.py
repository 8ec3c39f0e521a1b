"""Image to bytes and back to an answer: wavelet, networks, quantiser, neuron ranking, tables, message, heads.

Import from the modules themselves: `tables`, `message` and `contract` work without torch.
"""
