import Glibc

/// The two clocks of the shim, in nanoseconds.
enum Clock {
    /// Wall clock time since the epoch, for records and logs.
    static func wallNanoseconds() -> Int64 { read(CLOCK_REALTIME) }

    /// Time that only goes on, for deadlines.
    static func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        // A clock may be set to any year; nanoseconds end in 2262.
        let seconds = min(max(Int64(time.tv_sec), -9_223_372_035), 9_223_372_035)
        return seconds * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
