import CRI

/// Numbers that no word of this CRI stands for. Taken for some word, they would give a pod less than was asked for, and never
/// say so.
enum UnknownWords {
    static func refuse(in options: CRINamespaceOption, of subject: String) throws(CRIError) {
        for (field, mode) in [("network", options.network), ("pid", options.pid), ("ipc", options.ipc)] {
            guard case .UNRECOGNIZED(let number) = mode else { continue }
            throw CRIError(.invalidArgument, "\(subject): namespace_options.\(field) \(number): unknown")
        }
    }

    static func refuse(in config: CRIContainerConfig, of subject: String) throws(CRIError) {
        try refuse(in: config.linux.securityContext.namespaceOptions, of: subject)
        if case .UNRECOGNIZED(let number) = config.stopSignal {
            throw CRIError(.invalidArgument, "\(subject): stop_signal \(number): unknown")
        }
        for mount in config.mounts {
            guard case .UNRECOGNIZED(let number) = mount.propagation else { continue }
            throw CRIError(
                .invalidArgument, "\(subject): mount on \(mount.containerPath): propagation \(number): unknown")
        }
    }
}
