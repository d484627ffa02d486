#ifndef CLINUX_BPF_H
#define CLINUX_BPF_H
#include <stddef.h>
#include <stdint.h>

/// BPF_PROG_LOAD of a BPF_PROG_TYPE_CGROUP_DEVICE program of 8-byte instructions; the descriptor is close-on-exec.
/// `log` receives the verifier's words (NUL-terminated) when `log_size` isn't 0.
int sys_bpf_load_device_program(const uint64_t *instructions, size_t count, char *log, size_t log_size);
/// BPF_PROG_ATTACH to a cgroup v2 directory with BPF_F_ALLOW_MULTI; `replaced` is an attached program's descriptor or -1.
int sys_bpf_attach_device_program(int cgroup, int program, int replaced);
/// BPF_PROG_DETACH.
int sys_bpf_detach_device_program(int cgroup, int program);
/// BPF_PROG_QUERY: the ids of the device programs attached to this very cgroup; returns their number, at most `room`.
int sys_bpf_query_device_programs(int cgroup, uint32_t *ids, size_t room);
/// BPF_PROG_GET_FD_BY_ID.
int sys_bpf_program_by_id(uint32_t id);
#endif
