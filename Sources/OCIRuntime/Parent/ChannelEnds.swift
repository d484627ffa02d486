import CLinux
import Linux

/// The two ends of the channel, before the clone.
struct ChannelEnds: ~Copyable {
    let parent: Descriptor
    let child: Descriptor

    init() throws(RuntimeError) {
        var ends: [Int32] = [-1, -1]
        try step("channel") { () throws(SystemError) in try check(sys_unix_socketpair(5, &ends), "socketpair") }
        parent = Descriptor(owning: ends[0])
        child = Descriptor(owning: ends[1])
    }

    /// Closes the child's end here: from now on its end is seen as closed when the child is gone.
    consuming func keepParent() -> Descriptor { parent }
}
