"""From bitrate budget to kept neurons: compiled rules by which a camera picks the level of a frame."""
