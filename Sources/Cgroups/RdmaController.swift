import OCISpec

/// `rdma`: remote direct memory access, by device.
enum RdmaController {
    static func plan(_ devices: [String: LinuxRdma]) -> [CgroupWrite] {
        devices.sorted { $0.key < $1.key }.map { name, limits in
            var value = name
            if let handles = limits.hcaHandles { value += " hca_handle=\(handles)" }
            if let objects = limits.hcaObjects { value += " hca_object=\(objects)" }
            return CgroupWrite("rdma", "rdma.max", value, for: "linux.resources.rdma")
        }
    }
}
