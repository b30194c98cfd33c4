"""Photos: their formats, sizes and pixels, for the door and for the workers."""
