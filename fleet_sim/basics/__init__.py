"""Units, hashes and the strict base of every part of a scenario; knows no other room."""
