"""How fast the hot work is, beside the peers', with the quality each side reached: `make bench`."""
