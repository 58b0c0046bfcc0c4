"""What the README claims, measured: each module one measurement, runnable alone; all of them with `make bench`."""
