"""Start-up checks: each names the fault and the cure. They read, they never repair."""
