import Glibc

/// Wall clock time in nanoseconds since the epoch, as the CRI counts it.
func wallClockNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    // A clock may be set to any year; nanoseconds end in 2262.
    let seconds = min(max(Int64(now.tv_sec), -9_223_372_035), 9_223_372_035)
    return seconds * 1_000_000_000 + Int64(now.tv_nsec)
}
