import CLinux
import Glibc

/// Network bridges of the calling thread's network namespace.
public enum Bridge {
    /// Makes a bridge, which is down; false when there is an interface of that name already.
    public static func add(_ name: String) throws(SystemError) -> Bool {
        let result = sys_bridge_add(name)
        if result == -EEXIST { return false }
        try check(result, "add bridge", name)
        return true
    }

    /// Removes a bridge with what is still plugged into it left unplugged; one that isn't there is success.
    public static func remove(_ name: String) throws(SystemError) {
        let result = sys_bridge_remove(name)
        if result == -ENODEV { return }
        try check(result, "remove bridge", name)
    }
}
