#ifndef CLINUX_PIPE_H
#define CLINUX_PIPE_H

/// pipe2(2) with O_CLOEXEC: `ends[0]` is read, `ends[1]` is written.
int sys_pipe(int ends[2]);
#endif
