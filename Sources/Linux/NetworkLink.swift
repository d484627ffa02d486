import CLinux
import Glibc

/// Network interfaces of the calling thread's network namespace.
public enum NetworkLink {
    /// Sets an interface up; ENODEV when there is none of that name.
    public static func setUp(_ name: String) throws(SystemError) {
        try check(sys_link_up(name), "set link up", name)
    }
}
