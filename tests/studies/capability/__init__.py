"""Tests of the capability law; a package because the reader of the mirror is shared by them."""
