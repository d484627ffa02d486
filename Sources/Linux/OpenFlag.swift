/// open(2) flags that glibc shows only to GNU sources.
public enum OpenFlag {
    /// O_PATH: names a file without opening it for reading or writing.
    public static let path: Int32 = 0o10_000_000
    /// O_TMPFILE: a file without a name.
    public static let temporary: Int32 = 0o20_200_000
}
