#ifndef CSANDBOX_H
#define CSANDBOX_H

#include <stddef.h>
#include <stdint.h>

/// The layers of a worker's sandbox, in the order in which they are put on. Each answers 0 or an errno.

/// No new privileges, no core files, nothing open but 0, 1, 2 and `socket`, and the end when the parent ends.
int sandbox_basics(int socket);

/// User, network, mount, IPC and host name namespaces of its own, and few threads in them (not for root: the kernel limits none
/// of its threads). No second thread may exist yet.
int sandbox_namespaces(void);

/// An empty root; after sandbox_namespaces, and after the engine has read what it reads.
int sandbox_empty_root(void);

/// No capabilities, in whatever namespaces; after what needs them.
int sandbox_no_capabilities(void);

/// At most `growth` bytes of address space more than now, and eight open files.
int sandbox_limits(uint64_t growth);

/// The list of system calls that are left. Opening files fails; sockets, fork and exec end the process.
int sandbox_filter(void);

/// Bytes that the process has resident; the first call opens what later ones read.
uint64_t sandbox_resident(void);

/// Writes all of it, one caller at a time, the watchdog among them. Answers 0 or an errno.
int sandbox_send(int socket, const void *bytes, size_t count);

/// What a run used: microseconds and bytes.
struct sandbox_usage {
    uint64_t cpu, wall, peak;
};

/// Starts the thread that ends the process when a run passes a limit; it tells `socket` first.
int sandbox_watchdog_start(int socket);

/// Begins to count for run `number`. Microseconds, and bytes beyond what is resident now.
void sandbox_watchdog_arm(uint64_t number, uint64_t cpu, uint64_t wall, uint64_t growth);

/// Stops counting and tells what was used.
struct sandbox_usage sandbox_watchdog_disarm(void);

/// For `doctor` and tests: tries what the sandbox must not allow. Answers the errno, 0 where it was allowed, -1 for an
/// unknown name; does not return where the attempt ends the process.
int sandbox_probe(const char *name);

/// The names that sandbox_probe knows, NULL at their end.
const char *const *sandbox_probes(void);

#endif
