"""`opendeep up`: every part of OpenDeep on one machine, started in order and kept alive."""
