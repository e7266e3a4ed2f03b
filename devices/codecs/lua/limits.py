"""What a codec script may use (CPU time, not wall time, so that a busy machine refuses nobody)."""

SCRIPT_BYTES = 64 * 1024
FRAME_BYTES = 256 * 1024
RESULT_BYTES = 1024 * 1024
TRIAL_SECONDS = 2.0  # wall time of one test request

IN_CHILD: dict[str, float] = {
    "seconds": 0.1,  # per frame
    "kill_seconds": 0.3,  # per frame; the kernel ends the process then: the script hung in C code
    "instructions": 50_000_000,
    "memory": 16 * 1024 * 1024,
    "result_bytes": RESULT_BYTES,
    "result_nodes": 10_000,
    "result_depth": 8,
    "frame": FRAME_BYTES,
    "log": 8 * 1024,
    "detail": 500,
}
