import Cgroups
import Glibc
import Linux
import OCISpec

/// A cgroup that systemd makes: a transient scope (or slice) named by the configuration's "slice:prefix:name".
struct SystemdCgroup: Sendable, Hashable {
    /// "system.slice".
    let slice: String
    /// "kubesim-oci-id.scope".
    let unit: String
    /// Below each hierarchy's mount point.
    let path: String

    /// - Throws: for a path of another form, and for slices that systemd would refuse.
    init(_ cgroupsPath: String, id: String) throws(RuntimeError) {
        var parts = ["", "kubesim-oci", id]
        if !cgroupsPath.isEmpty {
            parts = cgroupsPath.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, !parts[2].isEmpty else {
                throw RuntimeError(
                    "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"\(cgroupsPath)\" instead"
                )
            }
        }
        slice = parts[0].isEmpty ? (geteuid() == 0 ? "system.slice" : "user.slice") : parts[0]
        if parts[2].hasSuffix(".slice") {
            unit = parts[2]
        } else {
            unit = (parts[1].isEmpty ? "" : parts[1] + "-") + parts[2] + ".scope"
        }
        if unit.contains("/") || unit.utf8.contains(0) {
            throw RuntimeError("linux.cgroupsPath: \"\(unit)\" is not a unit's name")
        }
        let above = try SystemdCgroup.expand(slice)
        if unit.hasSuffix(".slice") {
            path = try SystemdCgroup.expand(unit)
        } else {
            path = (above == "/" ? "" : above) + "/" + unit
        }
    }

    /// "a-b.slice" lies at "/a.slice/a-b.slice" (systemd.slice(5)).
    static func expand(_ slice: String) throws(RuntimeError) -> String {
        if slice == "-.slice" { return "/" }
        let name = slice.dropLast(6)
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard slice.hasSuffix(".slice"), !name.isEmpty, !slice.contains("/"), parts.allSatisfy({ !$0.isEmpty }) else {
            throw RuntimeError("linux.cgroupsPath: invalid slice name: \(slice)")
        }
        var path = ""
        for count in 1...parts.count { path += "/" + parts[..<count].joined(separator: "-") + ".slice" }
        return path
    }

    /// Makes the unit with a process in it, and waits until systemd has done so.
    /// - Parameter begun: called as soon as the unit is this container's; before, it may be another's.
    func start(
        _ pid: pid_t, _ plan: LaunchPlan, host: CgroupHost, begun: () -> Void
    ) throws(RuntimeError) {
        var properties: [SystemdProperty] = [
            SystemdProperty("Description", .string("kubesim-oci container \(plan.id)")),
            SystemdProperty("DefaultDependencies", .bool(false)),
            SystemdProperty("PIDs", .array("u", [.uint32(UInt32(pid))])),
            SystemdProperty("MemoryAccounting", .bool(true)), SystemdProperty("CPUAccounting", .bool(true)),
            SystemdProperty("TasksAccounting", .bool(true)),
            SystemdProperty(host.mode == .v2 ? "IOAccounting" : "BlockIOAccounting", .bool(true)),
        ]
        if unit.hasSuffix(".slice") {
            properties.append(SystemdProperty("Wants", .strings([slice])))
            properties.removeAll { $0.name == "PIDs" }
        } else {
            properties.append(SystemdProperty("Slice", .string(slice)))
            properties.append(SystemdProperty("Delegate", .bool(true)))
        }
        properties += try SystemdProperty.resources(plan.resources ?? LinuxResources(), host: host)
        properties += try SystemdProperty.annotations(plan.annotations)
        let body: [DBusValue] = [
            .string(unit), .string("replace"),
            .array("(sv)", properties.map { .structure([.string($0.name), .variant($0.value)]) }),
            .array("(sa(sv))", []),
        ]
        do throws(RuntimeError) {
            try job("StartTransientUnit", body, begun: begun)
        } catch {
            // systemd keeps a unit that failed until somebody has seen it; one that runs stays, and is told of again.
            guard error.description.hasSuffix("was already loaded or has a fragment file.") else { throw error }
            forget()
            try job("StartTransientUnit", body, begun: begun)
        }
    }

    /// Stops the unit and forgets how it ended. One that isn't there is success.
    func stop() throws(RuntimeError) {
        do throws(RuntimeError) {
            try job("StopUnit", [.string(unit), .string("replace")])
        } catch {
            if error.description.hasSuffix("not loaded.") { return }
            throw error
        }
        forget()
    }

    /// A unit that ended well is forgotten by itself.
    private func forget() {
        _ = try? SystemdCgroup.connect().call(
            SystemdCgroup.managerPath, SystemdCgroup.manager, "ResetFailedUnit", [.string(unit)],
            to: SystemdCgroup.service)
    }

    /// Tells systemd of new limits, which it would else undo at its next reload.
    func update(_ resources: LinuxResources, host: CgroupHost) throws(RuntimeError) {
        let properties = try SystemdProperty.resources(resources, host: host)
        if properties.isEmpty { return }
        _ = try SystemdCgroup.connect().call(
            SystemdCgroup.managerPath, SystemdCgroup.manager, "SetUnitProperties",
            [
                .string(unit), .bool(true),
                .array("(sv)", properties.map { .structure([.string($0.name), .variant($0.value)]) }),
            ], to: SystemdCgroup.service)
    }

    private static let service = "org.freedesktop.systemd1"
    private static let manager = "org.freedesktop.systemd1.Manager"
    private static let managerPath = "/org/freedesktop/systemd1"

    /// Calls a method that begins a job, and waits for its end.
    private func job(_ method: String, _ body: [DBusValue], begun: () -> Void = {}) throws(RuntimeError) {
        let connection = try SystemdCgroup.connect()
        _ = try connection.call(
            SystemdCgroup.managerPath, SystemdCgroup.manager, "Subscribe", to: SystemdCgroup.service)
        let answer = try connection.call(
            SystemdCgroup.managerPath, SystemdCgroup.manager, method, body, to: SystemdCgroup.service)
        guard let job = answer.first?.text else { throw RuntimeError("systemd: \(method) \(unit): no job came back") }
        begun()
        while true {
            // The job's number, its path, the unit, the result.
            let removed = try connection.signal("JobRemoved")
            guard removed.count == 4, removed[1].text == job else { continue }
            let result = removed[3].text ?? ""
            if result == "done" || result == "skipped" { return }
            throw RuntimeError("systemd: \(method) \(unit): the job ended with \"\(result)\"")
        }
    }

    private static func connect() throws(RuntimeError) -> DBusConnection {
        let (path, isBus) = try address()
        let connection = try DBusConnection(path, isBus: isBus)
        if isBus {
            _ = try connection.call(
                "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch",
                [.string("type='signal',interface='\(manager)',member='JobRemoved'")], to: "org.freedesktop.DBus")
        }
        return connection
    }

    /// root's bus is the system's, anyone else's their own session's.
    private static func address() throws(RuntimeError) -> (path: String, isBus: Bool) {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let isRoot = geteuid() == 0 && !RootlessMode.isMappedRoot
        if let text = variable(isRoot ? "DBUS_SYSTEM_BUS_ADDRESS" : "DBUS_SESSION_BUS_ADDRESS") {
            for candidate in text.split(separator: ";") where candidate.hasPrefix("unix:path=") {
                return (String(candidate.dropFirst(10).prefix { $0 != "," }), true)
            }
            throw RuntimeError("systemd: the bus address \"\(text)\" is not of the form unix:path=…")
        }
        if isRoot {
            let bus = "/run/dbus/system_bus_socket"
            if File.exists(bus) { return (bus, true) }
            // Without a bus systemd listens itself, to root alone.
            let own = "/run/systemd/private"
            if File.exists(own) { return (own, false) }
            throw RuntimeError("systemd: neither \(bus) nor \(own) is here; is systemd running?")
        }
        guard let folder = variable("XDG_RUNTIME_DIR") else {
            throw RuntimeError("systemd: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set")
        }
        return (folder + "/bus", true)
    }
}
