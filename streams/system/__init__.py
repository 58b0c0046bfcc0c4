"""What the operating system gives: clock, threads, child processes, signals, logs."""
