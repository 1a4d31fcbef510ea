"""The checkpoints of the official vid2vid, pix2pixHD and pix2pix: read, converted, written."""
