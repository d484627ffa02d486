#ifndef CLINUX_H
#define CLINUX_H
// Every function here makes one system call (or the fixed few that make one operation), and returns its value or -errno.
#include "process.h"
#include "spawn.h"
#include "file.h"
#include "mounts.h"
#include "sockets.h"
#include "events.h"
#include "xattr.h"
#include "terminal.h"
#include "handshake.h"
#include "link.h"
#include "netlink.h"
#include "scheduling.h"
#include "selfexe.h"
#include "bpf.h"
#include "bridge.h"
#include "fork.h"
#include "pipe.h"
#include "sync.h"
#endif
