"""What a camera is made of: processors and radios by name, and the energy they take."""
